"""Performance landmarks."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial
from tests.contracts.simulation import simulate as simulate_toys
from tests.contracts.strategy_contract import StrategyContract
from tests.meta.conftest import known, negated

from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableTask
from archwise.meta.guard import GuardedTransfer
from archwise.meta.landmarks import COUNT, FIDELITY, ORIGIN, PerformanceLandmarks, described, landmarks
from archwise.meta.sources import Sources
from archwise.meta.transfer import Transfer
from archwise.strategies import RandomSearch, RegularisedEvolution, Strategy
from archwise.trial import Outcome, Proposal


class TestPerformanceLandmarks(StrategyContract):
    uses_others = False
    begins_alike = True
    seeds = 3

    def make(self) -> Strategy:
        return PerformanceLandmarks(lambda scores: RegularisedEvolution(), 5)


def test_landmarks_are_fixed_few_and_not_the_default():
    for space in (toys.layers(), toys.pools()):
        found = landmarks(space)
        assert found == landmarks(space)
        assert len({space.key(candidate) for candidate in [*found, space.default]}) == COUNT + 1


def test_landmarks_are_trained_a_little_and_paid_for(nasbench201):
    strategy = PerformanceLandmarks(lambda scores: RandomSearch(), 1)
    trials = simulate(strategy, nasbench201, TableTask("cifar10"), 0, 4).trials
    first = trials[:COUNT]
    assert [trial.candidate for trial in first] == landmarks(nasbench201.space)
    assert {(trial.fidelity, trial.origin) for trial in first} == {(FIDELITY, ORIGIN)}
    table = nasbench201.space.table
    cheap = [table.cheap[nasbench201.space.row(trial.candidate), 0] for trial in first]
    assert [trial.score for trial in first] == pytest.approx(cheap)
    begun = sum(nasbench201.given(trial.fidelity) for trial in trials)
    assert COUNT * nasbench201.given(FIDELITY) + 3 < begun < 5


def test_past_tasks_that_rank_landmarks_alike_count_more(nasbench201):
    """Before any training in full: one past task is right, the other says the opposite."""
    right, wrong = known(nasbench201, "cifar10")
    past = [right, *negated([wrong])]
    made: list[Transfer] = []

    def make(scores):
        made.append(Transfer(past, landmarks=scores))
        return made[-1]

    trials = simulate(PerformanceLandmarks(make, 5), nasbench201, TableTask("cifar10"), 0, 2).trials
    assert len(made) == 2, "one object before landmarks are known, one after"
    blind, seeing = (transfer.sources(nasbench201.space).shares for transfer in made)
    assert blind == pytest.approx([0.5, 0.5])
    assert seeing[0] > 0.8
    assert trials[COUNT].fidelity == 1


def test_a_landmark_that_is_proposed_is_trained_on(nasbench201):
    space = nasbench201.space
    chosen = landmarks(space)[1]

    class Wants:
        def propose(self, space, history, pending, seed, n):
            return [Proposal(chosen)][:n]

    strategy = PerformanceLandmarks(lambda scores: Wants(), 1)
    first = strategy.propose(space, [], [], 0, COUNT)
    history = [as_trial(number, proposal, lambda *_: Outcome("finished", 0.5)) for number, proposal in enumerate(first)]
    [proposal] = strategy.propose(space, history, [], 0, 1)
    assert (proposal.candidate, proposal.fidelity, proposal.parent) == (chosen, 1.0, 1)


def test_scores_count_in_their_own_unit():
    space = toys.layers()
    candidates = landmarks(space)
    said = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    own, past = described(
        {"rows": 3.0}, [None, {"rows": 5.0}], dict(zip(candidates, [10.0, 20.0, 30.0], strict=True)), said
    )
    assert own == {"rows": 3.0} | past[0]
    assert past[1]["landmark 0"] == -own["landmark 0"] and past[1]["rows"] == 5.0
    assert described({"rows": 3.0}, [None], {candidates[0]: 1.0}, said[:1, :1]) == ({"rows": 3.0}, [None])


def test_without_past_tasks_it_is_the_strategy_behind():
    strategy = PerformanceLandmarks(lambda scores: GuardedTransfer([], landmarks=scores), 5)
    trials = simulate_toys(lambda: strategy, toys.layers(), 8)
    assert len(trials) == 8 and [trial.origin for trial in trials[:COUNT]] == [ORIGIN] * COUNT
    assert len(Sources([], toys.layers(), landmarks={toys.layers().default: 1.0})) == 0
