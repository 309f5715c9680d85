"""GraSP: how much each connection carries of the gradient's flow."""

from __future__ import annotations

import torch
from torch import nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import weight_gradients, working_copy


def grasp(model: nn.Module, batch: Batch) -> float:
    """Return the sum over all weights of -weight x (Hessian x gradient).

    The paper prunes the weights of which this is largest, since the gradient flows better without them; summed over a
    network at its beginning, larger went along with better networks (Abdelfattah et al. 2021). The temperature of the
    outputs is 1.

    Source: Wang et al. 2020, Picking winning tickets before training by preserving gradient flow.

    Args:
        model: a network with fresh weights, of layers that can be differentiated twice.
        batch: examples with their loss.
    """
    pairs = weight_gradients(working_copy(model), batch, create_graph=True)
    flow = sum((gradient * gradient.detach()).sum() for _, gradient in pairs)
    if not isinstance(flow, torch.Tensor) or not flow.requires_grad:
        return 0.0  # no weights, or a gradient that no weight changes
    products = torch.autograd.grad(flow, [weight for weight, _ in pairs], allow_unused=True)
    return -sum(
        float((weight.detach() * product).sum())
        for (weight, _), product in zip(pairs, products, strict=True)
        if product is not None
    )
