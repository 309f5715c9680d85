"""What a network costs, counted without giving it weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Cost:
    """Static costs of a network, or of a part of one; costs of parts add up.

    Args:
        parameters: number of trainable numbers.
        flops: floating-point operations for one example; a multiply-add counts as two.
        activations: numbers that the layers with parameters give for one example (Radosavovic et al. 2020, Designing
            network design spaces): a measure of memory and speed.
    """

    parameters: int = 0
    flops: int = 0
    activations: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.flops + other.flops, self.activations + other.activations)

    def repeated(self, times: int) -> Cost:
        """Return the cost of computing the same module so many times in a row: its parameters count once."""
        return Cost(self.parameters, times * self.flops, times * self.activations)


def run_counted(module: nn.Module, inputs: torch.Tensor) -> tuple[object, Cost]:
    """Return what a module gives for a batch of inputs, and its cost for one of them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    activations = 0

    def add(_module: nn.Module, _inputs: object, result: object) -> None:
        nonlocal activations
        activations += result.numel() if isinstance(result, torch.Tensor) else 0

    for inner in module.modules():
        if next(inner.parameters(recurse=False), None) is not None:
            inner.register_forward_hook(add)
    with FlopCounterMode(display=False) as counter:
        result = module(inputs)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return result, Cost(parameters, counter.get_total_flops() // len(inputs), activations // len(inputs))
