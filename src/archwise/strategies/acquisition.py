"""What a surrogate's prediction promises."""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, ndtr


def log_expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """Return the logarithm of the expected improvement over a value, exact also where it is tiny.

    Source: Ament et al. 2023, Unexpected improvements to expected improvement for Bayesian optimization.

    Args:
        mean: what is predicted.
        deviation: its standard deviation, above 0.
        best: the value to improve on.

    Example:
        >>> log_expected_improvement(np.array([0.0, -60.0]), np.ones(2), 0.0).round(2).tolist()
        [-0.92, -1809.11]
    """
    z = (mean - best) / deviation
    near = np.maximum(z, -1.0)
    density = np.exp(-0.5 * near**2) / np.sqrt(2 * np.pi)
    far = np.minimum(z, -1.0)
    tail = -0.5 * far**2 - 0.5 * np.log(2 * np.pi) + np.log1p(far * np.sqrt(np.pi / 2) * erfcx(-far / np.sqrt(2)))
    result: np.ndarray = np.log(deviation) + np.where(z > -1, np.log(density + near * ndtr(near)), tail)
    return result
