"""The border between search strategies and everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class Proposer(Protocol):
    """A strategy that proposes one new candidate at a time; `OneByOne` makes it a `Strategy`."""

    def propose_one(
        self, space: JointSpace, history: Sequence[Trial], seen: set[Key], rng: np.random.Generator
    ) -> Proposal | None:
        """Return a proposal whose key is not in `seen`, or None where there is none left."""
        ...


class OneByOne:
    """Base of strategies that propose candidates one after another, each with a random generator of its own."""

    def propose(
        self: Proposer, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""
        seen = keys_of(space, history, pending)
        first = next_number(history, pending)
        proposals: list[Proposal] = []
        for number in range(first, first + n):
            if len(seen) >= space.size:
                break
            proposal = self.propose_one(space, history, seen, np.random.default_rng([seed, number]))
            if proposal is None:
                break
            seen.add(space.key(proposal.candidate))
            proposals.append(proposal)
        return proposals


def next_number(history: Sequence[Trial], pending: Sequence[Pending]) -> int:
    """Return the number of the next proposal: one more than the largest so far."""
    return 1 + max([-1, *(trial.number for trial in history), *(item.number for item in pending)])


def keys_of(space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> set[Key]:
    """Return the keys of all candidates that this search evaluated or is evaluating."""
    own = [trial.candidate for trial in history if trial.number >= 0]
    return {space.key(candidate) for candidate in [*own, *(item.proposal.candidate for item in pending)]}


def draw_new(space: JointSpace, seen: set[Key], draw: Callable[[], Candidate]) -> Candidate | None:
    """Return the first of `TRIES` draws that is allowed and not seen, or None.

    Args:
        space: the candidates.
        seen: keys of the candidates that are no longer new.
        draw: makes a candidate of the space, not always a new one.
    """
    return next((candidate for _ in range(TRIES) if is_new(space, seen, candidate := draw())), None)


def best_elsewhere(space: JointSpace, history: Sequence[Trial], seen: set[Key]) -> Proposal | None:
    """Return the best candidate of other searches that is of this space and new here, None where there is none."""
    others = [t for t in history if t.number < 0 and t.score is not None and t.candidate in space]
    best = sorted(others, key=lambda trial: -(trial.score or 0.0))
    found = next((trial.candidate for trial in best if is_new(space, seen, trial.candidate)), None)
    return Proposal(found, origin="best of another search") if found else None


def random_proposal(space: JointSpace, seen: set[Key], rng: np.random.Generator) -> Proposal | None:
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


def is_new(space: JointSpace, seen: set[Key], candidate: Candidate) -> bool:
    """Whether a candidate of the space is allowed and was not seen."""
    return space.key(candidate) not in seen and space.allows(candidate)
