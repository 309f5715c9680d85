"""Scaling numbers by the statistics of the training split.

The text of this file is also part of every exported model.py: it imports nothing of archwise or `__future__`.
"""

from typing import Any

import numpy as np


class InputError(ValueError):
    """Data that cannot be read or is not in the training source's form; one sentence names what and the remedy."""


def scale_numbers(values: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Impute the median, squash, standardise; append an indicator for each column that training found incomplete."""
    missing = np.isnan(values)
    squashed = squash(np.where(missing, arrays["center"], values), arrays["center"], arrays["spread"])
    scaled = (squashed - arrays["mean"]) / arrays["scale"]
    return np.concatenate([scaled, missing[:, arrays["indicated"]]], axis=1).astype(np.float32)


def squash(values: np.ndarray, center: Any, spread: Any) -> np.ndarray:
    """Scale robustly, clip smoothly to (-3, 3) for heavy tails' sake (Holzmueller et al. 2024, Better by Default)."""
    with np.errstate(over="ignore"):
        z = (np.clip(values, -1e150, 1e150) - center) / spread
    z = np.clip(z, -1e6, 1e6)
    result: np.ndarray = z / np.hypot(1.0, z / 3.0)
    return result
