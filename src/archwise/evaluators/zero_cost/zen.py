"""Zen: how strongly a network of random weights changes its output with its input."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import BATCH_NORMS, NORMS, working_copy

STEP = 0.01
"""How far inputs are moved, in standard deviations."""
DRAWS = 4
"""How often weights and inputs are drawn."""


def zen(model: nn.Module, batch: Batch) -> float:
    """Return the logarithm of how far outputs move with Gaussian inputs, plus what normalisations scaled away.

    Weights are drawn anew from the standard normal distribution, and the mean of a few draws is returned. For each
    normalisation, the logarithm of the standard deviation that it divided by is added. The paper looks at the features
    before pooling; here it is the output, which every network has.

    Source: Lin et al. 2021, Zen-NAS: a zero-shot NAS for high-performance image recognition.

    Args:
        model: a network.
        batch: gives the shape and number of inputs.
    """
    generator = torch.Generator().manual_seed(0)
    model = working_copy(model).double()
    with torch.no_grad():
        return sum(_draw(model, batch.inputs.shape, generator) for _ in range(DRAWS)) / DRAWS


def _draw(model: nn.Module, shape: torch.Size, generator: torch.Generator) -> float:
    """Return the score of one draw of weights and inputs."""
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2:
            parameter.normal_(generator=generator)
        elif name.endswith("bias"):
            parameter.zero_()
    inputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    moved = inputs + STEP * torch.randn(shape, generator=generator, dtype=torch.float64)
    scales: list[Tensor] = []
    hooks = [m.register_forward_hook(_scales_into(scales)) for m in model.modules() if isinstance(m, NORMS)]
    outputs = model(inputs)
    for hook in hooks:
        hook.remove()
    distance = (model(moved) - outputs).flatten(1).norm(dim=1).mean()
    return float(distance.log() + sum(scale.log() for scale in scales))


def _scales_into(scales: list[Tensor]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def note(module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        # Over a batch each channel has one deviation, else each example; the mean variance is what is divided by.
        values = inputs[0].transpose(0, 1) if isinstance(module, BATCH_NORMS) else inputs[0]
        scales.append(values.flatten(1).var(dim=1, correction=0).mean().sqrt())

    return note
