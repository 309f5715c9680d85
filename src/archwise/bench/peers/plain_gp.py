"""A Gaussian process without any knowledge of graphs or numbers: the plain reference among the peers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm

from archwise.evaluators.table import TableDecision

FIRST = 5
"""Random candidates before the model has a say."""
DRAWN = 1000
"""Random candidates among which, beside the neighbours of the best five, each next one is chosen."""
LENGTHS, NOISES = (0.5, 1.0, 2.0, 4.0, 8.0), (1e-3, 1e-2, 1e-1)
"""Settings of the kernel, chosen by the marginal likelihood."""
LARGEST = 3 * 1.4826
"""Scores end so many median absolute deviations below the median, as a few broken candidates would bend all."""


class PlainGaussianProcess:
    """Expected improvement on a Gaussian process with the kernel exp(-differing choices / length).

    Source: the kernel of Hutter et al. 2014 for categories; Jones et al. 1998, Efficient global optimization of
    expensive black-box functions.

    Args:
        decisions: the table's.
        seed: of its draws.

    Example:
        >>> peer = PlainGaussianProcess([TableDecision("width", (8, 16, 32))], seed=0)
        >>> for number in range(3):
        ...     options = peer.ask(number)
        ...     peer.tell(number, float(options[0]))
        >>> peer.ask(3) is None
        True
    """

    def __init__(self, decisions: Sequence[TableDecision], seed: int):
        self._sizes = [len(decision.options) for decision in decisions]
        self._rng = np.random.default_rng(seed)
        self._asked: dict[int, tuple[int, ...]] = {}
        self._scores: dict[int, float | None] = {}

    def ask(self, number: int) -> Sequence[int] | None:
        """Return what promises most; see `Peer.ask`."""
        seen = set(self._asked.values())
        known = [n for n, score in self._scores.items() if score is not None]
        pool = [row for row in self._candidates(known) if row not in seen]
        if not pool:
            everything = product(*map(range, self._sizes))
            pool = [next((row for row in everything if row not in seen), ())]
            if not pool[0]:
                return None
        chosen = 0 if len(known) < FIRST else int(np.argmax(self._improvement(known, np.array(pool))))
        self._asked[number] = pool[chosen]
        return pool[chosen]

    def tell(self, number: int, score: float | None) -> None:
        """Learn of an outcome; a failure counts as the worst score so far."""
        self._scores[number] = score

    def _candidates(self, known: Sequence[int]) -> list[tuple[int, ...]]:
        """Return random candidates, then the neighbours of the best."""
        drawn = [tuple(row) for row in self._rng.integers(self._sizes, size=(DRAWN, len(self._sizes))).tolist()]
        best = sorted(known, key=lambda number: -(self._scores[number] or 0.0))[:5]
        near = [
            (*row[:place], option, *row[place + 1 :])
            for row in (self._asked[number] for number in best)
            for place, size in enumerate(self._sizes)
            for option in range(size)
        ]
        return list(dict.fromkeys([*drawn, *near]))

    def _improvement(self, known: Sequence[int], pool: np.ndarray) -> np.ndarray:
        """Return the expected improvement of each row of a pool."""
        worst = min(self._scores[number] or 0.0 for number in known)
        rows = np.array([self._asked[number] for number in self._scores])
        scores = np.array([worst if score is None else score for score in self._scores.values()])
        middle = np.median(scores)
        scores = np.maximum(scores, middle - LARGEST * np.median(np.abs(scores - middle)))
        scores = (scores - scores.mean()) / (scores.std() or 1.0)
        between = _differing(rows, rows)

        def fitted(length: float, noise: float) -> tuple[float, float, np.ndarray, np.ndarray]:
            factor = cho_factor(np.exp(-between / length) + noise * np.eye(len(rows)), lower=True)
            solved = cho_solve(factor, scores)
            evidence = -0.5 * scores @ solved - np.log(np.diag(factor[0])).sum()
            return float(evidence), length, solved, cho_solve(factor, np.eye(len(rows)))

        _, length, solved, inverse = max((fitted(*setting) for setting in product(LENGTHS, NOISES)), key=lambda f: f[0])
        across = np.exp(-_differing(pool, rows) / length)
        mean = across @ solved
        deviation = np.sqrt(np.maximum(1 - np.einsum("ij,jk,ik->i", across, inverse, across, optimize=True), 1e-9))
        distance = (mean - scores.max()) / deviation
        improvement: np.ndarray = deviation * (distance * norm.cdf(distance) + norm.pdf(distance))
        return improvement


def _differing(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return in how many choices rows differ: (rows of the first, rows of the second)."""
    return np.asarray((first[:, None, :] != second[None, :, :]).sum(axis=2), dtype=float)
