"""Asynchronous successive halving: whoever is among the best of its rung goes on at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.rungs import Climb, comparable_fidelity, fidelities_of, new_candidates, rung_of
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Proposal, Trial


class AsynchronousSuccessiveHalving:
    """Continues a trial as soon as it is among the best `1 / eta` of all that ended on its rung; never waits.

    A free worker continues the best trial that may go on, on the highest rung that has one; if there is none, it begins
    a new candidate on the lowest rung. No worker is ever idle, however long some trials take. The price is that the
    first trials of a rung are compared with few, so some go on that later ones would have beaten.

    - Failed trials count on their rung and never continue.
    - The proposer compares like with like: of this search it is shown the trials of the highest fidelity at which
      `enough` have finished (the lowest, until then), and all others as under way.
    - When the space is exhausted, the shares of `1 / eta` are rounded up, so something is trained in full.

    Source: Li et al. 2020, A system for massively parallel hyperparameter tuning.

    Args:
        proposer: the strategy that proposes candidates.
        eta: how many of which one goes on; larger stops more trials early.
        rungs: number of fidelities, the full one included; 1 evaluates everything in full.
        enough: how many finished trials of one fidelity the proposer can learn from; larger keeps it longer at the
            lower fidelities, of which there are more.

    Raises:
        ArchwiseError: eta is less than 2, or rungs or enough less than 1.

    Example:
        >>> from archwise.strategies.random_search import RandomSearch
        >>> AsynchronousSuccessiveHalving(RandomSearch(), eta=4, rungs=3).fidelities
        (0.0625, 0.25, 1.0)
    """

    def __init__(self, proposer: Strategy, eta: int = 3, rungs: int = 4, enough: int = 20):
        if eta < 2 or rungs < 1 or enough < 1:
            raise ArchwiseError(
                f"Asynchronous successive halving needs eta of at least 2, one rung or more and enough of 1 or more,"
                f" not {eta}, {rungs} and {enough}."
            )
        self.proposer = proposer
        self.eta = eta
        self.rungs = rungs
        self.enough = enough

    @property
    def fidelities(self) -> tuple[float, ...]:
        """The rungs' fidelities, from the lowest to 1."""
        return fidelities_of(self.eta, self.rungs)

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return continuations of the best, then new candidates at the lowest fidelity."""
        climb = Climb(history, pending, self.fidelities)
        due = self._promotions(climb)[:n]
        fidelity = comparable_fidelity(history, self.fidelities, self.enough)
        left = n - len(due)
        new = new_candidates(self.proposer, space, history, pending, due, fidelity, seed, left)
        if left and not new:
            return self._promotions(climb, last=True)[:n]
        return due + [replace(proposal, fidelity=self.fidelities[0]) for proposal in new]

    def _promotions(self, climb: Climb, last: bool = False) -> list[Proposal]:
        """Return the continuations that no one has begun, those nearest to full training first.

        Args:
            climb: what the search has begun.
            last: no candidate will come any more, so the shares are rounded up.
        """
        due: list[Proposal] = []
        for rung in reversed(range(self.rungs - 1)):
            ended = [trial for trial in climb.ended.values() if rung_of(trial.fidelity, self.fidelities) == rung]
            places = (len(ended) + (self.eta - 1 if last else 0)) // self.eta
            finished = [trial for trial in ended if trial.score is not None]
            best = sorted(finished, key=lambda trial: -(trial.outcome.score or 0.0))[:places]
            due += [climb.continuation(trial, rung + 1) for trial in best if trial.number not in climb.children]
        return due
