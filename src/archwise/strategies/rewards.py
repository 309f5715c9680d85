"""Rewards: what a strategy that learns from them is told of an outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from archwise.errors import ArchwiseError
from archwise.pareto import COSTS
from archwise.trial import Outcome, Trial


class Reward(Protocol):
    """How good an outcome is."""

    def __call__(self, outcome: Outcome) -> float | None:
        """Return the reward, higher is better; None where there is nothing to reward."""
        ...


@dataclass(frozen=True)
class Metric:
    """The objective itself.

    Example:
        >>> Metric()(Outcome("finished", 0.9))
        0.9
    """

    def __call__(self, outcome: Outcome) -> float | None:
        """Return the score; None where the trial did not finish."""
        return outcome.score if outcome.status == "finished" else None


METRIC = Metric()


@dataclass(frozen=True)
class Logistic:
    """The logistic function of another reward: between 0 and 1, steepest around a centre.

    Args:
        of: the other reward.
        centre: the other reward that becomes a half.
        scale: distance from the centre at which 0.73 is reached; smaller tells apart what is near the centre, and what
            is far from it less.

    Raises:
        ArchwiseError: the scale is not above 0.

    Example:
        >>> Logistic(centre=0.9, scale=0.02)(Outcome("finished", 0.9))
        0.5
    """

    of: Reward = METRIC
    centre: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ArchwiseError(f"A logistic reward needs a scale above 0, not {self.scale}.")

    def __call__(self, outcome: Outcome) -> float | None:
        """Return the logistic of the other reward."""
        reward = self.of(outcome)
        return None if reward is None else 0.5 + 0.5 * math.tanh(0.5 * (reward - self.centre) / self.scale)


@dataclass(frozen=True)
class CostWeighted:
    """Another reward times `(cost / target) ** w`: what costs more than the target is worth less, and the reverse.

    The defaults are MnasNet's soft constraint. Its hard one is `within=0, beyond=-1`: below the target the cost does
    not matter, above it each doubling halves the reward. A reward below zero (a negated error) is divided by the factor
    instead, so that a larger cost is worse there too.

    Source: Tan et al. 2019, MnasNet: platform-aware neural architecture search for mobile.

    Args:
        target: the cost that leaves the other reward as it is, in the cost's unit.
        cost: name of one of the outcome's costs ("flops", "parameters", "latency_ms", ...); an outcome that does not
            tell it has no reward.
        within: w where the cost is at most the target; further below 0 favours small networks more.
        beyond: w where the cost is more; further below 0 punishes large networks more.
        of: the other reward.

    Raises:
        ArchwiseError: the target is not above 0, or an exponent is.

    Example:
        >>> reward = CostWeighted(target=1e6)
        >>> outcomes = [Outcome("finished", 0.9, costs={"flops": flops}) for flops in (1e6, 2e6)]
        >>> [round(reward(outcome), 3) for outcome in outcomes]
        [0.9, 0.857]
    """

    target: float
    cost: str = "flops"
    within: float = -0.07
    beyond: float = -0.07
    of: Reward = METRIC

    def __post_init__(self) -> None:
        if not self.target > 0:
            raise ArchwiseError(f"A reward weighted by a cost needs a target above 0, not {self.target}.")
        if not (self.within <= 0 and self.beyond <= 0):
            raise ArchwiseError(
                f"A reward weighted by a cost needs exponents of 0 or less, not {self.within} and {self.beyond}."
            )

    def __call__(self, outcome: Outcome) -> float | None:
        """Return the other reward, weighted; None where there is none or the cost is not known."""
        reward, cost = self.of(outcome), outcome.costs.get(self.cost)
        if reward is None or cost is None or not 0 < cost < math.inf:
            return None
        factor: float = (cost / self.target) ** (self.within if cost <= self.target else self.beyond)
        return reward * factor if reward > 0 else reward / factor


def rewards_of(reward: Reward, trials: Sequence[Trial]) -> list[float | None]:
    """Return the rewards of some trials.

    Raises:
        ArchwiseError: the reward is weighted by a cost that no training reports and no finished trial of this search
            has, as when its name is misspelt: nothing could be learned.
    """
    finished = [trial for trial in trials if trial.score is not None and trial.number >= 0]
    known = {*COSTS, *(name for trial in finished for name in trial.outcome.costs)}
    part: Reward | None = reward
    while finished and part is not None:
        if isinstance(part, CostWeighted) and part.cost not in known:
            raise ArchwiseError(
                f"The reward is weighted by {part.cost!r}, which no finished trial tells: take one of "
                f"{', '.join(sorted(known))}."
            )
        part = getattr(part, "of", None)
    return [reward(trial.outcome) for trial in trials]


def advantages(rewards: Sequence[float | None], decay: float = 0.9) -> np.ndarray:
    """Return how far each of a series of rewards is above its moving average, in standard deviations of the series.

    A missing reward counts as the lowest there is. What is more than three robust standard deviations below the median
    is raised to there, so that broken candidates do not make all others look alike. Unit and zero of the rewards do not
    matter.

    Args:
        rewards: in the order in which they came.
        decay: share of the moving average that stays at each reward; smaller follows the latest closer.

    Example:
        >>> advantages([1.0, 2.0, 3.0, None], decay=0.5).round(2).tolist()
        [0.0, 0.6, 0.9, -0.75]
    """
    known = [reward for reward in rewards if reward is not None and math.isfinite(reward)]
    if not known or min(known) == max(known):
        return np.zeros(len(rewards))
    values = np.array([r if r is not None and math.isfinite(r) else min(known) for r in rewards])
    values = values / np.abs(values).max()
    median = np.median(values)
    deviation = 1.4826 * float(np.median(np.abs(values - median)))
    if deviation > 0:
        values = np.maximum(values, median - 3 * deviation)
    above, average = np.zeros(len(values)), values[0]
    for i, value in enumerate(values):
        average = decay * average + (1 - decay) * value
        above[i] = (value - average) / values.std()
    return above
