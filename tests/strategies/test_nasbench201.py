"""Strategies on the real measurements of NAS-Bench-201, against the figures of the reference runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.simulation import simulate

from archwise.spaces import JointSpace, Settings, Space
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.cell import cell
from archwise.strategies import RandomSearch, RegularisedEvolution, Strategy
from archwise.trial import Outcome, Proposal

SEEDS = 20
EVALUATIONS = (50, 100, 200)
OPERATIONS = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "conv1x1",
    "nor_conv_3x3": "conv3x3",
    "avg_pool_3x3": "avg_pool3x3",
}
"""What the table calls an operation -> what the space calls it."""


class Table:
    """The benchmark's tables, looked up by the decisions; one cell in one stage, whose graph is quick to compare."""

    def __init__(self, path: Path):
        data = np.load(path, allow_pickle=False)
        decisions = json.loads(str(data["decisions"]))
        self.edges = [f"/stage/{decision['name']}/op" for decision in decisions]
        self.places = [{OPERATIONS[name]: i for i, name in enumerate(d["options"])} for d in decisions]
        self.rows = {tuple(map(int, row)): number for number, row in enumerate(data["architectures"])}
        self.select, self.report = data["select"].astype(float), data["report"].astype(float)
        self.space = JointSpace(cell(nodes=4, width=16, depth=1, stages=1), Space(Settings(epochs=200)))

    def row(self, architecture: Architecture) -> int:
        return self.rows[tuple(places[str(architecture[e])] for e, places in zip(self.edges, self.places, strict=True))]

    def evaluate(self, task: int) -> Callable[[int, Proposal], Outcome]:
        return lambda _, p: Outcome("finished", self.select[self.row(p.candidate.architecture), task])

    def regrets(self, candidates: Sequence[Candidate], task: int) -> list[float]:
        """Return the regret of the incumbent after some numbers of evaluations: 0 the table's best, 1 its median."""
        rows = [self.row(candidate.architecture) for candidate in candidates]
        best, median = self.report[:, task].max(), np.median(self.report[:, task])
        incumbents = [max(rows[:count], key=lambda row: self.select[row, task]) for count in EVALUATIONS]
        return [float((best - self.report[row, task]) / (best - median)) for row in incumbents]


@pytest.fixture(scope="module")
def table(shared_data: Path) -> Table:
    return Table(shared_data / "nas" / "nasbench201.npz")


def test_the_table_and_the_space_hold_the_same_cells(table):
    assert table.space.size == len(table.rows) == 15_625
    assert len({table.row(table.space.network.sample(seed)) for seed in range(300)}) > 290


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "reference"),
    [
        (RandomSearch, (0.237, 0.196, 0.151)),
        (lambda: RegularisedEvolution(20, 5), (0.197, 0.111, 0.044)),
    ],
    ids=["random search", "regularised evolution"],
)
def test_mean_regret_is_that_of_the_reference_runs(table: Table, make: Callable[[], Strategy], reference):
    """Ours skips what it evaluated before up to the canonical hash; if that matters, it makes it better."""
    regrets = []
    for seed in range(SEEDS):
        of_tasks = []
        for task in range(table.select.shape[1]):
            trials = simulate(make, table.space, EVALUATIONS[-1], seed=seed, evaluate=table.evaluate(task))
            of_tasks.append(table.regrets([trial.candidate for trial in trials], task))
        regrets.append(np.mean(of_tasks, axis=0))
    means, errors = np.mean(regrets, axis=0), np.std(regrets, axis=0, ddof=1) / np.sqrt(SEEDS)
    print(f"\nmean regret {means.round(3)}, standard error {errors.round(3)}")
    assert np.all(np.abs(means - reference) < 3 * errors), (means, errors)
