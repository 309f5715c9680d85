"""A network together with all that it learns with: optimiser, loss, augmentation, precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archwise.evaluators import costs
from archwise.evaluators.augment import augmentation
from archwise.evaluators.optimization import Optimizer
from archwise.evaluators.precision import choose_precision
from archwise.evaluators.predict import forward
from archwise.tasks.task import Task

VALIDATION_BATCH = 256
"""Examples a pass where nothing is learned: enough to be fast, few enough to stay in the processor's
cache."""


class Learner:
    """A network that learns a task batch by batch.

    Args:
        model: a network for the task, on any device; it is moved and stays this learner's.
        task: gives the loss (cross-entropy, or the mean squared error of the standardised target) and the
            shapes.
        settings: the recipe, see `TrainingJob`.
        example: one example with a batch axis, (1, *input), on the device where everything is to happen.

    Raises:
        TrainingError: the network returns something else than the task needs.
        ValueError: the recipe names an unknown optimiser.
    """

    def __init__(self, model: nn.Module, task: Task, settings: Mapping[str, Any], example: Tensor) -> None:
        kind = task.signature.kind
        self.device = example.device
        self.model = model.to(self.device).train()
        if kind == "image":
            # Convolutions compute in this layout anyway: without it they convert there and back (a fifth
            # slower).
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parameters = costs.parameters(self.model)
        self.flops = costs.flops(self.model, example, task.signature.outputs)
        self.precision = choose_precision(self.model, example)
        self.optimizer = Optimizer(self.model, settings)
        self._regression = task.problem == "regression"
        self._augment = augmentation(kind, settings.get("augmentation", "none"))
        self._smoothing = float(settings.get("label_smoothing", 0.0))
        self._class_weights: Tensor | None = None
        if settings.get("class_weights") and not self._regression:
            counts = torch.tensor(task.class_counts, dtype=torch.float32, device=self.device).clamp_min(1)
            self._class_weights = counts.sum() / (len(counts) * counts)

    def step(self, x: Tensor, y: Tensor, rate: float) -> Tensor:
        """Learn from one batch.

        Args:
            x, y: the batch, on the device.
            rate: share of the recipe's learning rate.

        Returns:
            The loss before the step, as a tensor that nothing has waited for.
        """
        loss = self._loss(x, y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step(rate)
        return loss.detach()

    def step_counting(self, x: Tensor, y: Tensor, rate: float) -> tuple[Tensor, int]:
        """Learn from one batch as `step` does, and also return the bytes that this takes.

        These are the weights, their gradients, the optimiser's state, and what the forward pass keeps for the
        backward pass.
        """
        memory = costs.ActivationMemory(self.model)
        with memory.watch():
            loss = self._loss(x, y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step(rate)
        held = [*self.model.parameters(), *self.model.state_dict().values(), *self.optimizer.state().values()]
        return loss.detach(), memory.bytes + sum(tensor.nbytes for tensor in held)

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        with self.precision():
            outputs = self.model(x if self._augment is None else self._augment(x))
        if self._regression:
            return F.mse_loss(outputs.float()[:, 0], y)
        return F.cross_entropy(outputs.float(), y, weight=self._class_weights, label_smoothing=self._smoothing)

    def evaluate(self, x: Tensor, y: Tensor) -> tuple[Tensor, float]:
        """Return (raw outputs, plain loss) for examples on the CPU, without learning from them."""
        outputs = forward(self.model, x, VALIDATION_BATCH, self.device, self.precision)
        loss = F.mse_loss(outputs[:, 0], y) if self._regression else F.cross_entropy(outputs, y)
        return outputs, loss.item()
