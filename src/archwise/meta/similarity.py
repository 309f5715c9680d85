"""How much each past task resembles a new one, by the numbers that describe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

FARTHEST = 3.0
"""Most that one number can part two tasks, in standard deviations: none decides alone."""


def similarity(new: Mapping[str, float] | None, past: Sequence[Mapping[str, float] | None]) -> np.ndarray:
    """Return the weights of past tasks by their resemblance to a new one; together they are 1.

    Every number is scaled by its spread over all tasks at hand. A task's distance is the root mean square of the
    differences in the numbers that both have, and its weight exp(-(distance / median distance)^2), so that weights
    depend on which past tasks are nearer than others alone. A task without a description weighs as much as the
    others do on average.

    Args:
        new: what `describe_task` says of the new task; None weighs all alike.
        past: the same of past tasks; None where not known.

    Returns:
        Weights from 0 to 1 in the order of `past`.

    Example:
        >>> similarity({"rows": 5.0}, [{"rows": 5.1}, {"rows": 9.0}, None]).round(2)
        array([0.62, 0.05, 0.33])
    """
    weights = np.full(len(past), 1 / max(1, len(past)))
    distances = _distances(new or {}, past)
    known = np.isfinite(distances)
    if known.any():
        apart = distances[known]
        usual = np.median(apart[apart > 0]) if apart.any() else 1.0
        kernel = np.exp(-((apart / usual) ** 2))
        weights[known] = kernel / kernel.sum() * known.mean()
    return weights


def _distances(new: Mapping[str, float], past: Sequence[Mapping[str, float] | None]) -> np.ndarray:
    """Return the distance of each past task; infinite where nothing is known that both have."""
    names = sorted(new)
    table = np.array([[(task or {}).get(name, np.nan) for name in names] for task in [new, *past]], dtype=float)
    table[~np.isfinite(table)] = np.nan
    distances = np.full(len(past), np.inf)
    shared = ~np.isnan(table[1:] - table[:1])
    some = shared.any(axis=1)
    if some.any():
        apart = np.where(shared, np.abs(table[1:] - table[:1]) / _spreads(table), 0.0)
        squares = np.minimum(apart, FARTHEST) ** 2
        distances[some] = np.sqrt(squares[some].sum(axis=1) / shared[some].sum(axis=1))
    return distances


def _spreads(table: np.ndarray) -> np.ndarray:
    """Return each column's robust standard deviation; the plain one where most values are equal, 1 where all are."""
    spreads = np.ones(table.shape[1])
    for i, column in enumerate(table.T):
        present = column[~np.isnan(column)]
        if len(present):
            robust = 1.4826 * np.median(np.abs(present - np.median(present)))
            spreads[i] = robust or present.std() or 1.0
    return spreads
