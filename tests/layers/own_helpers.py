"""What the layers of test_own_layers.py import: a user's own module."""

from __future__ import annotations

from torch import Tensor

GAIN = 0.5


def gained(x: Tensor) -> Tensor:
    return x * GAIN


def max(x: Tensor) -> Tensor:  # a user may well shadow a builtin
    return x.clamp(max=0.25)
