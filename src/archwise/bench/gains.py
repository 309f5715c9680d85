"""What learning from other tasks gains or loses, task by task, against a search without it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from archwise.bench.curves import area
from archwise.bench.results import Run
from archwise.bench.summary import grouped

SCRATCH = "default"
"""The search from scratch that strategies are held against."""


class Gain(NamedTuple):
    """How much smaller the area under the regret curve is on one task; below zero, learning did harm."""

    task: str
    mean: float
    """Over the seeds that both ran with."""
    error: float
    """Its standard error; not a number where there is one seed."""
    seeds: int

    @property
    def in_words(self) -> str:
        """The gain with its error and its task."""
        error = "" if np.isnan(self.error) else f" ± {self.error:.3f}"
        return f"{self.mean:+.3f}{error} {self.task}"


def gains(runs: Iterable[Run]) -> dict[str, dict[str, list[Gain]]]:
    """Return {table: {strategy: its gain on each task, the worst first}}, of strategies that were told of other tasks.

    Args:
        runs: what ran; without searches of `SCRATCH` there is nothing to hold strategies against.
    """
    cells = grouped(runs)
    found: dict[str, dict[str, list[Gain]]] = {}
    for (table, task, strategy), cell in cells.items():
        scratch = {run.seed: area(run.regret) for run in cells.get((table, task, SCRATCH), [])}
        gained = np.array([scratch[run.seed] - area(run.regret) for run in cell if run.history and run.seed in scratch])
        if len(gained):
            error = float(gained.std(ddof=1) / len(gained) ** 0.5) if len(gained) > 1 else float("nan")
            gain = Gain(task, float(gained.mean()), error, len(gained))
            found.setdefault(table, {}).setdefault(strategy, []).append(gain)
    return {
        table: {strategy: sorted(each, key=lambda gain: gain.mean) for strategy, each in by.items()}
        for table, by in found.items()
    }
