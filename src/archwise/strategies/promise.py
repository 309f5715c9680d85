"""What the trials so far promise of candidates: the estimate by which graphs of candidates are searched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.strategies.strategy import Situation
from archwise.strategies.surrogate import Surrogate

FIRST = 3
"""Finished trials without which there is no model."""


class Promise:
    """A Gaussian process's optimistic estimates; the model is made once for each situation."""

    def __init__(self) -> None:
        self._surrogate: Surrogate | None = None
        self._fitted: Situation | None = None

    def __call__(self, now: Situation, candidates: Sequence[Candidate], optimism: float) -> np.ndarray:
        """Return what a situation promises of candidates, in standard deviations of the scores.

        Args:
            now: what is known.
            candidates: of the space.
            optimism: how many of its standard deviations are added to a prediction.

        Returns:
            A number for each; zeros while fewer than three trials have finished. Where trials failed, the logarithm of
            the probability of success is added.
        """
        if not candidates or len(now.finished) < FIRST:
            return np.zeros(len(candidates))
        if self._surrogate is None or self._surrogate.encoding is not now.space.encoding:
            self._surrogate = Surrogate(now.space.encoding)
        if self._fitted is not now:
            self._surrogate.fit(now.own, now.under_way)
            self._fitted = now
        mean, deviation = self._surrogate.predict(candidates)
        promise: np.ndarray = mean + optimism * deviation + self._surrogate.log_feasible(candidates)
        return promise
