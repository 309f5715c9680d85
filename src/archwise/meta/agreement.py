"""Ranks, and how far two lists of scores agree in them."""

from __future__ import annotations

import numpy as np


def places(values: np.ndarray) -> np.ndarray:
    """Return the place of each value among all, 1 for the smallest; equal ones share the mean of theirs.

    Example:
        >>> places(np.array([0.5, 9.0, 0.5])).tolist()
        [1.5, 3.0, 1.5]
    """
    from scipy.stats import rankdata  # takes half a second, and not every search needs it

    found: np.ndarray = rankdata(values)
    return found


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation; 0 where either is constant.

    Example:
        >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
        1.0
    """
    one, other = places(first), places(second)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1].round(12))
