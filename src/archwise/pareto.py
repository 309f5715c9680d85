"""Several objectives at once: which trials no other beats in all of them, and how much of the space they dominate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from archwise.trial import Trial

COSTS = ("parameters", "flops", "latency_ms", "memory_bytes", "train_seconds")
"""The costs that every training reports, and so can be minimised on any data."""
FULL = 1 - 1e-9
"""Trials of less fidelity are no members of a Pareto set."""


def pareto_set(trials: Sequence[Trial], minimise: Sequence[str]) -> list[Trial]:
    """Return the fully trained trials of a search that no other one beats, the best score first.

    Args:
        trials: those of a search; what failed, was trained in part, or was evaluated again at the end, is left out.
        minimise: names of costs; a trial that lacks one is worse in it than all that have it. Without any, the best
            score alone is what counts.
    """
    full = [t for t in trials if t.purpose == "search" and t.score is not None and t.fidelity >= FULL]
    front = [full[i] for i in non_dominated(objective_values(full, minimise))]
    return sorted(front, key=lambda trial: (-(trial.score or 0.0), trial.number))


def pareto_rows(trials: Sequence[Trial], objective: str, minimise: Sequence[str]) -> list[dict[str, Any]]:
    """Return the Pareto set as plain data: of each trial its number, the objective's value, each cost, and its choices.

    Args:
        trials: those of a search.
        objective: name of the metric that scores come from.
        minimise: names of costs; one that a trial lacks is None.
    """
    return [
        {"trial": trial.number, objective: trial.outcome.metrics.get(objective)}
        | {name: trial.outcome.costs.get(name) for name in minimise}
        | {"architecture": trial.candidate.architecture.to_json(), "recipe": trial.candidate.recipe.to_json()}
        for trial in pareto_set(trials, minimise)
    ]


def objective_values(trials: Sequence[Trial], minimise: Sequence[str]) -> np.ndarray:
    """Return (trials, 1 + costs): the score, and minus the logarithm of each cost; all are to be made large.

    A cost that is missing or not finite is minus infinity; one of 0 counts as half of the least above it.

    Args:
        trials: finished ones.
        minimise: names of costs.
    """
    scores = [-math.inf if trial.score is None else trial.score for trial in trials]
    return np.array([scores, *(cost_values(trials, name) for name in minimise)], dtype=float).T


def cost_values(trials: Sequence[Trial], name: str) -> np.ndarray:
    """Return minus the logarithm of each trial's cost; see `objective_values`."""
    costs = np.array([trial.outcome.costs.get(name, math.nan) for trial in trials], dtype=float)
    known = np.isfinite(costs)
    least = costs[known & (costs > 0)].min(initial=math.inf)
    floor = least / 2 if math.isfinite(least) else 1.0
    values = np.full(len(costs), -math.inf)
    values[known] = -np.log(np.maximum(costs[known], floor))
    return values


def non_dominated(values: np.ndarray) -> list[int]:
    """Return the rows that no other row dominates: none is at least as large everywhere and larger somewhere.

    Example:
        >>> non_dominated(np.array([[3, 1], [1, 3], [1, 1], [3, 1], [2, 2]]))
        [0, 1, 3, 4]
    """
    # The largest by the first column, then the second, ... is beaten by none of those that are left.
    left = np.lexsort(-values.T[::-1])
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        beaten = np.all(values[best] >= values[left], axis=1) & np.any(values[best] > values[left], axis=1)
        left = left[~beaten]
    return sorted(kept)


def ranks(values: np.ndarray, enough: int | None = None) -> np.ndarray:
    """Return each row's rank: 0 if no row dominates it, 1 if only rows of rank 0 do, and so on.

    Source: Deb et al. 2002, A fast and elitist multiobjective genetic algorithm: NSGA-II.

    Args:
        values: (rows, objectives), to be made large.
        enough: once so many rows have their rank, all others share the next.

    Example:
        >>> ranks(np.array([[3, 1], [1, 1], [0, 0], [1, 3]])).tolist()
        [0, 1, 2, 0]
    """
    result = np.zeros(len(values), dtype=int)
    left = np.arange(len(values))
    while len(left):
        first = non_dominated(values[left])
        left = np.delete(left, first)
        result[left] += 1
        if enough is not None and len(values) - len(left) >= enough:
            break
    return result


def crowding(values: np.ndarray) -> np.ndarray:
    """Return how far each row's neighbours are apart, summed over the objectives; infinity at the ends.

    Source: Deb et al. 2002, A fast and elitist multiobjective genetic algorithm: NSGA-II.

    Args:
        values: (rows, objectives) of rows of one rank; minus infinity counts as the least finite value.

    Example:
        >>> crowding(np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]])).tolist()
        [inf, 2.0, inf]
    """
    distances = np.zeros(len(values))
    for column in values.T:
        finite = column[np.isfinite(column)]
        column = np.nan_to_num(column, neginf=finite.min(initial=math.inf) if len(finite) else 0.0)
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]] if len(order) else 0.0
        if span > 0:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
            distances[[order[0], order[-1]]] = math.inf
    return distances


def select(values: np.ndarray, count: int) -> list[int]:
    """Return the rows that survive, the best first: by rank, and within the last rank that fits in part, by crowding.

    Of that rank the most crowded row leaves, again and again, as where one leaves the others are less crowded.

    Source: Deb et al. 2002, A fast and elitist multiobjective genetic algorithm: NSGA-II; one after another as in
    Kukkonen & Deb 2006, Improved pruning of non-dominated solutions based on crowding distance.

    Args:
        values: (rows, objectives), to be made large.
        count: how many survive; all if there are fewer.
    """
    rank = ranks(values, count)
    survivors: list[int] = []
    level = 0
    while len(survivors) < min(count, len(values)):
        members = np.flatnonzero(rank == level)
        while len(members) > count - len(survivors):
            members = np.delete(members, int(crowding(values[members]).argmin()))
        survivors += members.tolist()
        level += 1
    return survivors


def hypervolume(values: np.ndarray, reference: Sequence[float]) -> float:
    """Return the exact volume that rows dominate above a reference point, for any number of objectives.

    Source: Zitzler & Thiele 1999, Multiobjective evolutionary algorithms; sliced along the last objective, then the
    one before, as in While et al. 2006, A faster algorithm for calculating hypervolume.

    Args:
        values: (rows, objectives), to be made large.
        reference: a value for each objective; what is not above it in all of them adds nothing.

    Example:
        >>> hypervolume(np.array([[2.0, 1.0], [1.0, 2.0]]), [0.0, 0.0])
        3.0
    """
    point = np.array(reference, dtype=float)
    above = values[np.all(values > point, axis=1)]
    if not len(above):
        return 0.0
    if len(point) == 1:
        return float(above.max() - point[0])
    front = above[non_dominated(above)]
    front = front[np.argsort(-front[:, -1], kind="stable")]
    ends = np.append(front[1:, -1], point[-1])
    slices = (
        hypervolume(front[: i + 1, :-1], reference[:-1]) * (top - end)
        for i, (top, end) in enumerate(zip(front[:, -1], ends, strict=True))
        if top > end
    )
    return float(sum(slices))
