"""Freeze-thaw: many trials partly trained, each continued only while its learning curve may still end highest."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.rungs import Climb, fidelities_of, under_way
from archwise.strategies.strategy import Strategy, next_number
from archwise.trial import Outcome, Pending, Proposal, Trial

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


class FreezeThaw:
    """Keeps a basket of partly trained candidates and spends each step where it promises most for what it costs.

    How a learning curve ends is predicted from its start: the score at the rung it has reached, the gain since the
    rung below, and the training speed (the mean training loss so far, where there are curves). There is a Bayesian
    linear regression for each rung, fitted from the highest down to what became of the trials that went on, or is
    predicted to. Who went on was decided by what the regression sees, so this does not bias it; how far off it was on
    this search's own trials is how uncertain it is.

    A step is worth the improvement over the best fully trained candidate that is expected of what the step will show.
    It costs itself and, where the candidate then looks like the new best, the training that is left. The step that is
    worth most for its cost is next: of a candidate in the basket, or of a new one, of which is expected what the
    youngest ones promise.

    - What has less than a `chance` to end above the best is stopped: it never continues unless its prediction changes.
    - First, `start` candidates begin, and all of them go on to the second of three rungs or more, so that the
      regression sees low scores too; then the best is trained in full, so that an end is known.
    - The proposer is shown every candidate once, with its score in full training, or the one predicted. Failed ones
      are shown as such and never continue.

    Source: Swersky et al. 2014, Freeze-thaw Bayesian optimization; Domhan et al. 2015, Speeding up automatic
    hyperparameter optimization of deep neural networks by extrapolation of learning curves; Ru et al. 2021, Speedy
    performance estimation for neural architecture search (the training speed).

    Args:
        proposer: the strategy that proposes candidates.
        eta: how much longer a trial is trained at each rung than at the one below.
        rungs: number of fidelities, the full one included; 1 evaluates everything in full.
        start: how many candidates the predictions are first learned from; larger makes them better, and costs more.
        chance: what stops a trial: larger stops more of them, and more of those that would have won.

    Raises:
        ArchwiseError: eta is less than 2, rungs or start less than 1, or chance not in [0, 0.5].

    Example:
        >>> from archwise.strategies.random_search import RandomSearch
        >>> FreezeThaw(RandomSearch(), eta=3, rungs=3).fidelities
        (0.1111111111111111, 0.3333333333333333, 1.0)
    """

    def __init__(self, proposer: Strategy, eta: int = 3, rungs: int = 4, start: int = 9, chance: float = 0.05):
        if eta < 2 or rungs < 1 or start < 1 or not 0 <= chance <= 0.5:
            raise ArchwiseError(
                "Freeze-thaw needs eta of at least 2, one rung or more, a start of 1 or more and a chance in [0, 0.5],"
                f" not {eta}, {rungs}, {start} and {chance}."
            )
        self.proposer = proposer
        self.eta = eta
        self.rungs = rungs
        self.start = start
        self.chance = chance
        self._learners: dict[int, _Learner] = {}

    @property
    def fidelities(self) -> tuple[float, ...]:
        """The rungs' fidelities, from the lowest to 1."""
        return fidelities_of(self.eta, self.rungs)

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return the steps that promise most: continuations, or new candidates at the lowest fidelity."""
        climb = Climb(history, pending, self.fidelities)
        learners = [self._learner(number, climb) for number, _ in climb.new if number in climb.ended]
        basket = [learner for learner in learners if learner.chain[-1].score is not None and learner.rung >= 0]
        ends = _predict(basket, self.rungs)
        better, worse = self._continuations(climb, basket, ends)
        due = better[:n]
        if len(due) == n:
            return due
        first = next_number(history, pending)
        known = [Pending(trial.number, Proposal(trial.candidate, trial.fidelity)) for trial in climb.ended.values()]
        known += [*pending, *(Pending(first + i, proposal) for i, proposal in enumerate(due))]
        failed = [(learner, learner.chain[-1].outcome) for learner in learners if learner.chain[-1].score is None]
        outcomes = [*failed, *zip(basket, (Outcome("finished", float(mean)) for mean in ends.mean[:-1]), strict=True)]
        own = [replace(learner.chain[0], fidelity=1.0, outcome=outcome) for learner, outcome in outcomes]
        shown = [trial for trial in history if trial.number < 0] + sorted(own, key=lambda trial: trial.number)
        new = self.proposer.propose(space, shown, under_way(known, shown), seed, n - len(due))
        return [*due, *(replace(proposal, fidelity=self.fidelities[0]) for proposal in new), *worse][:n]

    def _learner(self, number: int, climb: Climb) -> _Learner:
        """Return the candidate that a trial began; what was read of its learning curve is remembered."""
        chain = [climb.ended[number]]
        while (child := climb.children.get(chain[-1].number)) in climb.ended:
            chain.append(climb.ended[child])
        known = self._learners.get(number)
        if known is None or len(known.chain) != len(chain) or any(map(operator.is_not, known.chain, chain)):
            known = self._learners[number] = _Learner.of(tuple(chain), climb.fidelities)
        return known

    def _continuations(
        self, climb: Climb, basket: Sequence[_Learner], ends: _Ends
    ) -> tuple[list[Proposal], list[Proposal]]:
        """Return the continuations that come before new candidates, and those that come after; the best first.

        What is under way and what has too little chance is in neither.
        """
        busy = [learner.chain[-1].number in climb.children for learner in basket]
        full = [i for i, learner in enumerate(basket) if learner.rung == self.rungs - 1]
        free = [i for i, learner in enumerate(basket) if learner.rung < self.rungs - 1 and not busy[i]]
        if not free:
            return [], []
        best = float(np.max(ends.mean[full] if full else ends.mean[:-1]))
        # A new candidate, the last of `ends`, has reached nothing yet.
        shares = np.array([0.0, *self.fidelities])
        reached = 1 + np.array([*(basket[i].rung for i in free), -1])
        costs = shares[reached + 1] - shares[reached]
        able = [*free, len(basket)]
        *worths, new = _worth(ends.mean[able], ends.step[able], best, costs, 1 - shares[reached + 1]).tolist()
        may_win = (_chance(ends.mean[free], ends.deviation[free], best) >= self.chance).tolist()
        sample = {number for number, _ in climb.new[: self.start]} if self.rungs > 2 else set()
        sampled = [basket[i].rung == 0 and basket[i].chain[0].number in sample for i in free]
        if len(climb.new) < self.start:
            before = [False] * len(free)
        elif any(sampled):
            before = may_win = sampled
        elif full:
            before = [worth > new for worth in worths]
        else:
            # No end is known yet: the best goes all the way, so that predictions have something to learn from.
            leader = max(free, key=lambda i: float(ends.mean[i]))
            before = [i == leader and not any(busy) for i in free]
        order = [i for i in sorted(range(len(free)), key=lambda i: -worths[i]) if may_win[i]]
        learners = [basket[i] for i in free]
        steps = [climb.continuation(learner.chain[-1], learner.rung + 1) for learner in learners]
        return [steps[i] for i in order if before[i]], [steps[i] for i in order if not before[i]]


@dataclass(frozen=True)
class _Learner:
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
    def of(cls, chain: tuple[Trial, ...], fidelities: Sequence[float]) -> _Learner:
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


class _Ends(NamedTuple):
    """How learning curves are predicted to end: those of some candidates, and last that of a new one."""

    mean: Array
    step: Array
    """Standard deviation of what the next rung will show of the end."""
    deviation: Array
    """Standard deviation of the end itself."""


@np.errstate(all="ignore")
def _predict(basket: Sequence[_Learner], rungs: int) -> _Ends:
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
    return _Ends(np.append(mean, youngest.mean()), np.sqrt(variance), np.sqrt(whole))


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


@np.errstate(all="ignore")
def _worth(mean: Array, step: Array, best: float, cost: Array, rest: Array) -> Array:
    """Return the logarithm of the improvement that is expected from a step, for what it costs.

    Args:
        mean: the end that is predicted.
        step: standard deviation of what the step shows of it.
        best: the best end that is known.
        cost: of the step.
        rest: cost of the training after it, which only a winner is worth.
    """
    expected = log_expected_improvement(mean, _above_zero(step, mean - best), best)
    result: Array = expected - np.log(cost + rest * _chance(mean, step, best))
    return result


@np.errstate(all="ignore")
def _chance(mean: Array, deviation: Array, best: float) -> Array:
    """Return how likely it is that ends are above the best."""
    result: Array = ndtr((mean - best) / _above_zero(deviation, mean - best))
    return result


def _above_zero(deviation: Array, distance: Array) -> Array:
    """Return standard deviations that can be divided by: at least a ten-thousandth of the distance to the best."""
    return np.maximum(deviation, np.maximum(1e-4 * np.abs(distance), 1e-12))
