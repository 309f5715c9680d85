"""NASWOT: into how many linear pieces a network cuts the examples apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import working_copy

_NAMES = ("relu", "relu_", "leaky_relu", "leaky_relu_", "gelu", "silu", "silu_", "tanh", "elu", "elu_", "mish", "mish_")
BENT_AT_ZERO = {getattr(torch.ops.aten, name) for name in (*_NAMES, "prelu", "hardtanh", "hardswish", "hardswish_")}
"""Activations, as modules or functions, whose input's sign is one letter of an example's code."""


def naswot(model: nn.Module, batch: Batch) -> float:
    """Return the log-determinant of the kernel of activation codes: how many units tell two examples apart.

    The kernel of two examples is the number of units that are on, or off, for both. It is Mellor's for ReLUs; for other
    activations the sign of their input counts, as that is where they bend. One unit that tells every example apart
    is added, so that the value is finite: 0 for a network without activations, and small where examples share a code.

    Source: Mellor et al. 2021, Neural architecture search without training.

    Args:
        model: a network with fresh weights.
        batch: two examples or more.
    """
    with torch.no_grad(), _Codes(len(batch.inputs)) as codes:
        working_copy(model)(batch.inputs)
    return float(torch.linalg.slogdet(codes.kernel + torch.eye(len(batch.inputs), dtype=torch.float64)).logabsdet)


class _Codes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts, while a network runs, how many units agree on each pair of examples.

    Args:
        examples: how many there are.
    """

    def __init__(self, examples: int):
        super().__init__()  # type: ignore[no-untyped-call]
        self.kernel = torch.zeros(examples, examples, dtype=torch.float64)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function.overloadpacket in BENT_AT_ZERO and len(args[0]) == len(self.kernel):
            self._count(args[0])
        return function(*args, **(kwargs or {}))

    def _count(self, values: Tensor) -> None:
        code = (values.flatten(1) > 0).float()
        self.kernel += code @ code.T + (1 - code) @ (1 - code).T
