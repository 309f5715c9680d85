"""The border between search strategies and everything else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace, Key
from archwise.trial import Pending, Proposal, Trial

TRIES = 100
"""How often a strategy draws before it gives up its own idea of a new candidate."""
ELSEWHERE = "best of another search"
"""Where a candidate comes from that was good in another search."""
SMALL = 20_000
"""Size up to which a space is looked through for what is left of it."""


class Strategy(Protocol):
    """Chooses what to evaluate next, from the trials it is shown.

    The contract, checked by the shared test-suite:

    - Proposals are inside the space, allowed by it, and new: no trial of this search and nothing pending has their
      key, unless they continue a trial. What another search evaluated is new here.
    - Whatever a strategy keeps between calls is a cache: a fresh object proposes the same. Randomness comes from
      (seed, number of the proposal) alone.
    - What a proposal inherits from is a finished trial of this search, one of the `INHERITABLE` best of its fidelity.
    - Trials of other searches (negative numbers; of other tasks, of other spaces), failures and missing scores are part
      of every history.
    - No proposal while nothing is pending means that the search is over.
    """

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` proposals; the first has the number after the largest that is known, and so on.

        Args:
            space: the candidates.
            history: trials that ended, in the order of their numbers; those of this search are for searching, not for
                confirming.
            pending: proposals still being evaluated.
            seed: the search's seed.
            n: how many workers are free.
        """
        ...


@dataclass(frozen=True)
class Situation:
    """What a strategy knows when it proposes one candidate.

    Args:
        space: the candidates.
        history: the trials that it was shown.
        pending: the proposals being evaluated, and those of the same call.
        seen: keys of all candidates of this search.
        number: of the proposal.
        seed: the search's seed.
    """

    space: JointSpace
    history: Sequence[Trial]
    pending: Sequence[Pending]
    seen: Set[Key]
    number: int
    seed: int

    @cached_property
    def own(self) -> list[Trial]:
        """This search's trials of candidates of the space that ended, by number."""
        own = (trial for trial in self.history if trial.number >= 0 and trial.candidate in self.space)
        return sorted(own, key=lambda trial: trial.number)

    @cached_property
    def finished(self) -> list[Trial]:
        """Those of `own` that have a score."""
        return [trial for trial in self.own if trial.score is not None]

    @cached_property
    def under_way(self) -> list[Candidate]:
        """The candidates that are pending."""
        return [item.proposal.candidate for item in self.pending]

    @cached_property
    def rng(self) -> np.random.Generator:
        """The proposal's own source of randomness."""
        return np.random.default_rng([self.seed, self.number])

    def is_new(self, candidate: Candidate) -> bool:
        """Whether a candidate of the space is allowed and was not seen."""
        return self.space.key(candidate) not in self.seen and self.space.allows(candidate)

    def draw_new(self, draw: Callable[[], Candidate]) -> Candidate | None:
        """Return the first of `TRIES` draws that is allowed and not seen, or None.

        Args:
            draw: makes a candidate of the space, not always a new one.
        """
        return next((candidate for _ in range(TRIES) if self.is_new(candidate := draw())), None)

    def random(self) -> Proposal | None:
        """Return a random candidate that is allowed and not seen.

        Returns:
            None if there is none (in a space too large to look through: if none was drawn).
        """
        candidate = self.draw_new(lambda: self.space.sample(self.rng))
        if candidate is None and self.space.size <= SMALL:
            everything = list(self.space.enumerate())
            in_random_order = (everything[i] for i in self.rng.permutation(len(everything)))
            candidate = next(filter(self.is_new, in_random_order), None)
        return Proposal(candidate, origin="random") if candidate else None

    def best_elsewhere(self, most: int | None = None) -> Proposal | None:
        """Return the best candidate of other searches that is of this space and new here.

        Args:
            most: how many of them this search may begin, however they end; None for any number.

        Returns:
            None if there is none, or so many were begun.
        """
        begun = [*(trial.origin for trial in self.own), *(item.proposal.origin for item in self.pending)]
        if most is not None and begun.count(ELSEWHERE) >= most:
            return None
        others = [t for t in self.history if t.number < 0 and t.score is not None and t.candidate in self.space]
        best = sorted(others, key=lambda trial: -(trial.score or 0.0))
        found = next((trial.candidate for trial in best if self.is_new(trial.candidate)), None)
        return Proposal(found, origin=ELSEWHERE) if found else None


class OneAtATime(ABC):
    """Base of strategies that propose candidates one after another."""

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""

        def propose_next(begun: Sequence[Pending]) -> Proposal | None:
            seen = keys | {space.key(item.proposal.candidate) for item in begun[len(pending) :]}
            if len(seen) >= space.size:
                return None
            return self.propose_one(Situation(space, history, begun, seen, next_number(history, begun), seed))

        keys = keys_of(space, history, pending)
        return one_after_another(propose_next, history, pending, n)

    @abstractmethod
    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a proposal that is new, or None where there is none left."""


def one_after_another(
    propose_next: Callable[[Sequence[Pending]], Proposal | None],
    history: Sequence[Trial],
    pending: Sequence[Pending],
    n: int,
) -> list[Proposal]:
    """Return up to `n` proposals, fewer where there is none left.

    Args:
        propose_next: returns a proposal, or None, when it is given all that is pending, the proposals before it too.
        history: the trials that ended.
        pending: what was pending before.
        n: how many are wanted.
    """
    begun = list(pending)
    while len(begun) < len(pending) + n and (proposal := propose_next(tuple(begun))):
        begun.append(Pending(next_number(history, begun), proposal))
    return [item.proposal for item in begun[len(pending) :]]


def passes_on_weights(strategy: object) -> bool:
    """Whether a strategy, or the one whose candidates it schedules, proposes candidates that inherit weights.

    Such a strategy says so: `inherits = True`.
    """
    if strategy is None:
        return False
    return bool(getattr(strategy, "inherits", False)) or passes_on_weights(getattr(strategy, "proposer", None))


def default_by(strategy: object) -> int:
    """Return among how many first candidates a strategy, or the one whose candidates it schedules, has the default.

    Such a strategy says so: `default_by = 5`; of any other, the search makes the default the first.
    """
    if strategy is None:
        return 1
    return int(getattr(strategy, "default_by", default_by(getattr(strategy, "proposer", None))))


def next_number(history: Sequence[Trial], pending: Sequence[Pending]) -> int:
    """Return the number of the next proposal: one more than the largest so far."""
    return 1 + max([-1, *(trial.number for trial in history), *(item.number for item in pending)])


def keys_of(space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> set[Key]:
    """Return the keys of all candidates that this search evaluated or is evaluating."""
    own = [trial.candidate for trial in history if trial.number >= 0]
    return {space.key(candidate) for candidate in [*own, *(item.proposal.candidate for item in pending)]}
