"""The surrogate of predictor-guided search: a few neural networks that disagree where they know little."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

WIDTH = 64
"""Units of each hidden layer."""
EPOCHS = 150
"""Steps of training, each on all trials."""
LEARNING_RATE = 0.01


class Ensemble:
    """Perceptrons with three hidden layers, each with its own initial weights, trained side by side.

    Source: White et al. 2021, BANANAS: Bayesian optimization with neural architectures for neural architecture search.

    Args:
        members: how many networks.
        seed: of the initial weights.
    """

    def __init__(self, members: int, seed: int):
        self.members = members
        self.seed = seed

    def fit(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Train on (n, columns) and (n,) values of a spread of about 1, by the mean absolute error."""
        generator = torch.Generator().manual_seed(self.seed)
        sizes = [rows.shape[1], WIDTH, WIDTH, WIDTH, 1]
        self._weights = [
            torch.randn(self.members, a, b, generator=generator).mul_((2 / max(1, a)) ** 0.5).requires_grad_()
            for a, b in pairwise(sizes)
        ]
        self._biases = [torch.zeros(self.members, 1, b, requires_grad=True) for b in sizes[1:]]
        optimizer = torch.optim.Adam([*self._weights, *self._biases], lr=LEARNING_RATE)
        inputs, targets = torch.tensor(rows, dtype=torch.float32), torch.tensor(values, dtype=torch.float32)
        for step in range(EPOCHS):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / EPOCHS)
            optimizer.zero_grad()
            (self._forward(inputs) - targets).abs().mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of the networks' predictions for each row, and their standard deviation."""
        with torch.no_grad():
            predicted = self._forward(torch.tensor(rows, dtype=torch.float32)).double().numpy()
        return predicted.mean(axis=0), predicted.std(axis=0, ddof=1)

    def _forward(self, inputs: Tensor) -> Tensor:
        values = inputs.expand(self.members, *inputs.shape)
        for number, (weights, biases) in enumerate(zip(self._weights, self._biases, strict=True)):
            values = (values.relu() if number else values) @ weights + biases
        return values[:, :, 0]
