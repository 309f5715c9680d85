"""What a benchmark's runs come to: means over seeds with their spread, areas, ranks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from archwise.bench.curves import AREA, REPORTED, area, evaluations_to
from archwise.bench.results import Run
from archwise.report.words import count

Cell = tuple[str, str, str]
"""Table, task and strategy."""
RESAMPLES = 2000
"""Draws of a bootstrap."""


class Rank(NamedTuple):
    """The mean rank of a strategy over tasks (1 is best), and the 95 % interval of a bootstrap over tasks."""

    mean: float
    low: float
    high: float
    tasks: int

    @property
    def interval(self) -> str:
        """The interval in words; of a single task there is none."""
        return f"{self.low:.2f} to {self.high:.2f}" if self.tasks > 1 else "–"


def grouped(runs: Iterable[Run]) -> dict[Cell, list[Run]]:
    """Return the runs of each table, task and strategy, in the order of their seeds."""
    cells: dict[Cell, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.seed):
        cells[run.table, run.task, run.strategy].append(run)
    return dict(cells)


def summary(runs: Iterable[Run]) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Return {table: {task: {strategy: figures}}}: means over seeds.

    "area60" is over the first 60 evaluations, or over all where there are fewer. "in_time" has the same over simulated
    time, in the place of an evaluation the "hours" in which all "workers" together do an average training; only tables
    with times have it.
    """
    data: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for (table, task, strategy), cell in grouped(runs).items():
        figures = _figures([run.regret for run in cell])
        data.setdefault(table, {}).setdefault(task, {})[strategy] = {
            **figures,
            "to_10_percent": median_evaluations(cell, 0.1),
            "to_1_percent": median_evaluations(cell, 0.01),
            "seconds_per_proposal": float(np.mean([run.seconds_per_proposal for run in cell])),
            "seeds": len(cell),
        }
        in_time = [run.regret_in_time for run in cell if run.regret_in_time is not None]
        if in_time and cell[0].pace is not None:
            pace = {"hours": cell[0].pace / 3600, "workers": cell[0].simulated_workers}
            data[table][task][strategy]["in_time"] = _figures(in_time) | pace
    return data


def _figures(curves: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the area and the regrets of the mean of curves."""
    length = min(len(curve) for curve in curves)
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    return {
        f"area{AREA}": float(np.mean([area(curve[:length]) for curve in curves])),
        "regret": {str(n): float(mean[n - 1]) for n in REPORTED if n <= length},
    }


def ranks(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Rank]:
    """Return each strategy's mean rank by area over the tasks on which all strategies ran.

    The area is over evaluations; over time where trials ran side by side.

    Args:
        figures: what `summary` returned.
    """
    strategies = sorted({s for tasks in figures.values() for by_strategy in tasks.values() for s in by_strategy})
    cells = [by for tasks in figures.values() for by in tasks.values() if set(by) == set(strategies)]
    if not cells:
        return {}
    placed = np.array([rankdata([_ranked_by(by[s]) for s in strategies]) for by in cells])
    rng = np.random.default_rng(0)
    drawn = placed[rng.integers(len(cells), size=(RESAMPLES, len(cells)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    found = zip(strategies, placed.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True)
    return {s: Rank(mean, least, most, len(cells)) for s, mean, least, most in found}


def ranked_over(figures: Mapping[str, Mapping[str, Any]], placed: Mapping[str, Rank]) -> str:
    """Return in words over how many tasks ranks are, of how many there are.

    Example:
        >>> ranked_over({"table": {"up": {}, "down": {}}}, {"random": Rank(1.0, 1.0, 1.0, tasks=1)})
        '1 of 2 tasks, those on which all ran'
    """
    every, tasks = sum(map(len, figures.values())), next(iter(placed.values())).tasks
    return (
        f"all {count(every, 'task')}"
        if tasks == every
        else f"{tasks} of {count(every, 'task')}, those on which all ran"
    )


def _ranked_by(figures: Mapping[str, Any]) -> float:
    in_time = figures.get("in_time")
    return float((in_time if in_time and in_time["workers"] > 1 else figures)[f"area{AREA}"])


def median_evaluations(runs: Iterable[Run], regret: float) -> float | None:
    """Return the median over runs of the evaluations it took to reach a regret; None unless most runs reached it."""
    reached = [evaluations_to(run.regret, regret) for run in runs]
    middle = float(np.median([np.inf if n is None else n for n in reached]))
    return middle if np.isfinite(middle) else None
