"""Past tasks: of the toy spaces, and of published tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.strategy_contract import foreign

from archwise.bench.history import History
from archwise.bench.tables import find_table
from archwise.evaluators.table_evaluator import TableEvaluator
from archwise.evaluators.table_space import table_space
from archwise.meta.past_task import PastTask
from archwise.trial import Trial


@cache
def like_tasks() -> tuple[PastTask, ...]:
    """Return past tasks whose scores are those of the toy spaces, some trials failed."""
    spaces = (toys.layers, toys.cells, toys.pools)
    trials = [trial for space in spaces for trial in foreign(space(), 60, seed=7)]
    failed = toys.failing(1, "failed")
    trials[::9] = [replace(trial, outcome=failed(0, trial)) for trial in trials[::9]]
    return PastTask("like", trials[::2]), PastTask("too", trials[1::2]), PastTask("nothing", [])


@cache
def evaluator(path: Path) -> TableEvaluator:
    """Return a table's evaluator, the same for all tests of a process, as encodings are remembered with its space."""
    return TableEvaluator(table_space(find_table(str(path))))


@pytest.fixture(scope="session")
def nasbench201(shared_data: Path) -> TableEvaluator:
    return evaluator(shared_data / "nas" / "nasbench201.npz")


@pytest.fixture(scope="session")
def hpobench_mlp(shared_data: Path) -> TableEvaluator:
    return evaluator(shared_data / "nas" / "hpobench_mlp.npz")


def with_scores(past: PastTask, scores: Sequence[float]) -> PastTask:
    """Return a past task whose trials, all finished, have other scores."""
    pairs = zip(past.trials, scores, strict=True)
    return replace(past, trials=[replace(t, outcome=replace(t.outcome, score=float(score))) for t, score in pairs])


def scores_of(trials: Sequence[Trial]) -> np.ndarray:
    return np.array([trial.score for trial in trials], dtype=float)


def shuffled(past: Sequence[PastTask], seed: int = 0) -> list[PastTask]:
    rng = np.random.default_rng(seed)
    return [with_scores(task, rng.permutation(scores_of(task.trials))) for task in past]


def negated(past: Sequence[PastTask]) -> list[PastTask]:
    return [with_scores(task, -scores_of(task.trials)) for task in past]


def known(table: TableEvaluator, task: str, seed: int = 0, count: int = 100) -> Sequence[PastTask]:
    return History(count).past_tasks(table, task, seed)
