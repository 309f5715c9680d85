"""Successive halving: train many a little, and go on with the best."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy, next_number
from archwise.trial import Pending, Proposal, Trial


class SuccessiveHalving:
    """Evaluates what another strategy proposes at a low fidelity, and continues the best `1 / eta` of each cohort.

    A cohort is `eta ** (rungs - 1)` candidates at fidelity `eta ** -(rungs - 1)`. When all of a cohort have ended, the
    best continue to `eta` times the fidelity, and so on until one is trained in full. While a cohort waits for its last
    trials, free workers begin the next one. Failed trials are part of their cohort and never continue. When the space
    is exhausted, the last cohort is what there is. The other strategy is shown low-fidelity trials, so it compares like
    with like.

    Source: Jamieson & Talwalkar 2016, Non-stochastic best arm identification and hyperparameter optimization.

    Args:
        proposer: the strategy that proposes candidates.
        eta: how many of which one goes on; larger stops more trials early.
        rungs: number of fidelities, the full one included; 1 evaluates everything in full.

    Raises:
        ArchwiseError: eta is less than 2, or rungs than 1.

    Example:
        >>> from archwise.strategies import RandomSearch
        >>> SuccessiveHalving(RandomSearch(), eta=3, rungs=3).fidelities
        (0.1111111111111111, 0.3333333333333333, 1.0)
    """

    def __init__(self, proposer: Strategy, eta: int = 3, rungs: int = 3):
        if eta < 2 or rungs < 1:
            raise ArchwiseError(
                f"Successive halving needs eta of at least 2 and one rung or more, not {eta} and {rungs}."
            )
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
        due = self._promotions(history, pending)[:n]
        first = next_number(history, pending)
        promoted = [Pending(first + i, proposal) for i, proposal in enumerate(due)]
        lowest = self.fidelities[0]
        alike = [trial for trial in history if trial.number < 0 or trial.fidelity <= lowest]
        # What was trained for longer cannot be compared, but it is known: the other strategy sees it as under way.
        longer = [Pending(t.number, Proposal(t.candidate)) for t in history if t.number >= 0 and t.fidelity > lowest]
        left = n - len(due)
        new = self.proposer.propose(space, alike, [*longer, *pending, *promoted], seed, left) if left else []
        if left and not new and all(item.proposal.parent is not None for item in pending):
            # No candidate is left and none is under way, so the last cohort stays as small as it is.
            return self._promotions(history, pending, last=True)[:n]
        return due + [replace(proposal, fidelity=lowest) for proposal in new]

    def _promotions(self, history: Sequence[Trial], pending: Sequence[Pending], last: bool = False) -> list[Proposal]:
        """Return the continuations that no one has begun, those nearest to full training first.

        Args:
            history, pending: as for `propose`.
            last: no candidate will come any more, so an incomplete cohort is taken as it is.
        """
        ended = {trial.number: trial for trial in history if trial.number >= 0}
        known: dict[int, Trial | Proposal] = {**ended, **{item.number: item.proposal for item in pending}}
        children = {trial.parent: number for number, trial in sorted(known.items()) if trial.parent is not None}
        fidelities = self.fidelities
        new = ((number, trial) for number, trial in sorted(known.items()) if trial.parent is None)
        started = [number for number, trial in new if trial.fidelity <= fidelities[0]]
        size = self.eta ** (self.rungs - 1)
        due: list[tuple[int, Proposal]] = []
        for start in range(0, len(started) if last else len(started) - size + 1, size):
            cohort = started[start : start + size]
            for rung in range(1, self.rungs):
                if any(number not in ended for number in cohort):
                    break
                best = self._best([ended[number] for number in cohort], self.eta ** (self.rungs - 1 - rung), children)
                for trial in best:
                    if trial.number not in children:
                        origin = f"continues trial {trial.number}"
                        due.append((rung, Proposal(trial.candidate, fidelities[rung], trial.number, origin)))
                cohort = [children[trial.number] for trial in best if trial.number in children]
                if len(cohort) < len(best):
                    break
        return [proposal for _, proposal in sorted(due, key=lambda item: -item[0])]

    @staticmethod
    def _best(cohort: Sequence[Trial], places: int, children: Container[int | None]) -> list[Trial]:
        """Return those of a cohort that go on; of equal scores the earlier.

        Who has gone on already keeps the place: a kill loses what was pending, and the cohorts behind move up.
        """
        finished = [
            (trial.number in children, trial.score, -trial.number) for trial in cohort if trial.score is not None
        ]
        numbers = [-number for *_, number in sorted(finished, reverse=True)[:places]]
        return [trial for number in numbers for trial in cohort if trial.number == number]
