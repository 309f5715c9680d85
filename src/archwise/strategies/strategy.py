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
        under_way: the candidates being evaluated, and those proposed in the same call.
        seen: keys of all candidates of this search.
        number: of the proposal.
        seed: the search's seed.
    """

    space: JointSpace
    history: Sequence[Trial]
    under_way: Sequence[Candidate]
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
    def rng(self) -> np.random.Generator:
        """The proposal's own source of randomness."""
        return np.random.default_rng([self.seed, self.number])

    def is_new(self, candidate: Candidate) -> bool:
        """Whether a candidate of the space is allowed and was not seen."""
        return is_new(self.space, self.seen, candidate)

    def draw_new(self, draw: Callable[[], Candidate]) -> Candidate | None:
        """Return the first of some draws that is allowed and not seen, or None."""
        return draw_new(self.space, self.seen, draw)

    def random(self) -> Proposal | None:
        """Return a random candidate that is allowed and not seen; None if there is none."""
        return random_proposal(self.space, self.seen, self.rng)

    def best_elsewhere(self) -> Proposal | None:
        """Return the best candidate of other searches that is of this space and new here, None if there is none."""
        others = [t for t in self.history if t.number < 0 and t.score is not None and t.candidate in self.space]
        best = sorted(others, key=lambda trial: -(trial.score or 0.0))
        found = next((trial.candidate for trial in best if self.is_new(trial.candidate)), None)
        return Proposal(found, origin="best of another search") if found else None


class OneAtATime(ABC):
    """Base of strategies that propose candidates one after another."""

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""
        seen = keys_of(space, history, pending)
        under_way = [item.proposal.candidate for item in pending]
        first = next_number(history, pending)
        proposals: list[Proposal] = []
        for number in range(first, first + n):
            if len(seen) >= space.size:
                break
            proposal = self.propose_one(Situation(space, history, under_way, seen, number, seed))
            if proposal is None:
                break
            seen = seen | {space.key(proposal.candidate)}
            under_way = [*under_way, proposal.candidate]
            proposals.append(proposal)
        return proposals

    @abstractmethod
    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a proposal that is new, or None where there is none left."""


def passes_on_weights(strategy: object) -> bool:
    """Whether a strategy, or the one whose candidates it schedules, proposes candidates that inherit weights.

    Such a strategy says so: `inherits = True`.
    """
    if strategy is None:
        return False
    return bool(getattr(strategy, "inherits", False)) or passes_on_weights(getattr(strategy, "proposer", None))


def next_number(history: Sequence[Trial], pending: Sequence[Pending]) -> int:
    """Return the number of the next proposal: one more than the largest so far."""
    return 1 + max([-1, *(trial.number for trial in history), *(item.number for item in pending)])


def keys_of(space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> set[Key]:
    """Return the keys of all candidates that this search evaluated or is evaluating."""
    own = [trial.candidate for trial in history if trial.number >= 0]
    return {space.key(candidate) for candidate in [*own, *(item.proposal.candidate for item in pending)]}


def draw_new(space: JointSpace, seen: Set[Key], draw: Callable[[], Candidate]) -> Candidate | None:
    """Return the first of `TRIES` draws that is allowed and not seen, or None.

    Args:
        space: the candidates.
        seen: keys of the candidates that are no longer new.
        draw: makes a candidate of the space, not always a new one.
    """
    return next((candidate for _ in range(TRIES) if is_new(space, seen, candidate := draw())), None)


def random_proposal(space: JointSpace, seen: Set[Key], rng: np.random.Generator) -> Proposal | None:
    """Return a random candidate that is allowed and not seen.

    Returns:
        None if there is none (in a space too large to look through: if none was drawn).
    """
    candidate = draw_new(space, seen, lambda: space.sample(rng))
    if candidate is None and space.size <= SMALL:
        everything = list(space.enumerate())
        in_random_order = (everything[i] for i in rng.permutation(len(everything)))
        candidate = next((c for c in in_random_order if is_new(space, seen, c)), None)
    return Proposal(candidate, origin="random") if candidate else None


def is_new(space: JointSpace, seen: Set[Key], candidate: Candidate) -> bool:
    """Whether a candidate of the space is allowed and was not seen."""
    return space.key(candidate) not in seen and space.allows(candidate)
