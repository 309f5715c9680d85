"""Strategies in sequence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import StrategyContract
from tests.strategies.test_in_turns import Nothing, names

from archwise.errors import ArchwiseError
from archwise.strategies import (
    GeneticAlgorithm,
    InSequence,
    RandomSearch,
    RegularisedEvolution,
    ReinforcementLearning,
    Strategy,
)
from archwise.trial import Outcome, Proposal, Trial


class TestInSequence(StrategyContract):
    seeds = 4

    def make(self) -> Strategy:
        return InSequence({"genetic": GeneticAlgorithm(), "evolution": RegularisedEvolution()}, [30])


def three() -> InSequence:
    return InSequence({"a": RandomSearch(), "b": RandomSearch(), "c": RandomSearch()}, [5, 3])


@pytest.mark.parametrize("workers", [1, 4])
def test_it_changes_over_at_the_right_place(workers: int):
    assert names(simulate(three, toys.layers(), 20, workers=workers)) == [*"aaaaabbb", *"c" * 12]


def test_what_a_kill_lost_is_proposed_by_the_same_member():
    run = simulate(three, toys.layers(), 10)
    left = [trial for trial in run if trial.number not in (2, 3, 6)]
    proposals = three().propose(toys.layers(), left, [], 0, 4)
    assert [proposal.origin[0] for proposal in proposals] == [*"aabc"]


def test_the_default_that_a_search_begins_with_is_nobodys():
    run = simulate(three, toys.layers(), 5)
    run[0] = replace(run[0], origin="the space's default")
    [proposal] = three().propose(toys.layers(), run, [], 0, 1)
    assert proposal.origin == "a: random"


def test_where_one_has_nothing_the_next_goes_on():
    members = {"no": Nothing(), "a": RandomSearch(), "never": Nothing()}
    assert names(simulate(lambda: InSequence(members, [5, 3]), toys.layers(), 8)) == ["a"] * 8


def test_reinforcement_learning_learns_from_what_the_genetic_algorithm_evaluated():
    space = toys.layers()
    genetic = simulate(lambda: InSequence({"genetic": GeneticAlgorithm(), "ppo": learner()}, [40]), space, 40)
    assert set(names(genetic)) == {"genetic"}

    def written(sign: int) -> float:
        """How many layers of what is written next use relu, when scores count these, or count against them."""
        history = [scored(trial, sign * relus(trial)) for trial in genetic]
        strategy = InSequence({"genetic": GeneticAlgorithm(), "ppo": learner()}, [40])
        proposals = strategy.propose(space, history, [], 0, 30)
        assert {proposal.origin for proposal in proposals} == {"ppo: written by the controller"}
        return float(np.mean([relus(proposal) for proposal in proposals]))

    assert written(+1) > written(-1) + 1


def learner() -> ReinforcementLearning:
    return ReinforcementLearning(learning_rate=0.03)


def relus(trial: Trial | Proposal) -> int:
    return sum(label == "relu" for label in trial.candidate.architecture.values())


def scored(trial: Trial, score: float) -> Trial:
    return replace(trial, outcome=Outcome("finished", score))


def test_reinforcement_learning_edits_the_best_of_the_genetic_algorithm():
    space = toys.layers()
    make = lambda: InSequence(  # noqa: E731
        {"genetic": GeneticAlgorithm(), "ppo": ReinforcementLearning(edits=2)}, [30]
    )
    run = simulate(make, space, 60)
    edited = run[30:]
    for trial in edited:
        best = max(run[: trial.number], key=lambda other: other.outcome.score or 0)
        assert trial.origin == f"ppo: trial {best.number} edited by the controller"
        pairs = zip(best.candidate, trial.candidate, strict=True)
        assert 1 <= sum(a[path] != b[path] for a, b in pairs for path in a) <= 2
    assert max(trial.score or 0 for trial in edited) > max(trial.score or 0 for trial in run[:30])


@pytest.mark.parametrize("candidates", [[], [1, 2], [-1]])
def test_numbers_that_do_not_fit_are_refused(candidates: list[int]):
    with pytest.raises(ArchwiseError, match="for each strategy but the last"):
        InSequence({"a": RandomSearch(), "b": RandomSearch()}, candidates)
