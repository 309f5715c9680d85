"""Jacobian covariance: how differently a network reacts to different examples."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import working_copy

STABILITY = 1e-5


def jacob_cov(model: nn.Module, batch: Batch) -> float:
    """Return how near to independent the slopes of the outputs in the inputs are, over the examples.

    With the eigenvalues v of the examples' correlation matrix: -sum(log(v + k) + 1 / (v + k)), k = 1e-5; the more alike
    two examples are, the smaller. It is NaN where an example's slopes do not vary, as without a path from the input.

    Source: Mellor et al. 2020, Neural architecture search without training (version 1).

    Args:
        model: a network with fresh weights.
        batch: two examples or more.
    """
    inputs = batch.inputs.clone().requires_grad_()
    outputs = working_copy(model)(inputs).sum()
    (slopes,) = torch.autograd.grad(outputs, inputs, allow_unused=True) if outputs.requires_grad else (None,)
    if slopes is None:
        return float("nan")
    rows = slopes.flatten(1).double().numpy()
    rows = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not norms.all():
        return float("nan")
    values = np.linalg.eigvalsh((rows / norms) @ (rows / norms).T).clip(0) + STABILITY
    return float(-np.sum(np.log(values) + 1 / values))
