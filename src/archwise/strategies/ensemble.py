"""The surrogate of predictor-guided search: a few neural networks that disagree where they know little."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

WIDTH = 64
"""Units of each hidden layer."""
STEPS = 60
"""Steps of training."""
BATCH = 64
"""Rows of a step, where there are more."""
LEARNING_RATE = 0.02
"""Of the first step; it falls to zero in a line."""
DECAY, SQUARE_DECAY = 0.9, 0.999
"""Adam's rates of forgetting gradients and their squares."""
RADIUS = 3.0
"""Root mean square of what rows lie away from their mean, after scaling."""
FIRST_DEVIATION = 0.1
"""Of the first layer's initial weights: small, so that networks begin alike and disagree where they were not taught."""


class Ensemble:
    """Perceptrons with three hidden layers, each with its own initial weights, trained side by side.

    They are written out in NumPy: networks as small as these spend their time between the operations of a library that
    differentiates, not in them.

    Source: White et al. 2021, BANANAS: Bayesian optimization with neural architectures for neural architecture search;
    trained by Kingma & Ba 2015, Adam: a method for stochastic optimization.

    Args:
        members: how many networks.
        seed: of the initial weights and the order of rows.
    """

    def __init__(self, members: int, seed: int):
        self.members = members
        self.seed = seed

    def fit(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Train on (n, columns) and (n,) values of a spread of about 1, by the mean absolute error."""
        rng = np.random.default_rng(self.seed)
        self._mean = rows.mean(axis=0)
        spread = np.sqrt(((rows - self._mean) ** 2).sum(axis=1).mean())
        self._scale = RADIUS / spread if spread > 1e-9 else 1.0
        self._start(rows.shape[1], rng)
        inputs, targets = self._scaled(rows), values.astype(np.float32)
        gradient, first, second = (np.zeros_like(self._parameters) for _ in range(3))
        by_weights, by_biases = self._views(gradient)
        size = min(BATCH, len(inputs))
        batches = np.concatenate([rng.permutation(len(inputs)) for _ in range(-(-STEPS * size // len(inputs)))])
        for step in range(STEPS):
            batch = batches[step * size : (step + 1) * size]
            self._differentiate(inputs[batch], targets[batch], by_weights, by_biases)
            # Adam, written over the gradient: new arrays of this size would take half of the time.
            first *= DECAY
            first += (1 - DECAY) * gradient
            second *= SQUARE_DECAY
            second += (1 - SQUARE_DECAY) * np.square(gradient, out=gradient)
            change = np.divide(first, np.sqrt(second, out=gradient) + 1e-10, out=gradient)
            rate = LEARNING_RATE * (1 - step / STEPS)
            change *= rate * (1 - SQUARE_DECAY ** (step + 1)) ** 0.5 / (1 - DECAY ** (step + 1))
            self._parameters -= change

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of the networks' predictions for each row, and their standard deviation."""
        predicted = self._forward(self._scaled(rows))[-1][:, :, 0].astype(float)
        return predicted.mean(axis=0), predicted.std(axis=0, ddof=1)

    def _start(self, columns: int, rng: np.random.Generator) -> None:
        """Draw the parameters: one vector, of which weights (members, inputs, outputs) and biases are views."""
        sizes = [columns, WIDTH, WIDTH, WIDTH, 1]
        self._shapes = [(self.members, a, b) for a, b in pairwise(sizes)] + [(self.members, 1, b) for b in sizes[1:]]
        self._parameters = np.zeros(sum(map(np.prod, self._shapes)), dtype=np.float32)
        self._weights, self._biases = self._views(self._parameters)
        for number, weights in enumerate(self._weights):
            deviation = (2 / WIDTH) ** 0.5 if number else FIRST_DEVIATION
            weights[...] = deviation * rng.standard_normal(weights.shape, dtype=np.float32)

    def _views(self, vector: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the parts of a vector that stand for the layers' weights and biases."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self._shapes])
        parts = [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), self._shapes, strict=True)]
        return parts[: len(parts) // 2], parts[len(parts) // 2 :]

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (self._scale * (rows - self._mean)).astype(np.float32)
        return scaled

    def _forward(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Return the inputs and what each layer gives: (members, n, units)."""
        given = [inputs]
        for weights, biases in zip(self._weights, self._biases, strict=True):
            given.append(given[-1] @ weights + biases)
            if weights is not self._weights[-1]:
                np.maximum(given[-1], 0, out=given[-1])
        return given

    def _differentiate(
        self, inputs: np.ndarray, targets: np.ndarray, by_weights: list[np.ndarray], by_biases: list[np.ndarray]
    ) -> None:
        """Write the gradient of the sum of the members' mean absolute errors, by weights and by biases."""
        given = self._forward(inputs)
        slope = np.sign(given[-1] - targets[:, None]) / np.float32(len(targets))
        for layer in reversed(range(len(self._weights))):
            np.matmul(np.swapaxes(given[layer], -1, -2), slope, out=by_weights[layer])
            np.sum(slope, axis=1, keepdims=True, out=by_biases[layer])
            if layer:
                slope = (slope @ self._weights[layer].transpose(0, 2, 1)) * (given[layer] > 0)
