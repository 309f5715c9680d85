"""The norm of the first gradient as a zero-cost proxy."""

from __future__ import annotations

from torch import nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import weight_gradients, working_copy


def grad_norm(model: nn.Module, batch: Batch) -> float:
    """Return the sum of the Euclidean norms of the loss's gradient in each weight.

    Source: Abdelfattah et al. 2021, Zero-cost proxies for lightweight NAS.

    Args:
        model: a network with fresh weights.
        batch: examples with their loss.
    """
    return sum(float(gradient.norm()) for _, gradient in weight_gradients(working_copy(model), batch))
