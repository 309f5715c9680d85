"""Running a network over many examples."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archwise.evaluators.precision import Precision


def forward(
    model: nn.Module, x: Tensor, batch_size: int, device: torch.device, precision: Precision = nullcontext
) -> Tensor:
    """Return a model's raw outputs for all of x, in evaluation mode, on the CPU as float32.

    Args:
        model: on `device`; its mode (training or evaluation) is as before afterwards.
        x: (examples, *input), anywhere.
        batch_size: examples a pass; it bounds memory and does not change what is computed.
        device: where the model is.
        precision: float32 unless told otherwise.
    """
    training = model.training
    model.eval()
    # no_grad, not inference_mode: a layer may keep a tensor that it makes here and use it in training later.
    with torch.no_grad(), precision():
        starts = range(0, max(1, len(x)), batch_size)  # no examples are one empty pass
        chunks = (x[start : start + batch_size] for start in starts)
        outputs = [model(chunk.to(device)).float().cpu() for chunk in chunks]
    model.train(training)
    return torch.cat(outputs)


def predict(
    model: nn.Module, x: NDArray[np.float32], batch_size: int = 512, device: str = "cpu"
) -> NDArray[np.float32]:
    """Return a model's raw outputs (logits, or standardised regression values) for preprocessed examples.

    Args:
        model: a network for these examples; moved to `device`.
        x: (examples, *input), float32.
        batch_size: examples a pass; it bounds memory.
        device: "cpu" or "cuda".

    Returns:
        (examples, outputs), float32.

    Example:
        >>> predict(torch.nn.Identity(), np.ones((5, 2), np.float32), batch_size=2).shape
        (5, 2)
    """
    place = torch.device(device)
    outputs = forward(model.to(place), torch.from_numpy(np.array(x, np.float32)), batch_size, place)
    result: NDArray[np.float32] = outputs.numpy()
    return result
