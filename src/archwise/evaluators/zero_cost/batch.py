"""The few examples on which networks are scored without training."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from archwise.evaluators.batches import Examples, Order
from archwise.signature import Signature
from archwise.tasks.task import Task

Loss = Callable[[Tensor, Tensor], Tensor]
"""(raw outputs, targets) -> the mean loss of a batch."""


class Batch(NamedTuple):
    """Examples with their targets and their loss.

    Args:
        inputs: (examples, *input), float32, on the CPU.
        targets: class numbers, or standardised values.
        loss: the task's loss.
    """

    inputs: Tensor
    targets: Tensor
    loss: Loss


def task_batch(task: Task, size: int, seed: int) -> Batch:
    """Return the first training batch of a task.

    Args:
        task: the task; only its training split is read.
        size: examples; all there are if these are fewer.
        seed: decides the order of the examples.
    """
    examples = Examples([task.arrays("train")], torch.device("cpu"))
    inputs, targets = examples.take(Order(len(examples), size, seed).batch(0))
    return Batch(inputs, targets, squared_error if task.problem == "regression" else F.cross_entropy)


def random_batch(signature: Signature, size: int, seed: int) -> Batch:
    """Return Gaussian inputs with random targets, for where there are shapes but no data.

    Args:
        signature: the shapes; one output is a regression.
        size: examples.
        seed: of the random numbers.

    Example:
        >>> batch = random_batch(Signature((3, 8, 8), 10, "image"), 4, seed=0)
        >>> batch.inputs.shape, batch.targets.shape, batch.targets.dtype
        (torch.Size([4, 3, 8, 8]), torch.Size([4]), torch.int64)
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(size, *signature.input, generator=generator)
    if signature.outputs == 1:
        return Batch(inputs, torch.randn(size, generator=generator), squared_error)
    return Batch(inputs, torch.randint(signature.outputs, (size,), generator=generator), F.cross_entropy)


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of the one output.

    Example:
        >>> squared_error(torch.tensor([[1.0], [3.0]]), torch.tensor([1.0, 1.0])).item()
        2.0
    """
    return F.mse_loss(outputs[:, 0], targets)
