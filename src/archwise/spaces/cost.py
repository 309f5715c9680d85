"""What a network costs, counted without giving it weights."""

from __future__ import annotations

from dataclasses import dataclass

from archwise.spaces.plan import Call, Shape, on_meta


@dataclass(frozen=True)
class Cost:
    """Static costs of a network.

    Args:
        parameters: number of trainable numbers.
        flops: floating-point operations for one example; a multiply-add counts as two.
        activations: numbers that the layers with parameters give for one example (Radosavovic et al. 2020, Designing
            network design spaces): a measure of memory and speed.
    """

    parameters: int
    flops: int
    activations: int


def cost_of(call: Call, shape: Shape) -> Cost:
    """Count the cost of the network that a call makes, on torch's meta device.

    Args:
        call: the network's constructor call.
        shape: shape of one example.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def count() -> Cost:
        activations = 0

        def add(_module: torch.nn.Module, _inputs: object, result: object) -> None:
            nonlocal activations
            activations += result.numel() if isinstance(result, torch.Tensor) else 0

        model = call.build().eval()
        for module in model.modules():
            if next(module.parameters(recurse=False), None) is not None:
                module.register_forward_hook(add)
        with FlopCounterMode(display=False) as counter:
            model(torch.ones(1, *shape))
        return Cost(sum(p.numel() for p in model.parameters()), counter.get_total_flops(), activations)

    result: Cost = on_meta(count)
    return result
