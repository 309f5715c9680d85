"""The harness against the figures of reference runs, which others made with other code on the same tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archwise.bench.curves import regret_changes, regret_curve
from archwise.bench.simulation import simulate
from archwise.evaluators.table import Table, TableDecision, read_table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.strategies import LocalSearch, RandomSearch, RegularisedEvolution, Strategy

COUNTS = (5, 10, 20, 50, 100, 200)
"""Evaluations; before the fifth a few broken networks decide a mean over 20 seeds."""
SEEDS = 20
REFERENCE_SEEDS = 20
STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "random": RandomSearch,
    "evolution": lambda: RegularisedEvolution(20, 5),
    "local-search": LocalSearch,
}
REFERENCE = {
    "nasbench201": {
        "random": (0.509, 0.381, 0.296, 0.237, 0.196, 0.151),
        "evolution": (0.507, 0.389, 0.313, 0.197, 0.111, 0.044),
        "local-search": (0.647, 0.439, 0.281, 0.138, 0.077, 0.046),
    },
    "transnas101_micro": {
        "random": (0.548, 0.403, 0.344, 0.262, 0.215, 0.167),
        "evolution": (0.515, 0.413, 0.335, 0.210, 0.130, 0.077),
        "local-search": (0.579, 0.405, 0.285, 0.184, 0.138, 0.091),
    },
    "hpobench_mlp": {
        "random": (0.269, 0.176, 0.138, 0.097, 0.076, 0.065),
        "evolution": (0.329, 0.195, 0.149, 0.075, 0.054, 0.033),
        "local-search": (0.642, 0.305, 0.167, 0.086, 0.057, 0.037),
    },
}


def plain(table: Table) -> Table:
    """Return a table whose decisions nobody recognises, so that it is known of no two rows that they are the same.

    The reference runs knew nothing of graphs; ours never evaluate a function twice, which makes local search better.
    """
    decisions = tuple(TableDecision(f"choice{i}", d.options) for i, d in enumerate(table.decisions))
    return replace(table, name="plain", decisions=decisions)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", REFERENCE)
def test_mean_regret_is_that_of_the_reference_runs(name: str, strategy: str, shared_data: Path) -> None:
    table = plain(read_table(shared_data / "nas" / f"{name}.npz"))
    evaluator = TableEvaluator(table_space(table))
    reference = np.array(REFERENCE[name][strategy])
    curves = []
    for seed in range(SEEDS):
        steps = [simulate(STRATEGIES[strategy](), evaluator, TableTask(t), seed, COUNTS[-1]).steps for t in table.tasks]
        of_tasks = [
            regret_curve(regret_changes(s, table, t), COUNTS[-1]) for s, t in zip(steps, table.tasks, strict=True)
        ]
        curves.append(np.mean(of_tasks, axis=0)[[count - 1 for count in COUNTS]])
    means, spread = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1)
    # Of the reference there is no spread: as the same search, it is taken to have ours.
    errors = spread * np.sqrt(1 / len(curves) + 1 / REFERENCE_SEEDS)
    print(f"\n{name} {strategy}: {means.round(3)}, off by {((means - reference) / errors).round(1)} standard errors")
    assert np.all(np.abs(means - reference) < 3 * errors), (means, reference, errors)
