"""The number of parameters as a zero-cost proxy."""

from __future__ import annotations

from torch import nn

from archwise.evaluators import costs
from archwise.evaluators.zero_cost.batch import Batch


def parameters(model: nn.Module, batch: Batch) -> float:
    """Return how many learnable numbers a network has: the baseline that other proxies must beat.

    Source: White et al. 2022, A deeper look at zero-cost proxies for lightweight NAS.

    Args:
        model: the network.
        batch: not looked at.
    """
    return float(costs.parameters(model))
