"""Hyperband: successive halving with several answers to how many candidates to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.rungs import Climb, comparable_fidelity, fidelities_of, new_candidates, rung_of
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Proposal, Trial


class Hyperband:
    """Runs brackets of successive halving in turn, from many candidates at a low fidelity to a few in full.

    A bracket begins on one of the rungs, and its best `1 / eta` go on to each rung above; each costs about as much as
    the others. The first begins `eta ** (rungs - 1)` candidates on the lowest rung, the last `rungs` candidates in
    full; then the first comes again. Where low fidelities mislead, the later brackets still find what is good; where
    they do not, the first is the fastest.

    - With a strategy that models its history as the proposer, this is BOHB. The proposer compares like with like: of
      this search it is shown the trials of the highest fidelity at which `enough` have finished (the lowest, until
      then), and all others as under way.
    - While a bracket waits for its last trials, free workers begin the next one.
    - Failed trials are part of their bracket and never continue.
    - A trial's bracket follows from where it began and from how many began there before. What was evaluated before the
      first trial of the lowest fidelity belongs to none.
    - When the space is exhausted, brackets that are not full are taken as they are.

    Source: Li et al. 2018, Hyperband: a novel bandit-based approach to hyperparameter optimization; Falkner et al.
    2018, BOHB: robust and efficient hyperparameter optimization at scale.

    Args:
        proposer: the strategy that proposes candidates.
        eta: how many of which one goes on; larger stops more trials early.
        rungs: number of fidelities, the full one included, and of brackets; 1 evaluates everything in full.
        enough: how many finished trials of one fidelity the proposer can learn from; larger keeps it longer at the
            lower fidelities, of which there are more.

    Raises:
        ArchwiseError: eta is less than 2, or rungs or enough less than 1.

    Example:
        >>> from archwise.strategies.random_search import RandomSearch
        >>> Hyperband(RandomSearch(), eta=3, rungs=4).sizes
        (27, 12, 6, 4)
    """

    def __init__(self, proposer: Strategy, eta: int = 3, rungs: int = 4, enough: int = 20):
        if eta < 2 or rungs < 1 or enough < 1:
            raise ArchwiseError(
                f"Hyperband needs eta of at least 2, one rung or more and enough of 1 or more, not {eta}, {rungs} and"
                f" {enough}."
            )
        self.proposer = proposer
        self.eta = eta
        self.rungs = rungs
        self.enough = enough

    @property
    def fidelities(self) -> tuple[float, ...]:
        """The rungs' fidelities, from the lowest to 1."""
        return fidelities_of(self.eta, self.rungs)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many candidates the bracket that begins on each rung begins with."""
        return tuple(-(-self.rungs * self.eta**above // (above + 1)) for above in reversed(range(self.rungs)))

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return continuations that are due, then new candidates for the first bracket that is not full."""
        climb = Climb(history, pending, self.fidelities)
        begun = self._begun(climb)
        due = self._promotions(climb, begun)[:n]
        fidelity = comparable_fidelity(history, self.fidelities, self.enough)
        left = n - len(due)
        new = new_candidates(self.proposer, space, history, pending, due, fidelity, seed, left)
        if left and not new and all(item.proposal.parent is not None for item in pending):
            # No candidate is left and none is under way, so what has begun is all there will be.
            return self._promotions(climb, begun, last=True)[:n]
        starts = self._starts([len(numbers) for numbers in begun], len(new))
        return due + [replace(proposal, fidelity=start) for proposal, start in zip(new, starts, strict=True)]

    def _begun(self, climb: Climb) -> list[list[int]]:
        """Return for each rung the numbers of the trials that brackets began there, in order."""
        begun: list[list[int]] = [[] for _ in self.fidelities]
        for number, fidelity in climb.new:
            rung = rung_of(fidelity, self.fidelities)
            if rung == 0 or (rung is not None and begun[0]):
                begun[rung].append(number)
        return begun

    def _starts(self, begun: Sequence[int], n: int) -> list[float]:
        """Return the fidelities of the next `n` new candidates, when so many have begun on each rung."""
        counts, starts = list(begun), []
        for _ in range(n):
            rung = min(range(self.rungs), key=lambda rung: counts[rung] // self.sizes[rung])
            counts[rung] += 1
            starts.append(self.fidelities[rung])
        return starts

    def _promotions(self, climb: Climb, begun: Sequence[Sequence[int]], last: bool = False) -> list[Proposal]:
        """Return the continuations that no one has begun, those nearest to full training first.

        Args:
            climb: what the search has begun.
            begun: for each rung, the trials that brackets began there.
            last: no candidate will come any more, so incomplete brackets are taken as they are.
        """
        due: list[Proposal] = []
        for rung, (numbers, size) in enumerate(zip(begun, self.sizes, strict=True)):
            places = [size // self.eta**up for up in range(1, self.rungs - rung)]
            for start in range(0, len(numbers) if last else len(numbers) - size + 1, size):
                due += climb.promotions(numbers[start : start + size], places)
        return sorted(due, key=lambda proposal: -proposal.fidelity)
