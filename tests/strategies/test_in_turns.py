"""Strategies in turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.contracts import toys
from tests.contracts.simulation import cost, simulate
from tests.contracts.strategy_contract import StrategyContract

from archwise.ready import PROPOSING, ready_strategy
from archwise.spaces import JointSpace
from archwise.strategies import (
    InTurns,
    LocalSearch,
    RandomSearch,
    RegularisedEvolution,
    Strategy,
    SuccessiveHalving,
)
from archwise.trial import Pending, Proposal, Trial


class Nothing:
    """A strategy that never has anything to propose."""

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        return []


class TestInTurns(StrategyContract):
    seeds = 4

    def make(self) -> Strategy:
        return InTurns({"evolution": RegularisedEvolution(), "local": LocalSearch()})


def names(trials: Sequence[Trial]) -> list[str]:
    return [trial.origin.partition(": ")[0] for trial in trials]


@pytest.mark.parametrize("workers", [1, 4])
def test_each_in_its_turn(workers: int):
    run = simulate(lambda: InTurns(dict.fromkeys("abc", RandomSearch())), toys.layers(), 30, workers=workers)
    assert names(run) == [*"abc"] * 10


def test_what_a_kill_lost_is_proposed_by_the_same_member():
    run = simulate(lambda: InTurns(dict.fromkeys("abc", RandomSearch())), toys.layers(), 9)
    left = [trial for trial in run if trial.number not in (4, 7)]
    proposals = InTurns(dict.fromkeys("abc", RandomSearch())).propose(toys.layers(), left, [], 0, 3)
    assert [proposal.origin for proposal in proposals] == ["b: random", "b: random", "a: random"]


def test_who_has_nothing_to_propose_is_passed_over():
    run = simulate(lambda: InTurns({"a": RandomSearch(), "no": Nothing(), "b": RandomSearch()}), toys.layers(), 12)
    assert Counter(names(run)) == {"a": 6, "b": 6}
    assert InTurns({"no": Nothing()}).propose(toys.layers(), run, [], 0, 2) == []


def test_the_members_of_nested_turns_take_turns():
    inner = InTurns({"a": RandomSearch(), "b": RandomSearch()})
    run = simulate(lambda: InTurns({"x": inner, "y": RandomSearch()}), toys.layers(), 8)
    assert [trial.origin for trial in run] == ["x: a: random", "y: random", "x: b: random", "y: random"] * 2


def test_members_go_on_from_what_others_found():
    space = toys.layers()
    run = simulate(lambda: InTurns({"evolution": RegularisedEvolution(), "local": LocalSearch()}), space, 60)
    begins = "evolution: mutation of trial "
    parents = [int(trial.origin.removeprefix(begins)) for trial in run if trial.origin.startswith(begins)]
    assert {"local", "evolution"} == set(names([run[number] for number in parents]))


def test_a_member_may_train_a_little_and_continue():
    members = {"halving": SuccessiveHalving(RandomSearch(), rungs=2), "full": RandomSearch()}
    run = simulate(lambda: InTurns(members), toys.layers(), 60, workers=3)
    continued = [trial for trial in run if trial.parent is not None]
    assert continued and all(trial.origin.startswith("halving: continues trial ") for trial in continued)
    assert cost(run) < len(run)


@pytest.mark.parametrize("workers", [1, 3])
def test_under_a_schedule_who_proposed_is_still_known(workers: int):
    make = lambda: SuccessiveHalving(InTurns(dict.fromkeys("ab", RandomSearch())), rungs=2)  # noqa: E731
    run = simulate(make, toys.layers(), 60, workers=workers)
    begun = Counter(names([trial for trial in run if trial.parent is None]))
    assert abs(begun["a"] - begun["b"]) <= 1
    assert any(trial.parent is not None for trial in run)


@pytest.mark.parametrize("name", PROPOSING)
def test_every_ready_strategy_is_a_member_beside_others(name: str):
    def make() -> Strategy:
        one = ready_strategy(name, scorer=lambda candidate: {"worth": toys.worth(candidate)})
        return InTurns({"one": one, "local": LocalSearch(), "chance": RandomSearch()})

    kept = make()
    fails = toys.failing(0.2, "failed")
    run = simulate(lambda: kept, toys.cells(), 36, workers=3, evaluate=fails)
    assert Counter(names(run)) == {"one": 12, "local": 12, "chance": 12}
    for cut in (10, 35):
        [proposal] = make().propose(toys.cells(), run[:cut], [], 0, 1)
        [again] = kept.propose(toys.cells(), run[:cut], [], 0, 1)
        assert proposal == again


def test_trials_of_other_searches_are_nobodys():
    run = simulate(lambda: InTurns(dict.fromkeys("ab", RandomSearch())), toys.layers(), 3)
    others = [replace(trial, number=-1 - trial.number) for trial in run]
    [proposal] = InTurns(dict.fromkeys("ab", RandomSearch())).propose(toys.layers(), others, [], 0, 1)
    assert proposal.origin == "a: random"
