"""The optimiser that a recipe names, and its state as plain tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

CLIP_NORM = 5.0
"""Largest norm of the gradient of all parameters together; longer ones are shortened to it."""


class Optimizer:
    """AdamW, or SGD with Nesterov momentum 0.9, with gradient clipping and a learning rate given step by
    step.

    Weight decay acts on matrices and kernels, not on biases and normalisations, where it only hurts.

    Args:
        model: its parameters are trained.
        settings: "optimizer" ("adamw" or "sgd"), "learning_rate" (the peak), "weight_decay".

    Raises:
        ValueError: the optimiser's name is unknown.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> optimizer = Optimizer(model, {"optimizer": "sgd", "learning_rate": 0.1})
        >>> model(torch.ones(1, 2)).sum().backward()
        >>> optimizer.step(rate=1.0)
        >>> sorted(optimizer.state())
        ['0/momentum_buffer', '1/momentum_buffer']
    """

    def __init__(self, model: nn.Module, settings: Mapping[str, Any]) -> None:
        self.peak = float(settings.get("learning_rate", 1e-3))
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        decay = float(settings.get("weight_decay", 0.0))
        groups = [
            {"params": [p for p in self._parameters if p.ndim >= 2], "weight_decay": decay},
            {"params": [p for p in self._parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        name = settings.get("optimizer", "adamw")
        self._optimizer: torch.optim.Optimizer
        if name == "adamw":
            self._optimizer = torch.optim.AdamW(groups, lr=self.peak, fused=True)
        elif name == "sgd":
            self._optimizer = torch.optim.SGD(groups, lr=self.peak, momentum=0.9, nesterov=True, fused=True)
        else:
            raise ValueError(f"The optimizer {name!r} is unknown: choose adamw or sgd.")

    def step(self, rate: float) -> None:
        """Move the weights at this share of the peak learning rate, and forget the gradients."""
        torch.nn.utils.clip_grad_norm_(self._parameters, CLIP_NORM)
        for group in self._optimizer.param_groups:
            group["lr"] = self.peak * rate
        self._optimizer.step()
        self._optimizer.zero_grad()

    def state(self) -> dict[str, Tensor]:
        """Return the state as tensors by "number of the parameter/name"."""
        state = self._optimizer.state
        return {
            f"{number}/{name}": tensor
            for number, parameter in enumerate(self._parameters)
            for name, tensor in state.get(parameter, {}).items()
        }

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over a state that `state` returned, in the memory layout of the parameters."""
        for key, tensor in tensors.items():
            number, name = key.split("/")
            parameter = self._parameters[int(number)]
            own = (
                torch.empty_like(parameter)
                if tensor.shape == parameter.shape
                else torch.empty_like(tensor, device=parameter.device)
            )
            self._optimizer.state[parameter][name] = own.copy_(tensor)
