"""NSGA-II."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import foreign
from tests.contracts.trade_offs import TradeOffContract

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies import RandomSearch, Strategy
from archwise.strategies.nsga2 import NSGA2
from archwise.trial import Outcome, Proposal, Trial


class TestNSGA2(TradeOffContract):
    seeds = 6

    def make(self) -> Strategy:
        return NSGA2()


class TestSmallPopulation(TradeOffContract):
    seeds = 6
    uses_others = False  # three trials of another search are too few to show

    def make(self) -> Strategy:
        return NSGA2(population=6, mutation=1.0)


def with_costs(values: Sequence[tuple[float, float] | None]) -> list[Trial]:
    """Return trials of random search with given scores and costs; None fails."""
    outcomes = [
        Outcome("failed", reason="diverged") if v is None else Outcome("finished", v[0], costs={"size": v[1]})
        for v in values
    ]
    trials = simulate(RandomSearch, toys.layers(), len(values))
    return [replace(trial, outcome=outcome) for trial, outcome in zip(trials, outcomes, strict=True)]


def children(strategy: Strategy, history: Sequence[Trial], seeds: int = 80) -> list[Proposal]:
    return [proposal for seed in range(seeds) for proposal in strategy.propose(toys.layers(), history, [], seed, 1)]


def parents(strategy: Strategy, history: Sequence[Trial], seeds: int = 80) -> list[int]:
    """Return the parents that proposals name, each as often as it is named."""
    return [int(n) for child in children(strategy, history, seeds) for n in re.findall(r"\d+", child.origin)]


def differences(first: Candidate, second: Candidate) -> int:
    pairs = zip(first, second, strict=True)
    return sum(a[path] != b[path] for a, b in pairs for path in a)


FRONT = [(0.9, 1000.0), (0.8, 100.0), (0.7, 10.0), (0.6, 1.0)]
BEHIND = [(0.5, 1000.0), (0.4, 500.0), (0.3, 50.0), (0.2, 5.0)]


def strategy(**changes: Any) -> NSGA2:
    return NSGA2(**{"minimise": ["size"], "population": 4, **changes})


def test_random_candidates_fill_the_first_population() -> None:
    begun = simulate(lambda: strategy(population=9), toys.layers(), 9)
    assert [trial.candidate for trial in begun] == [t.candidate for t in simulate(RandomSearch, toys.layers(), 9)]
    [after] = children(strategy(population=9), begun, seeds=1)
    assert after.origin.startswith(("child of trials ", "mutation of trial "))


def test_who_is_beaten_in_everything_is_no_parent_while_there_are_enough_others() -> None:
    history = with_costs([BEHIND[0], *FRONT[:2], *BEHIND[1:], *FRONT[2:]])
    assert set(parents(strategy(), history)) == {1, 2, 6, 7}
    bad_score_small = with_costs([*FRONT, (0.1, 0.5)])
    assert 4 in parents(strategy(), bad_score_small), "the end of the front stays"


def test_without_the_costs_the_score_alone_decides() -> None:
    history = with_costs([*BEHIND, *FRONT])
    assert set(parents(NSGA2(["unknown"], population=4), history)) == {4, 5, 6, 7}
    assert set(parents(NSGA2(["unknown"], population=2), history)) == {4, 5}


def test_a_trial_that_lacks_its_cost_is_behind_those_that_have_it() -> None:
    history = with_costs([*FRONT, (0.65, 1.0)])
    history[4] = replace(history[4], outcome=Outcome("finished", 0.65))
    assert set(parents(strategy(), history)) == {0, 1, 2, 3}
    history[4] = replace(history[4], outcome=Outcome("finished", 0.99))
    assert 4 in parents(strategy(), history), "nothing has a better score"


def test_failed_trials_are_no_parents() -> None:
    history = with_costs([FRONT[0], None, FRONT[1], None, FRONT[2], FRONT[3]])
    assert set(parents(strategy(), history)) == {0, 2, 4, 5}
    assert children(strategy(), history[:5], seeds=5)[0].origin == "random", "three have finished, not four"


def test_tournaments_favour_rank_then_space() -> None:
    two_ranks = parents(strategy(population=8, crossover=0.0), with_costs([*FRONT, *BEHIND]), seeds=300)
    in_front = sum(parent < 4 for parent in two_ranks)
    assert 0.68 < in_front / len(two_ranks) < 0.82, "a pair without one of the front is drawn 1 time in 4"
    crowded = [(0.9, 1000.0), (0.88, 900.0), (0.87, 850.0), (0.86, 800.0), (0.6, 1.0)]
    named = parents(strategy(population=5, crossover=0.0), with_costs(crowded), seeds=300)
    assert named.count(4) > 1.5 * named.count(2) and named.count(0) > 1.5 * named.count(2)


def test_children_take_after_both_parents_and_differ_by_a_mutation() -> None:
    history = with_costs(FRONT)
    by_number = {trial.number: trial.candidate for trial in history}
    crossed = children(strategy(crossover=1.0, mutation=0.0), history)
    plain = [child for child in crossed if "mutated" not in child.origin]
    assert len(plain) > 60
    for child in plain:
        first, second = (by_number[int(n)] for n in re.findall(r"\d+", child.origin))
        assert first != second
        for made, one, other in zip(child.candidate, first, second, strict=True):
            assert all(made[path] in (one[path], other[path]) for path in made)
    mutated = children(strategy(crossover=1.0, mutation=1.0), history)
    assert all(child.origin.endswith(", mutated") for child in mutated)
    for child in children(strategy(crossover=0.0), history):
        parent = int(child.origin.removeprefix("mutation of trial "))
        assert differences(by_number[parent], child.candidate) == 1


def test_it_spreads_over_the_front_where_a_search_for_the_score_alone_does_not() -> None:
    spreads = []
    for minimise in (["parameters"], ["unknown"]):
        trials = simulate(lambda minimise=minimise: NSGA2(minimise), toys.layers(), 150, seed=1)
        spreads.append(np.log([toys.price(trial.candidate) for trial in trials[75:]]))
    assert spreads[0].min() < spreads[1].min() - 0.5
    assert spreads[0].mean() < spreads[1].mean() - 0.3


def test_others_trade_offs_begin_the_population_and_their_scores_are_not_compared() -> None:
    space = toys.layers()
    others = [replace(t, outcome=replace(t.outcome, score=1e6 + (t.score or 0))) for t in foreign(space, 12)]
    trials = simulate(lambda: NSGA2(population=6), space, 12, known=others)
    known = {trial.candidate for trial in others}
    assert [trial.origin == "from another search" for trial in trials] == [True] * 3 + [False] * 9
    assert {trial.candidate for trial in trials[:3]} <= known
    assert all(int(n) >= 0 for trial in trials[6:] for n in re.findall(r"-?\d+", trial.origin))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"minimise": []}, "one cost or more"),
        ({"minimise": "flops"}, "not 'flops'"),
        ({"population": 1}, "not 1, 0.9 and 0.6"),
        ({"crossover": 1.5}, "1.5"),
        ({"mutation": -0.1}, "-0.1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ArchwiseError, match=words):
        NSGA2(**settings)
