"""What is asked of strategies that propose by a model learnt from past tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.strategy_contract import StrategyContract
from tests.meta.conftest import known, like_tasks

from archwise.bench.curves import area, regret_changes, regret_curve
from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.meta import learned_model, sources
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.strategies import BayesianOptimization, Strategy, pool

ASKED_ELSEWHERE = "asked of the ensemble of processes, which looks for candidates in the same way"


class ModelContract(StrategyContract):
    """The shared suite, for strategies over `like_tasks`, with few candidates looked at.

    The surrogates of the past tasks, which have tests of their own, are the same for all objects.
    """

    uses_others = False
    begins_alike = True

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def light(cls) -> Iterator[None]:
        few = {"FIRST": 20, "MORE": 2, "RANDOM": 40, "PARENTS": 3}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(learned_model, "Sources", lambda past, space: _sources_of(past, id(space), space))
            patch.setattr(learned_model, "PROMISING", 10)
            patch.setattr(sources, "LOOKED_AT", 50)
            for name, value in few.items():
                patch.setattr(pool, name, value)
            yield

    def test_the_seed_decides(self):
        """Ask only that it decides alone: past tasks are right here, so seeds need not tell searches apart."""
        assert self.simulate(toys.layers(), 10, seed=1) == self.simulate(toys.layers(), 10, seed=1)

    def test_beats_random_search_or_equals_it(self):
        pytest.skip("it is compared with a search from scratch on a published table")


class NetworkContract(ModelContract):
    """That suite for models of networks, without what only asks how candidates are looked for.

    This is the same for all of these strategies, and is asked of the ensemble of processes.
    """

    def test_proposals_are_in_the_space_allowed_and_new(self):
        pytest.skip(ASKED_ELSEWHERE)

    def test_limits_on_costs_hold(self):
        pytest.skip(ASKED_ELSEWHERE)

    def test_killed_with_trials_under_way_it_loses_only_these(self):
        pytest.skip(ASKED_ELSEWHERE)

    def test_a_tiny_space_is_exhausted_and_the_search_ends(self):
        pytest.skip(ASKED_ELSEWHERE)


def gains(
    make: Callable[[Sequence[PastTask]], Strategy], table: TableEvaluator, tasks: Sequence[str], evaluations: int = 15
) -> np.ndarray:
    """Return by how much less area under the regret curve a strategy has than a search from scratch: (tasks,)."""

    def regret(strategy: Strategy, task: str, seed: int) -> float:
        steps = simulate(strategy, table, TableTask(task), seed, evaluations).steps
        return area(regret_curve(regret_changes(steps, table.space.table, task), evaluations))

    return np.array(
        [
            regret(BayesianOptimization(), task, seed) - regret(make(known(table, task, seed, 60)), task, seed)
            for seed, task in enumerate(tasks)
        ]
    )


class _Kept(Sources):
    @cache  # noqa: B019
    def promising(self, count: int) -> list[Candidate]:
        return super().promising(count)


_KEPT: dict[int, tuple[JointSpace, Sources]] = {}


def _sources_of(past: Sequence[PastTask], key: int, space: JointSpace) -> Sources:
    assert past == like_tasks()
    if key not in _KEPT:
        _KEPT[key] = space, _Kept(past, space)
    return _KEPT[key][1]
