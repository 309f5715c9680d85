"""A fixed encoder that nothing was ever trained on: how much a task gives to it tells tasks apart."""

from __future__ import annotations

from itertools import product

import numpy as np

UNITS = 256
"""Random units for tables."""
FILTERS = 16
"""Random filters for each of `DILATIONS`, where these fit."""
WIDTHS = {1: 9, 2: 3}
"""Width of a filter for series and for images."""
DILATIONS = (1, 2, 4)
SIDES = {1: 256, 2: 32}
"""Largest side of series and images that are looked at; larger ones are averaged."""
CELLS = 2
"""Parts of each side over which a filter's answers are pooled."""


def encode(x: np.ndarray) -> np.ndarray:
    """Return random features of inputs.

    Tables meet random units with ReLU. Images and series meet random filters without a mean, whose answers (the mean
    of the positive part and the largest) are pooled over the parts of the input.

    Args:
        x: shape (rows, features), (rows, channels, time) or (rows, channels, height, width), standardised.

    Returns:
        Shape (rows, random features).

    Source:
        Rahimi and Recht 2007, Random features for large-scale kernel machines; Dempster et al. 2020, ROCKET.
    """
    rng = np.random.default_rng(0)
    if x.ndim == 2:
        weights = rng.normal(size=(UNITS, x.shape[1])) / np.sqrt(x.shape[1])
        features: np.ndarray = np.maximum(x @ weights.T + rng.normal(size=UNITS), 0)
        return features
    axes = x.ndim - 2
    x = shrunk(x)
    pooled = []
    for dilation in DILATIONS:
        widths = [min(WIDTHS[axes], (side - 1) // dilation + 1) for side in x.shape[2:]]
        weights = rng.normal(size=(FILTERS, x.shape[1], *widths)).astype(np.float32)
        biases = rng.normal(size=FILTERS).astype(np.float32)
        if dilation == 1 or min(widths) > 1:
            pooled.append(_pooled(_answers(x, weights, dilation) + biases))
    return np.concatenate(pooled, axis=1)


def shrunk(x: np.ndarray) -> np.ndarray:
    """Return images or series with sides of at most `SIDES`, by averaging neighbours; tables as they are."""
    for axis in range(2, x.ndim):
        step = -(-x.shape[axis] // SIDES[x.ndim - 2])
        if step > 1:
            x = np.add.reduceat(x, np.arange(0, x.shape[axis], step), axis=axis) / step
    return x


def _answers(x: np.ndarray, weights: np.ndarray, dilation: int) -> np.ndarray:
    """Return each filter's answers: (rows, places along each axis, filters)."""
    weights = weights - weights.mean(axis=tuple(range(1, weights.ndim)), keepdims=True)
    weights /= np.sqrt((weights**2).sum(axis=tuple(range(1, weights.ndim)), keepdims=True)) + 1e-9
    widths = weights.shape[2:]
    places = [side - (width - 1) * dilation for side, width in zip(x.shape[2:], widths, strict=True)]
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1), dtype=np.float32)
    patches = []
    for offsets in product(*map(range, widths)):
        where = [slice(o * dilation, o * dilation + p) for o, p in zip(offsets, places, strict=True)]
        patches.append(last[(slice(None), *where)])
    kernels = np.moveaxis(weights.reshape(*weights.shape[:2], -1), 1, 2).reshape(len(weights), -1)
    answers: np.ndarray = np.concatenate(patches, axis=-1) @ kernels.T
    return answers


def _pooled(answers: np.ndarray) -> np.ndarray:
    parts = []
    bounds = [np.linspace(0, places, min(CELLS, places) + 1).astype(int) for places in answers.shape[1:-1]]
    for cell in product(*(range(len(bound) - 1) for bound in bounds)):
        where = tuple(slice(bound[i], bound[i + 1]) for bound, i in zip(bounds, cell, strict=True))
        part = answers[(slice(None), *where)].reshape(len(answers), -1, answers.shape[-1])
        parts += [np.maximum(part, 0).mean(axis=1), part.max(axis=1)]
    return np.concatenate(parts, axis=1)
