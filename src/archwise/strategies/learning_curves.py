"""Learning curves of candidates that were trained in part, and how they are predicted to end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archwise.trial import Trial

Array = NDArray[np.float64]

CLOSE = 1 + 1e-9
"""Fidelities that differ by no more than this factor are the same."""
RECENT = 20
"""How many of the youngest candidates say what a new one is worth; proposers get better as they learn."""
DOUBT = 2.0
"""How many trials the belief before any of a rung's trials went on is worth."""
INTERCEPT, SLOPE = 3.0, 1.0
"""How far the mean gain and the features' weights may be from 0 before any trial went on, in standard deviations."""
LARGEST = 3.0
"""Features and targets end at so many robust standard deviations, so that broken candidates do not bend the fit."""


@dataclass(frozen=True)
class Learner:
    """A candidate of this search, and its learning curve at the rungs: NaN where nothing is known.

    Args:
        chain: the trials that continue each other, from the one that began it to the last that ended.
        rung: the highest that it has reached; -1 if none.
        scores: at each rung.
        speeds: at each rung, the negated mean training loss so far.
    """

    chain: tuple[Trial, ...]
    rung: int
    scores: tuple[float, ...]
    speeds: tuple[float, ...]

    @classmethod
    def of(cls, chain: tuple[Trial, ...], fidelities: Sequence[float]) -> Learner:
        """Read the learning curve that the trials of a chain made."""
        scores: dict[float, float] = {}
        losses: dict[float, float] = {}
        rung, done = -1, 0.0
        for trial in chain:
            if trial.score is None:
                break
            best = -math.inf
            for point in trial.outcome.curve:
                best = max(best, point.score)
                if point.fidelity > done * CLOSE:
                    scores[point.fidelity], losses[point.fidelity] = best, point.train_loss
            done = trial.fidelity
            rung = sum(fidelity <= done * CLOSE for fidelity in fidelities) - 1
            scores[fidelities[max(rung, 0)]] = trial.score
        speeds: dict[float, float] = {}
        total = before = 0.0
        for mark in sorted(losses):
            total, before = total + losses[mark] * (mark - before), mark
            speeds[mark] = -total / mark
        unknown = (math.nan,) * (len(fidelities) - rung - 1)
        curves = (tuple(_at(curve, f) for f in fidelities[: rung + 1]) + unknown for curve in (scores, speeds))
        return cls(chain, rung, *curves)


def _at(values: Mapping[float, float], fidelity: float) -> float:
    """Return the last value known up to a fidelity; NaN if there is none, or it is infinite."""
    marks = [mark for mark in values if mark <= fidelity * CLOSE]
    value = values[max(marks)] if marks else math.nan
    return value if math.isfinite(value) else math.nan


class Ends(NamedTuple):
    """How learning curves are predicted to end: those of some candidates, and last that of a new one."""

    mean: Array
    step: Array
    """Standard deviation of what the next rung will show of the end."""
    deviation: Array
    """Standard deviation of the end itself."""


@np.errstate(all="ignore")
def predict_ends(basket: Sequence[Learner], rungs: int) -> Ends:
    """Predict the ends of the curves from the highest rung down: what went on teaches about what did not."""
    scores = np.array([learner.scores for learner in basket]).reshape(-1, rungs)
    speeds = np.array([learner.speeds for learner in basket]).reshape(-1, rungs)
    reached = np.array([learner.rung for learner in basket], dtype=int)
    for column in scores.T[:-1]:
        column[~np.isnan(column)] = _cut(column[~np.isnan(column)])
    present = scores[np.arange(len(basket)), reached]
    mean = present.copy()
    step, later = np.zeros_like(mean), np.zeros_like(mean)
    doubts = _doubts(scores)
    for rung in reversed(range(rungs - 1)):
        known = ~np.isnan(scores[:, rung])
        here, ahead = reached == rung, known & (reached > rung)
        gained = scores[:, rung] - scores[:, max(rung - 1, 0)]
        features = [_standardised(column, known) for column in (scores[:, rung], gained, speeds[:, rung])]
        x = np.column_stack([np.ones_like(mean), *features])
        weights, covariance, noise = _regression(x[ahead], _cut((mean - scores[:, rung])[ahead]), doubts[rung])
        mean[here] += x[here] @ weights
        step[here] = noise * (1 + np.einsum("ij,jk,ik->i", x[here], covariance, x[here]))
        later[here] = (step + later)[ahead].mean() if ahead.any() else np.sum(doubts[rung + 1 :] ** 2)
    mean = np.where(np.isfinite(mean), mean, present)
    youngest = _cut(mean[-RECENT:]) if len(mean) else np.zeros(1)
    spread = np.sum((youngest - youngest.mean()) ** 2) + DOUBT * doubts[0] ** 2
    new = spread / (len(youngest) + DOUBT)
    variance, whole = np.append(step, new), np.append(step + later, new)
    return Ends(np.append(mean, youngest.mean()), np.sqrt(variance), np.sqrt(whole))


def _doubts(scores: Array) -> Array:
    """Return how far ends are believed to differ by what comes after each rung but the last, before any went on.

    That is as much as the step up to the rung made: the spread of its gains, of the first rung's scores.
    """
    doubts: list[float] = []
    for rung in range(max(scores.shape[1] - 1, 1)):
        gains = scores[:, rung] - (scores[:, rung - 1] if rung else 0.0)
        gains = gains[~np.isnan(gains)]
        doubts.append(_spread(gains) if len(gains) > 1 else doubts[-1] if doubts else 0.0)
    return np.array(doubts)


def _regression(x: Array, y: Array, doubt: float) -> tuple[Array, Array, float]:
    """Return (weights, covariance, noise variance): a conjugate Bayesian linear regression.

    Args:
        x: one row a trial, the first column ones.
        y: what to predict.
        doubt: the noise's standard deviation before anything is seen.
    """
    precision = np.diag([INTERCEPT**-2, *[SLOPE**-2] * (x.shape[1] - 1)])
    covariance: Array = np.linalg.inv(precision + x.T @ x).astype(np.float64)
    weights: Array = covariance @ (x.T @ y)
    misfit = max(0.0, float(y @ (y - x @ weights)))
    return weights, covariance, (DOUBT * doubt**2 + misfit) / (DOUBT + len(y))


def _standardised(column: Array, known: NDArray[np.bool_]) -> Array:
    """Return a feature in robust standard deviations of what is known; 0 where it says nothing."""
    values = column[known & ~np.isnan(column)]
    spread = _spread(values)
    if not spread:
        return np.zeros_like(column)
    result: Array = np.clip(np.nan_to_num((column - np.median(values)) / spread), -LARGEST, LARGEST)
    return result


def _cut(values: Array) -> Array:
    """Return targets without the lower tail, where broken candidates are."""
    return np.maximum(values, np.median(values) - LARGEST * _spread(values)) if len(values) else values


def _spread(values: Array) -> float:
    """Return the standard deviation that half of the values suggest; that of all, where these are equal."""
    if not len(values):
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) or float(values.std())
