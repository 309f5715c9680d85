"""What several past tasks say together, as the prior of another task's model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.strategies.surrogate import Expectation, Surrogate

WEIGHT = 1.5
"""Sum of the weights that past tasks are expected to have."""
DEVIATION = 0.3
"""How far the weight of a past task may be from its share of that, as a standard deviation."""
MANY = 8
"""Past tasks beyond which the deviation shrinks, so that what all of them say together stays as open."""

Predict = Callable[[Sequence[Candidate]], np.ndarray]
"""Returns what each past task says of each candidate: (candidates, past tasks)."""


class SourcePrior:
    """A weighted sum of what past tasks predict, whose weights are to be learnt.

    Args:
        predict: returns the predictions.
        shares: how much each past task counts at first; one of share 0 never counts.
        learns: whether the weights are learnt at all.
    """

    def __init__(self, predict: Predict, shares: np.ndarray, learns: bool = True):
        self.predict = predict
        self.weights = WEIGHT * shares
        self.deviation = DEVIATION * min(1.0, MANY / max(1, len(shares))) ** 0.5 if learns else 0.0
        self.deviations = np.where(shares > 0, self.deviation, 0.0)

    def __call__(self, candidates: Sequence[Candidate]) -> Expectation:
        """Return the weighted sum, and each past task's prediction."""
        predicted = self.predict(candidates)
        return Expectation(predicted @ self.weights, predicted * self.deviations)

    def learnt(self, surrogate: Surrogate) -> tuple[np.ndarray, np.ndarray]:
        """Return the weight of each past task as a surrogate with this prior has learnt it, and its deviation."""
        count = len(self.weights)
        mean, deviation = surrogate.trend_weights
        return self.weights + self.deviations * mean[-count:], self.deviations * deviation[-count:]
