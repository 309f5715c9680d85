"""Searches on real data that zero-cost proxies guide."""

from __future__ import annotations

import pytest
from tests.search.conftest import Searcher, trial_facts

import archwise
from archwise.result import Result
from archwise.strategies.zero_cost_guided import WARM_UP


def explored(result: Result) -> list[tuple[object, ...]]:
    return [facts for facts in trial_facts(result) if facts[1] == "search"]


def test_proxies_choose_what_is_tried_and_real_scores_what_is_returned(small_search: Searcher) -> None:
    result = small_search("digits", strategy="zero-cost-evolution", trials=4, epochs=2, space="mlp")
    trials = result.trials.query("purpose == 'search'")
    assert trials["origin"].tolist() == ["the space's default", *3 * [WARM_UP]]
    assert (trials["score"] == trials["validation_accuracy"]).all() and trials["score"].between(0, 1).all()
    assert trials["architecture"].nunique() > 1


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["zero-cost-evolution", "zero-cost-bayesian", "halving-zero-cost-evolution"])
def test_a_search_that_goes_on_makes_the_trials_of_one_that_never_stopped(small_search: Searcher, strategy) -> None:
    options = {"strategy": strategy, "seed": 3, "epochs": 2}
    whole = small_search(trials=14, **options)
    begun = small_search(trials=6, **options)
    archwise.resume(begun.run, trials=14)
    assert explored(archwise.load(begun.run)) == explored(whole)
