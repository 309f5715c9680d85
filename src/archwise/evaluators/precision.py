"""Mixed precision where the machine computes faster with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

Precision = Callable[[], AbstractContextManager[Any]]
"""Makes the context in which forward passes run."""


def has_bfloat16(device: torch.device) -> bool:
    """Say whether a device has instructions of its own for bfloat16 (emulated ones are slower than
    float32)."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Not on the CPU: with PyTorch 2.13, weight gradients of some small bfloat16 convolutions are now and then NaN.
    return False


def choose_precision(model: nn.Module, example: Tensor) -> Precision:
    """Return bfloat16 autocast where it is faster and the network can take it, and plain float32 elsewhere.

    bfloat16 has float32's range, so gradients need no scaling, whose history a checkpoint would have to
    carry. A user's own layer that mixes types by hand may work in float32 only, so the network is tried first.

    Args:
        model: on the example's device.
        example: one example with a batch axis: (1, *input).
    """
    device = example.device
    if not has_bfloat16(device):
        return nullcontext
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            model(example)
    except RuntimeError:
        return nullcontext
    finally:
        model.train(training)
    return lambda: torch.autocast(device.type, torch.bfloat16)
