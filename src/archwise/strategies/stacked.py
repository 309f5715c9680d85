"""What several Gaussian processes over the same columns predict, in one product instead of many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.strategies.gaussian_process import GaussianProcess, matern

AT_ONCE = 4_000_000
"""Most covariances that are held at once."""


class StackedMeans:
    """The means of Gaussian processes that were conditioned on rows of one encoding, each with its own parameters.

    Asking them one by one costs a weighted copy of all rows each time.

    Args:
        processes: conditioned ones with the same groups of columns, one or more.
    """

    def __init__(self, processes: Sequence[GaussianProcess]):
        groups = processes[0].groups
        self._groups = groups
        self._squares = np.stack([process.squared_weights for process in processes])
        columns = np.zeros(groups[-1].stop if groups else 0, dtype=int)
        for number, group in enumerate(groups):
            columns[group] = number
        known = [process.rows for process in processes]
        twice = [rows * np.sqrt(s)[columns] for rows, s in zip(known, self._squares, strict=True)]
        self._rows = np.concatenate(twice)
        self._norms = np.concatenate([(rows**2).sum(axis=1) for rows in known])
        self._solved = np.concatenate([process.scale * process.solved for process in processes])
        self._owner = np.repeat(np.arange(len(processes)), [len(rows) for rows in known])
        self._starts = np.cumsum([0, *(len(rows) for rows in known)])[:-1]
        self._slopes = np.stack([process.coefficients for process in processes], axis=1)

    def __call__(self, rows: np.ndarray, trend: np.ndarray) -> np.ndarray:
        """Return the mean of each process for each row.

        Args:
            rows: (n, columns).
            trend: (n, k).

        Returns:
            (n, processes).
        """
        step = max(1, AT_ONCE // len(self._rows))
        parts = [self._means(rows[i : i + step]) for i in range(0, len(rows), step)]
        means: np.ndarray = np.concatenate(parts) + trend @ self._slopes if parts else np.zeros((0, len(self._squares)))
        return means

    def _means(self, rows: np.ndarray) -> np.ndarray:
        by_group = np.stack([(rows[:, group] ** 2).sum(axis=1) for group in self._groups], axis=1)
        norms = (by_group @ self._squares.T)[:, self._owner]
        covariance, _ = matern(np.maximum(norms + self._norms - 2 * rows @ self._rows.T, 0.0))
        means: np.ndarray = np.add.reduceat(covariance * self._solved, self._starts, axis=1)
        return means
