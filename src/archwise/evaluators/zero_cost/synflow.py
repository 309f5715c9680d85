"""SynFlow: how much flows through a network from its input to its output, whatever the data."""

from __future__ import annotations

import torch
from torch import nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import NORMS, weights, working_copy

STRAIGHT = (nn.GELU, nn.SiLU, nn.Mish, nn.Tanh, nn.ELU, nn.SELU, nn.CELU, nn.Softplus, nn.Hardswish, nn.Hardtanh)
"""Activations in whose place the input passes, as it does through a ReLU where all is positive."""


def synflow(model: nn.Module, batch: Batch) -> float:
    """Return the logarithm of the sum over all weights of |weight x slope of the output| for an input of ones.

    All parameters are replaced by their absolute values; normalisations are left out, and so are other activations than
    the ReLU's family, which would saturate. Without biases, the sum is (number of layers) x (what comes out).

    Source: Tanaka et al. 2020, Pruning neural networks without any data by iteratively conserving synaptic flow; summed
    over a network as in Abdelfattah et al. 2021.

    Args:
        model: a network with fresh weights.
        batch: gives the shape of an example.
    """
    model = working_copy(model).double().eval()
    for module in model.modules():
        if isinstance(module, (*NORMS, *STRAIGHT)):
            module.forward = _pass_on  # type: ignore[method-assign]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    learning = weights(model)
    if not learning:
        return float("-inf")
    flow = model(torch.ones_like(batch.inputs[:1], dtype=torch.float64)).sum()
    slopes = torch.autograd.grad(flow, learning, allow_unused=True)
    total = sum(
        (w.detach() * slope).abs().sum() for w, slope in zip(learning, slopes, strict=True) if slope is not None
    )
    return float(torch.as_tensor(total).log())


def _pass_on(x: torch.Tensor) -> torch.Tensor:
    return x
