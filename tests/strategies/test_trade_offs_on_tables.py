"""Several objectives on the real measurements of NAS-Bench-201: accuracy against the energy that devices measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archwise.bench.simulation import simulate
from archwise.evaluators.table import read_table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.pareto import hypervolume, pareto_set
from archwise.strategies import NSGA2, MultiObjectiveBayesian, RandomSearch, Strategy
from archwise.trial import Trial

EVALUATIONS = 100
SEEDS = 3
DEVICE = "pi5/onnx/cifar100"
TASK = TableTask("cifar100")


class Energy:
    """The table with a device's energy, and what a search's Pareto set dominates of it."""

    def __init__(self, folder: Path):
        table = read_table(folder / "nasbench201.npz")
        with np.load(folder / "nasbench201_latency.npz", allow_pickle=False) as measured:
            energy = measured["board_energy_mJ"][:, measured["board_names"].tolist().index(DEVICE)].astype(float)
        self.evaluator = TableEvaluator(table_space(table), {"energy_mj": energy})
        self._accuracy = table.select[:, table.task_number(TASK.name)].astype(float)
        self._energy = energy
        self._everything = self._dominated(np.arange(len(energy)))

    def _dominated(self, rows: np.ndarray) -> float:
        """The volume of accuracy above the table's median and of log energy below its largest."""
        values = np.stack([self._accuracy[rows], -np.log(self._energy[rows])], axis=1)
        return hypervolume(values, [float(np.median(self._accuracy)), -float(np.log(self._energy.max()))])

    def share(self, trials: tuple[Trial, ...]) -> float:
        """How much of what the whole table dominates a search's Pareto set does."""
        rows = [self.evaluator.space.row(trial.candidate) for trial in pareto_set(trials, ["energy_mj"])]
        return self._dominated(np.array(rows)) / self._everything

    def shares(self, make: Callable[[], Strategy]) -> list[float]:
        runs = [simulate(make(), self.evaluator, TASK, seed, EVALUATIONS) for seed in range(SEEDS)]
        return [self.share(run.trials) for run in runs]


@pytest.fixture(scope="module")
def energy(shared_data: Path) -> Energy:
    return Energy(shared_data / "nas")


@pytest.fixture(scope="module")
def by_chance(energy: Energy) -> float:
    return float(np.mean(energy.shares(RandomSearch)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: NSGA2(["energy_mj"]),
        lambda: MultiObjectiveBayesian(["energy_mj"]),
        lambda: MultiObjectiveBayesian(["energy_mj"], "chebyshev"),
    ],
    ids=["nsga2", "hypervolume", "chebyshev"],
)
def test_it_finds_better_trade_offs_than_random_search(
    energy: Energy, by_chance: float, make: Callable[[], Strategy]
) -> None:
    shares = energy.shares(make)
    print(f"\nshare of the table's volume {np.mean(shares):.3f}, by random search {by_chance:.3f}")
    assert by_chance + 0.03 < np.mean(shares) <= 1
