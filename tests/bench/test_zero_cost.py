"""Zero-cost proxies on benchmark tables."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from tests.bench.conftest import small_table

from archwise.bench.benchmark import Plan
from archwise.bench.entrants import table_scorer
from archwise.bench.runner import Job, run_job
from archwise.errors import ArchwiseError
from archwise.evaluators.table import Table, TableDecision
from archwise.evaluators.table_space import table_space


def network_table(names: dict[str, tuple[object, ...]], weights: list[float]) -> Table:
    """Return a table whose scores are weighted sums of the options' numbers."""
    decisions = tuple(TableDecision(name, options) for name, options in names.items())
    rows = np.array(list(product(*(range(len(options)) for options in names.values()))), dtype=np.uint16)
    quality = (rows @ np.array(weights))[:, None].astype(float)
    return Table("networks", decisions, rows, ("all",), quality, quality, None, np.ones_like(quality))


def perceptrons() -> Table:
    """A table in which wider networks are better, and the recipe matters less."""
    names = {"width": (8, 16, 32, 64, 128, 256), "depth": (1, 2), "alpha": (0.1, 0.2)}
    names |= {"batch_size": (8, 16, 32), "learning_rate_init": (0.1, 0.2, 0.3)}
    return network_table(names, [3.0, 0.2, 0.1, 0.1, 0.1])


def write(table: Table, path: Path) -> Path:
    decisions = ", ".join(
        f'{{"name": "{d.name}", "options": [{", ".join(map(json.dumps, d.options))}]}}' for d in table.decisions
    )
    np.savez(
        path,
        decisions=f"[{decisions}]",
        architectures=table.architectures,
        tasks=np.array(table.tasks),
        select=table.select,
        report=table.report,
        cost_seconds=table.cost_seconds,
    )
    return path


def test_on_a_table_of_networks_proxies_choose_the_first_trials(tmp_path: Path) -> None:
    path = str(write(perceptrons(), tmp_path / "networks.npz"))
    first: dict[str, list[float]] = {"zero-cost-evolution": [], "evolution": []}
    for strategy, regrets in first.items():
        for seed in range(6):
            run = run_job(Job(path, "all", strategy, seed, 4))
            regrets.append(run.regret[0])
    assert np.mean(first["zero-cost-evolution"]) < 0.3 < np.mean(first["evolution"])


def test_cells_of_a_table_are_scored_on_small_images() -> None:
    operations = ("none", "skip_connect", "nor_conv_3x3")
    space = table_space(network_table({"0->1": operations, "0->2": operations, "1->2": operations}, [1, 1, 1]))
    scores = table_scorer(space)(space.candidate(26))
    assert scores["parameters"] > 1000 and all(map(math.isfinite, scores.values()))
    assert all(map(math.isnan, table_scorer(space)(space.candidate(0)).values())), "no path"


def test_tables_of_settings_are_left_out(tmp_path: Path) -> None:
    settings, networks = write(small_table(), tmp_path / "settings.npz"), write(perceptrons(), tmp_path / "mlp.npz")
    plan = Plan((str(settings), str(networks)), ("zero-cost-bayesian", "evolution"), seeds=1, evaluations=5)
    jobs = {(Path(job.table).stem, job.strategy) for job in plan.jobs()}
    assert jobs == {("mlp", "zero-cost-bayesian"), ("mlp", "evolution"), ("settings", "evolution")}
    with pytest.raises(ArchwiseError, match=r"'zero-cost-bayesian' .*scores untrained networks"):
        Plan((str(settings),), plan.strategies, 1, 5).jobs()


def test_schedules_need_tables_of_several_fidelities(tmp_path: Path) -> None:
    networks = write(perceptrons(), tmp_path / "mlp.npz")
    with pytest.raises(ArchwiseError, match=r"'asha-evolution'.*full trainings alone"):
        Plan((str(networks),), ("asha-evolution",), 1, 5).jobs()
