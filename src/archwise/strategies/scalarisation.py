"""What an evaluation promises where several objectives are weighed against each other."""

from __future__ import annotations

import numpy as np

SUM = 0.05
"""What the sum of all gaps counts beside the largest one, so that nothing is given away where it is free."""
SOFTNESS = 0.01
"""How sharply improvements begin; without any softness, all that no draw improves would look alike."""


def chebyshev(values: np.ndarray, weights: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Return minus the largest weighted gap to the best that is reached in each objective; larger is better.

    Source: Knowles 2006, ParEGO: a hybrid algorithm with on-line landscape approximation for expensive multiobjective
    optimization problems.

    Args:
        values: (..., objectives), to be made large.
        weights: (objectives,), which add up to 1.
        front: (members, objectives), whose spread in each objective counts as 1.

    Example:
        >>> front = np.array([[0.0, 10.0], [2.0, 0.0]])
        >>> chebyshev(np.array([[2.0, 10.0], [1.0, 10.0]]), np.array([0.5, 0.5]), front).round(2).tolist()
        [0.0, -0.26]
    """
    span = np.ptp(front, axis=0)
    gaps = weights * (front.max(axis=0) - values) / np.where(span > 0, span, 1.0)
    result: np.ndarray = -(gaps.max(axis=-1) + SUM * gaps.sum(axis=-1)) + 0.0
    return result


def expected_chebyshev_improvement(
    mean: np.ndarray, deviation: np.ndarray, front: np.ndarray, weights: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """Return by how much each candidate is expected to improve on the front's best `chebyshev` value.

    Source: each objective with a model of its own, and draws from all: Daulton et al. 2020, Differentiable expected
    hypervolume improvement for parallel multi-objective Bayesian optimization (qParEGO).

    Args:
        mean: (candidates, objectives), what is predicted.
        deviation: (candidates, objectives), the predictions' standard deviations.
        front, weights: as for `chebyshev`.
        draws: (draws, objectives) from the standard normal distribution.
    """
    drawn = mean + deviation * draws[:, None]
    gain = chebyshev(drawn, weights, front) - chebyshev(front, weights, front).max()
    result: np.ndarray = SOFTNESS * np.logaddexp(0.0, gain / SOFTNESS).mean(axis=0)
    return result
