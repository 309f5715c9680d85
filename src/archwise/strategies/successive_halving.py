"""Successive halving: train many a little, and go on with the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.rungs import Climb, fidelities_of, new_candidates
from archwise.strategies.strategy import Strategy
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
        return fidelities_of(self.eta, self.rungs)

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return continuations that are due, then new candidates at the lowest fidelity."""
        climb = Climb(history, pending, self.fidelities)
        due = self._promotions(climb)[:n]
        left = n - len(due)
        new = new_candidates(self.proposer, space, history, pending, due, self.fidelities[0], seed, left)
        if left and not new and all(item.proposal.parent is not None for item in pending):
            # No candidate is left and none is under way, so the last cohort stays as small as it is.
            return self._promotions(climb, last=True)[:n]
        return due + [replace(proposal, fidelity=self.fidelities[0]) for proposal in new]

    def _promotions(self, climb: Climb, last: bool = False) -> list[Proposal]:
        """Return the continuations that no one has begun, those nearest to full training first.

        Args:
            climb: what the search has begun.
            last: no candidate will come any more, so an incomplete cohort is taken as it is.
        """
        started = [number for number, fidelity in climb.new if fidelity <= self.fidelities[0]]
        size = self.eta ** (self.rungs - 1)
        places = [size // self.eta**rung for rung in range(1, self.rungs)]
        due: list[Proposal] = []
        for start in range(0, len(started) if last else len(started) - size + 1, size):
            due += climb.promotions(started[start : start + size], places)
        return sorted(due, key=lambda proposal: -proposal.fidelity)
