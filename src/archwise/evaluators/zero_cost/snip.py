"""SNIP: how much the loss depends on whether each connection is there."""

from __future__ import annotations

from torch import nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import weight_gradients, working_copy


def snip(model: nn.Module, batch: Batch) -> float:
    """Return the sum over all weights of |weight x gradient|: the loss's slope in a mask on each connection.

    Source: Lee et al. 2019, SNIP: single-shot network pruning based on connection sensitivity; summed over a network
    as in Abdelfattah et al. 2021.

    Args:
        model: a network with fresh weights.
        batch: examples with their loss.
    """
    pairs = weight_gradients(working_copy(model), batch)
    return sum(float((weight.detach() * gradient).abs().sum()) for weight, gradient in pairs)
