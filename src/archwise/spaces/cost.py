"""What a network costs, counted without giving it weights."""

from __future__ import annotations

from dataclasses import dataclass

from archwise.spaces.plan import Call, Shape


@dataclass(frozen=True)
class Cost:
    """Static costs of a network.

    Args:
        parameters: number of trainable numbers.
        flops: floating-point operations for one example; a multiply-add counts as two.
        activations: numbers that the layers give for one example: what training must keep in memory.
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

    activations = 0

    def count(_module: torch.nn.Module, _inputs: object, result: object) -> None:
        nonlocal activations
        activations += result.numel() if isinstance(result, torch.Tensor) else 0

    with torch.device("meta"), torch.no_grad():
        model = call.build().eval()
        for module in model.modules():
            if not list(module.children()):
                module.register_forward_hook(count)
        with FlopCounterMode(display=False) as counter:
            model(torch.empty(1, *shape))
    return Cost(sum(p.numel() for p in model.parameters()), counter.get_total_flops(), activations)
