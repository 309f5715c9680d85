"""Fisher: how much the loss depends on whether each channel is there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import LINEAR, working_copy


def fisher(model: nn.Module, batch: Batch) -> float:
    """Return the sum over the channels of all linear layers and convolutions of their Fisher information.

    A channel's is half the mean over examples of the square of (activation x slope of the example's loss), summed over
    positions.

    Source: Theis et al. 2018, Faster gaze prediction with dense networks and Fisher pruning; summed over a network as
    in Turner et al. 2020, BlockSwap.

    Args:
        model: a network with fresh weights.
        batch: examples with their loss.
    """
    model = working_copy(model)
    activations: list[tuple[nn.Module, Tensor]] = []

    def keep(module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        activations.append((module, output))
        return output.clone()  # what follows may change it in place

    for module in model.modules():
        if isinstance(module, LINEAR):
            module.register_forward_hook(keep)
    # The sum over examples, so that slopes are those of each example's own loss.
    loss = batch.loss(model(batch.inputs), batch.targets) * len(batch.inputs)
    reached = [(module, activation) for module, activation in activations if activation.requires_grad]
    if not reached:
        return 0.0
    slopes = torch.autograd.grad(loss, [activation for _, activation in reached], allow_unused=True)
    return sum(
        _information(module, activation.detach() * slope)
        for (module, activation), slope in zip(reached, slopes, strict=True)
        if slope is not None
    )


def _information(module: nn.Module, products: Tensor) -> float:
    """Return half the mean square of the products, summed over positions; a linear layer's channels come last."""
    channels = products.movedim(-1, 1) if isinstance(module, nn.Linear) else products
    return float(0.5 * channels.reshape(*channels.shape[:2], -1).sum(2).square().mean(0).sum())
