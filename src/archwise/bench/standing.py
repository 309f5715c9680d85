"""How strategies stand on a table: means over its tasks, with their standard errors over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from archwise.bench.curves import AREA, area
from archwise.bench.results import Run
from archwise.bench.summary import grouped, median_evaluations

BASELINE = "random"
"""The strategy that others are held against, task by task."""


@dataclass(frozen=True)
class Course:
    """How the regret of searches went down.

    Args:
        curve: the mean regret after 1, 2, ... evaluations, or that many times an average training takes.
        errors: its standard error over seeds at each; not a number where there is one seed.
        area: the mean regret over the first of these.
        area_error: its standard error over seeds.
    """

    curve: np.ndarray
    errors: np.ndarray
    area: float
    area_error: float


@dataclass(frozen=True)
class Standing:
    """How a strategy stands on a table.

    Args:
        course: its regret over evaluations.
        in_time: its regret over simulated time; None where the table has no times.
        to_10_percent: the median over tasks and seeds of the evaluations to 10 % regret; None if most did not reach it.
        to_1_percent: to 1 % regret.
        seconds_per_proposal: what it thought for a proposal.
        worst_task: the task on which it does worst against random search, None where that did not run.
        worst_errors: its area there less that of random search, in standard errors of the difference.
        seeds: searches on each task.
    """

    course: Course
    in_time: Course | None
    to_10_percent: float | None
    to_1_percent: float | None
    seconds_per_proposal: float
    worst_task: str | None
    worst_errors: float | None
    seeds: int


def standings(runs: Iterable[Run]) -> dict[str, dict[str, Standing]]:
    """Return {table: {strategy: its standing}}, best first, of the strategies that ran with all seeds on all tasks.

    Args:
        runs: what ran. The mean over tasks comes before the error over seeds: tasks are given, seeds are drawn.
    """
    cells = grouped(runs)
    tables: dict[str, dict[str, Standing]] = {}
    for table in dict.fromkeys(table for table, _, _ in cells):
        tasks = list(dict.fromkeys(task for found, task, _ in cells if found == table))
        seeds = {run.seed for (found, _, _), cell in cells.items() if found == table for run in cell}
        of_strategy: dict[str, dict[str, list[Run]]] = {}
        for (found, task, strategy), cell in cells.items():
            if found == table and {run.seed for run in cell} == seeds:
                of_strategy.setdefault(strategy, {})[task] = cell
        complete = {strategy: by for strategy, by in of_strategy.items() if len(by) == len(tasks)}
        found_standings = {s: _standing(s, by, complete.get(BASELINE)) for s, by in complete.items()}
        tables[table] = dict(sorted(found_standings.items(), key=lambda item: item[1].course.area))
    return tables


def _standing(strategy: str, by_task: dict[str, list[Run]], baseline: dict[str, list[Run]] | None) -> Standing:
    runs = [run for cell in by_task.values() for run in cell]
    timed = [[run.regret_in_time for run in cell if run.regret_in_time] for cell in by_task.values()]
    against = {}
    if baseline is not None and strategy != BASELINE:
        against = {task: _behind(cell, baseline[task]) for task, cell in by_task.items()}
    worst = max(against, key=lambda task: against[task], default=None)
    return Standing(
        course=_course([[run.regret for run in cell] for cell in by_task.values()]),
        in_time=_course(timed) if all(timed) else None,
        to_10_percent=median_evaluations(runs, 0.1),
        to_1_percent=median_evaluations(runs, 0.01),
        seconds_per_proposal=float(np.mean([run.seconds_per_proposal for run in runs])),
        worst_task=worst,
        worst_errors=against[worst] if worst is not None else None,
        seeds=min(map(len, by_task.values())),
    )


def _course(curves: Sequence[Sequence[Sequence[float]]]) -> Course:
    """Return the mean of curves, of which each task has one for each seed."""
    length = min(len(curve) for cell in curves for curve in cell)
    means = np.mean([[curve[:length] for curve in cell] for cell in curves], axis=0)  # (seeds, length)
    areas = means[:, :AREA].mean(axis=1)
    return Course(means.mean(axis=0), _error(means), float(areas.mean()), float(_error(areas)))


def _behind(ours: Sequence[Run], theirs: Sequence[Run]) -> float:
    """Return how far the area of some runs is above that of others, in standard errors of the difference."""
    a, b = (np.array([area(run.regret) for run in runs]) for runs in (ours, theirs))
    return float((a.mean() - b.mean()) / max(np.hypot(_error(a), _error(b)), 1e-12))


def _error(values: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over the first axis; NaN for a single value."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    error: np.ndarray = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return error
