"""What an evaluation promises where there are several objectives: more hypervolume."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from archwise.pareto import non_dominated, select

MOST_BOXES = 2000
"""Into how many boxes the room above a front is cut at most; of larger fronts the least crowded members count."""


def expected_hypervolume_improvement(
    mean: np.ndarray, deviation: np.ndarray, front: np.ndarray, reference: np.ndarray
) -> np.ndarray:
    """Return by how much each candidate is expected to enlarge the volume that a front dominates, exactly.

    The room above the reference that the front leaves is cut into boxes. What a candidate dominates of a box is a
    product over the objectives, which are independent, so its expectation is a product of one-dimensional ones.

    Source: Emmerich et al. 2011, Hypervolume-based expected improvement; boxes for any number of objectives: Yang et
    al. 2019, Efficient computation of expected hypervolume improvement using box decomposition algorithms.

    Args:
        mean: (candidates, objectives), what is predicted; all objectives are to be made large.
        deviation: (candidates, objectives), the predictions' standard deviations; 0 where a value is known.
        front: (members, objectives), what is reached already.
        reference: (objectives,), what is not above it in all objectives is worth nothing.

    Example:
        >>> front, reference = np.array([[1.0, 2.0], [2.0, 1.0]]), np.zeros(2)
        >>> known = np.array([[2.0, 2.0], [1.0, 1.0], [3.0, 0.5]])
        >>> expected_hypervolume_improvement(known, np.zeros((3, 2)), front, reference).tolist()
        [1.0, 0.0, 0.5]
    """
    lower, upper = free_boxes(_thinned(front), reference)
    result = np.ones((len(mean), len(lower)))
    for i in range(mean.shape[1]):
        edges, places = np.unique(np.concatenate([lower[:, i], upper[:, i]]), return_inverse=True)
        beyond = _expected_excess(mean[:, i, None], deviation[:, i, None], edges[None])
        below, above = places[: len(lower)], places[len(lower) :]
        result *= np.maximum(beyond[:, below] - beyond[:, above], 0.0)
    total: np.ndarray = result.sum(axis=1)
    return total


def free_boxes(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper corners of disjoint boxes that fill the room above a reference that no row dominates.

    Example:
        >>> lower, upper = free_boxes(np.array([[1.0, 2.0]]), np.zeros(2))
        >>> lower.tolist(), upper.tolist()
        ([[0.0, 2.0], [1.0, 0.0]], [[inf, inf], [inf, 2.0]])
    """
    front = front[np.all(front > reference, axis=1)]
    if len(reference) == 1:
        return np.array([[max(front[:, 0], default=reference[0])]]), np.array([[math.inf]])
    levels = [math.inf, *sorted(set(front[:, -1].tolist()), reverse=True), float(reference[-1])]
    lowers, uppers = [], []
    for top, bottom in pairwise(levels):
        lower, upper = free_boxes(front[front[:, -1] >= top, :-1], reference[:-1])
        lowers.append(np.insert(lower, lower.shape[1], bottom, axis=1))
        uppers.append(np.insert(upper, upper.shape[1], top, axis=1))
    return np.concatenate(lowers), np.concatenate(uppers)


def _expected_excess(mean: np.ndarray, deviation: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return by how much a normal value is expected to exceed an edge, what falls short of it counting as nothing."""
    missing = mean - edge
    z = missing / np.maximum(deviation, 1e-12)
    spread = deviation * np.exp(-0.5 * np.minimum(np.abs(z), 1e3) ** 2) / math.sqrt(2 * math.pi)
    return np.where(np.isposinf(edge), 0.0, np.nan_to_num(missing, neginf=0.0) * ndtr(z) + spread)


def _thinned(front: np.ndarray) -> np.ndarray:
    """Return as many members of a front as the boxes allow."""
    front = front[non_dominated(front)]
    objectives, most = front.shape[1], len(front)
    while math.comb(most + objectives - 1, objectives - 1) > MOST_BOXES:
        most -= 1
    return front[select(front, most)]
