"""The probability that a trial fails, learnt from trials that did and trials that did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from archwise.meta.taken import Taken
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace

USUAL = -2.0
"""Log odds of failing where nothing is known: one trial in eight."""
LEVEL, TAKEN, SIZE, BEYOND = 4.0, 4.0, 3.0, 4.0
"""Prior variances, in log odds: of the level, of what follows the options taken and the size, and of all else."""
OWN_LEVEL, SLOPE = 2.0, 0.25
"""Those of how a new task differs from past ones in level, and in how far it follows them."""
STEPS = 30
"""Most steps of Newton's method."""


class FailureModel:
    """Log odds that candidates fail: those that another model expects, a linear part and a Gaussian process.

    The posterior is Laplace's approximation. Where another model stands behind it, what that one says may be too high
    or too low for all candidates, and be followed more or less.

    Source: Rasmussen & Williams 2006, sections 3.4 and 3.6, algorithms 3.1 and 3.2.

    Args:
        space: the candidates.
        expected: the model of past trials, some of which failed; None for what is usual.
    """

    def __init__(self, space: JointSpace, expected: FailureModel | None = None):
        self.space = space
        self.expected = expected
        self._taken: Taken = expected._taken if expected else Taken(space)
        self._seen: _Seen | None = None

    def fit(self, candidates: Sequence[Candidate], failed: Sequence[bool]) -> None:
        """Learn from trials; where none failed, here or before, they are as likely as usual to do so.

        Args:
            candidates: a few hundred at most: time grows with the third power.
            failed: whether each failed.
        """
        self._seen = None
        if not candidates or not (any(failed) or self.expected):
            return
        seen = self._look(candidates)
        kernel, target, eye = seen.covariance(seen), np.array(failed, dtype=float), np.eye(len(candidates))
        weights, latent = np.zeros(len(target)), seen.mean
        density = _log_density(latent, target, 0.0)
        for _ in range(STEPS):
            chance = chance_of(latent)
            curvature = np.sqrt(chance * (1 - chance))
            factor = np.linalg.cholesky(eye + curvature[:, None] * kernel * curvature)
            ahead = curvature**2 * (latent - seen.mean) + target - chance
            step = ahead - curvature * cho_solve((factor, True), curvature * (kernel @ ahead)) - weights
            before, found = density, -np.inf
            while found < before and np.abs(step).max() > 1e-6:  # Newton's step may lead too far
                tried = seen.mean + kernel @ (weights + step)
                found = _log_density(tried, target, (weights + step) @ (tried - seen.mean))
                step, taken = step / 2, step
            if found > before:
                weights, latent, density = weights + taken, tried, found
            if density - before < 1e-4:
                break
        self._seen, self._weights = seen, weights
        self._factor, self._curvature = factor, curvature

    @property
    def knows(self) -> bool:
        """Whether it has learnt from trials."""
        return self._seen is not None

    def log_odds(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the log odds that each candidate fails, nearer to 0 the less is known of it."""
        if not (self.knows or self.expected):
            return np.full(len(candidates), USUAL)
        look = self._look(candidates)
        if self._seen is None:
            return look.mean
        across = look.covariance(self._seen)
        explained = solve_triangular(self._factor, self._curvature[:, None] * across.T, lower=True)
        variance = np.maximum(look.variance() - (explained**2).sum(axis=0), 0.0)
        odds: np.ndarray = (look.mean + across @ self._weights) / np.sqrt(1 + np.pi * variance / 8)
        return odds

    def _look(self, candidates: Sequence[Candidate]) -> _Seen:
        encoding = self.space.encoding
        rows = encoding(candidates) / max(1, len(encoding.groups)) ** 0.5
        taken, level = self._taken(candidates), np.ones(len(rows))
        if self.expected is None:
            sizes = encoding.sizes(candidates)
            trend = np.column_stack([LEVEL**0.5 * level, TAKEN**0.5 * taken, SIZE**0.5 * sizes])
            return _Seen(rows, trend, np.full(len(rows), USUAL))
        expected = self.expected.log_odds(candidates)
        followed = SLOPE**0.5 * (expected - USUAL)
        return _Seen(rows, np.column_stack([OWN_LEVEL**0.5 * level, followed, taken]), expected)


class _Seen(NamedTuple):
    """What a model knows of some candidates."""

    rows: np.ndarray
    trend: np.ndarray
    mean: np.ndarray

    def covariance(self, other: _Seen) -> np.ndarray:
        squares = (self.rows**2).sum(axis=1)[:, None] + (other.rows**2).sum(axis=1)[None]
        distance = np.sqrt(3 * np.maximum(squares - 2 * self.rows @ other.rows.T, 0.0))
        whole: np.ndarray = BEYOND * (1 + distance) * np.exp(-distance) + self.trend @ other.trend.T
        return whole

    def variance(self) -> np.ndarray:
        whole: np.ndarray = BEYOND + (self.trend**2).sum(axis=1)
        return whole


def _log_density(latent: np.ndarray, failed: np.ndarray, squared: float) -> float:
    """Return how likely log odds are after trials, up to a constant.

    Args:
        latent: the log odds of each.
        failed: 1 where it failed, else 0.
        squared: their squared distance from the mean, in the kernel's metric.
    """
    return float((failed * latent - np.logaddexp(0.0, latent)).sum() - 0.5 * squared)


def chance_of(log_odds: np.ndarray) -> np.ndarray:
    """Return probabilities.

    Example:
        >>> chance_of(np.array([0.0, 2.0])).round(2).tolist()
        [0.5, 0.88]
    """
    chance: np.ndarray = 1 / (1 + np.exp(-np.clip(log_odds, -30, 30)))
    return chance
