"""What a network costs: parameters, arithmetic, memory and time for one example."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archwise.evaluators.failures import TrainingError

LATENCY_SECONDS = 0.015
"""Time for measuring latency; a network slower than that is timed once."""


def parameters(model: nn.Module) -> int:
    """Return how many learnable numbers a network has; shared ones count once.

    Example:
        >>> parameters(nn.Linear(3, 2))
        8
    """
    return sum(parameter.numel() for parameter in model.parameters())


def flops(model: nn.Module, example: Tensor, outputs: int) -> int:
    """Return the floating-point operations of one example's forward pass: twice the multiply-adds of all
    convolutions, matrix products and attentions, as torch counts them.

    Args:
        model: the network; its mode is as before afterwards.
        example: one example with a batch axis: (1, *input).
        outputs: how many numbers the network must return.

    Raises:
        TrainingError: the network returns something else than (1, outputs).

    Example:
        >>> flops(nn.Linear(3, 2), torch.zeros(1, 3), 2)
        12
    """
    training = model.training
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        result = model(example)
    model.train(training)
    if not isinstance(result, Tensor) or result.shape != (1, outputs):
        found = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise TrainingError(f"the network returns {found} for one example instead of {(1, outputs)}")
    return int(counter.get_total_flops())


def latency_ms(model: nn.Module, example: Tensor) -> float:
    """Return the median time of a forward pass over one example in milliseconds, where the example lies.

    Args:
        model: the network, on the example's device; its mode is as before afterwards.
        example: one example with a batch axis: (1, *input).
    """
    training = model.training
    model.eval()
    times: list[float] = []
    with torch.no_grad():
        model(example)
        wait_for(example)
        end = time.perf_counter() + LATENCY_SECONDS
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            model(example)
            wait_for(example)
            times.append(time.perf_counter() - start)
    model.train(training)
    return 1000 * statistics.median(times)


def wait_for(example: Tensor) -> None:
    """Wait until the device where an example lies has done all that was asked of it."""
    if example.is_cuda:
        torch.cuda.synchronize()


class ActivationMemory:
    """Counts the bytes that a training step keeps from its forward pass for its backward pass.

    A process's resident memory says little of one training in a worker that has trained others before, since
    freed memory stays with the process. So memory is counted: the same network and batch always cost the
    same.

    Args:
        model: its parameters are not counted here.

    Example:
        >>> layer = nn.Linear(4, 4)
        >>> memory = ActivationMemory(layer)
        >>> with memory.watch():
        ...     _ = layer(torch.zeros(2, 4)).sigmoid()
        >>> memory.bytes
        64
    """

    def __init__(self, model: nn.Module) -> None:
        self._seen = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        self.bytes = 0

    def _count(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self.bytes += storage.nbytes()
        return tensor

    def watch(self) -> torch.autograd.graph.saved_tensors_hooks:
        """Return the context in which a forward pass is counted; what it computes is unchanged."""
        return torch.autograd.graph.saved_tensors_hooks(self._count, lambda tensor: tensor)
