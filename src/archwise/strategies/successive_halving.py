"""Successive halving: train many a little, and go on with the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archwise.errors import SpaceError
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy, next_number
from archwise.trial import Pending, Proposal, Trial


class SuccessiveHalving:
    """Evaluates what another strategy proposes at a low fidelity, and continues the best `1 / eta` of each cohort.

    A cohort is `eta ** (rungs - 1)` candidates at fidelity `eta ** -(rungs - 1)`. When all of a cohort have ended, the
    best continue to `eta` times the fidelity, and so on until one is trained in full. While a cohort waits for its last
    trials, free workers begin the next one. The other strategy is shown low-fidelity trials, so it compares like with
    like.

    Source: Jamieson & Talwalkar 2016, Non-stochastic best arm identification and hyperparameter optimization.

    Args:
        proposer: the strategy that proposes candidates.
        eta: how many of which one goes on; larger stops more trials early.
        rungs: number of fidelities, the full one included; 1 evaluates everything in full.

    Example:
        >>> from archwise.strategies import RandomSearch
        >>> SuccessiveHalving(RandomSearch(), eta=3, rungs=3).fidelities
        (0.1111111111111111, 0.3333333333333333, 1.0)
    """

    def __init__(self, proposer: Strategy, eta: int = 3, rungs: int = 3):
        if eta < 2 or rungs < 1:
            raise SpaceError(f"Successive halving needs eta of at least 2 and one rung or more, not {eta} and {rungs}.")
        self.proposer = proposer
        self.eta = eta
        self.rungs = rungs

    @property
    def fidelities(self) -> tuple[float, ...]:
        """The rungs' fidelities, from the lowest to 1."""
        return tuple(float(self.eta) ** (rung - self.rungs + 1) for rung in range(self.rungs))

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return continuations that are due, then new candidates at the lowest fidelity."""
        proposals = self._promotions(history, pending)[:n]
        first = next_number(history, pending)
        promoted = [Pending(first + i, proposal) for i, proposal in enumerate(proposals)]
        lowest = self.fidelities[0]
        alike = [trial for trial in history if trial.number < 0 or trial.fidelity <= lowest]
        # What was trained for longer cannot be compared, but it is known: the other strategy sees it as under way.
        longer = [Pending(t.number, Proposal(t.candidate)) for t in history if t.number >= 0 and t.fidelity > lowest]
        left = n - len(proposals)
        new = self.proposer.propose(space, alike, [*longer, *pending, *promoted], seed, left) if left else []
        return proposals + [replace(proposal, fidelity=lowest) for proposal in new]

    def _promotions(self, history: Sequence[Trial], pending: Sequence[Pending]) -> list[Proposal]:
        """Return the continuations that no one has begun, those nearest to full training first."""
        ended = {trial.number: trial for trial in history if trial.number >= 0}
        running = {item.number: item.proposal for item in pending}
        entered: dict[int, list[int]] = {}
        started: list[int] = []
        known: list[tuple[int, Trial | Proposal]] = [*ended.items(), *running.items()]
        for number, trial in sorted(known, key=lambda item: item[0]):
            if trial.parent is not None:
                entered.setdefault(trial.parent, []).append(number)
            elif self.rungs > 1 and trial.fidelity <= self.fidelities[0]:
                started.append(number)
        size = self.eta ** (self.rungs - 1)
        due: list[tuple[int, Proposal]] = []
        for start in range(0, len(started) - size + 1, size):
            cohort = started[start : start + size]
            for rung in range(1, self.rungs):
                if any(number not in ended for number in cohort):
                    break
                places = self.eta ** (self.rungs - 1 - rung)
                finished = [(score, -n) for n in cohort if (score := ended[n].score) is not None]
                best = [-number for _, number in sorted(finished, reverse=True)[:places]]
                for number in best:
                    if number not in entered:
                        continuation = Proposal(
                            ended[number].candidate, self.fidelities[rung], number, f"continues trial {number}"
                        )
                        due.append((-rung, continuation))
                cohort = [child for number in best for child in entered.get(number, [])]
                if len(cohort) < len(best):
                    break
        return [proposal for _, proposal in sorted(due, key=lambda item: item[0])]
