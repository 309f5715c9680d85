"""Freeze-thaw: many trials partly trained, each continued only while its learning curve may still end highest."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.learning_curves import Array, Ends, Learner, predict_ends
from archwise.strategies.rungs import Climb, fidelities_of, under_way
from archwise.strategies.strategy import Strategy, next_number
from archwise.trial import Pending, Proposal, Trial


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
        self._learners: dict[int, Learner] = {}

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
        ends = predict_ends(basket, self.rungs)
        better, worse = self._continuations(climb, basket, ends)
        due = better[:n]
        if len(due) == n:
            return due
        first = next_number(history, pending)
        known = [Pending(trial.number, Proposal(trial.candidate, trial.fidelity)) for trial in climb.ended.values()]
        known += [*pending, *(Pending(first + i, proposal) for i, proposal in enumerate(due))]
        failed = [(learner, learner.chain[-1].outcome) for learner in learners if learner.chain[-1].score is None]
        ended = [replace(b.chain[-1].outcome, score=float(m)) for b, m in zip(basket, ends.mean[:-1], strict=True)]
        outcomes = [*failed, *zip(basket, ended, strict=True)]
        own = [replace(learner.chain[0], fidelity=1.0, outcome=outcome) for learner, outcome in outcomes]
        shown = [trial for trial in history if trial.number < 0] + sorted(own, key=lambda trial: trial.number)
        new = self.proposer.propose(space, shown, under_way(known, shown), seed, n - len(due))
        return [*due, *(replace(proposal, fidelity=self.fidelities[0]) for proposal in new), *worse][:n]

    def _learner(self, number: int, climb: Climb) -> Learner:
        """Return the candidate that a trial began; what was read of its learning curve is remembered."""
        chain = [climb.ended[number]]
        while (child := climb.children.get(chain[-1].number)) in climb.ended:
            chain.append(climb.ended[child])
        known = self._learners.get(number)
        if known is None or len(known.chain) != len(chain) or any(map(operator.is_not, known.chain, chain)):
            known = self._learners[number] = Learner.of(tuple(chain), climb.fidelities)
        return known

    def _continuations(
        self, climb: Climb, basket: Sequence[Learner], ends: Ends
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
