"""The border between search strategies and everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace, Key
from archwise.trial import Pending, Proposal, Trial

TRIES = 100
"""How often a new candidate is drawn before the whole space is looked through for one."""
SMALL = 20_000
"""Size up to which a space is looked through."""


class Strategy(Protocol):
    """Chooses what to evaluate next, from the trials it is shown.

    The contract, checked by the shared test-suite: proposals are inside the space, allowed by it, and new (their key
    is none of the history's or the pending ones', unless they continue a trial). Whatever a strategy keeps between
    calls is a cache: a fresh object proposes the same. Randomness comes from (seed, number of the proposal) alone.
    Trials of other searches (negative numbers), failures and missing scores are part of every history. No proposal
    while nothing is pending means that the search is over.
    """

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` proposals.

        Args:
            space: the candidates.
            history: trials that ended, in the order of their numbers.
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
    """Return the keys of all candidates that were or are being evaluated; those of other spaces are left out."""
    candidates = [trial.candidate for trial in history] + [item.proposal.candidate for item in pending]
    return {space.key(candidate) for candidate in dict.fromkeys(candidates) if candidate in space}


def fresh(
    space: JointSpace, seen: set[Key], rng: np.random.Generator, draw: Callable[[np.random.Generator], Candidate]
) -> Candidate | None:
    """Return a candidate that is allowed and not seen: from `draw` if that gives one, else from the whole space.

    Args:
        space: the candidates.
        seen: keys of the candidates that are no longer new.
        rng: the source of randomness.
        draw: makes a candidate, not always a new one.

    Returns:
        None if every candidate was seen (of a space too large to look through: if none new was drawn).
    """

    def is_new(candidate: Candidate) -> bool:
        return space.key(candidate) not in seen and space.allows(candidate)

    for attempt in range(4 * TRIES):
        candidate = draw(rng) if attempt < TRIES else space.sample(rng)
        if is_new(candidate):
            return candidate
    if space.size > SMALL:
        return None
    left = [candidate for candidate in space.enumerate() if is_new(candidate)]
    return left[rng.integers(len(left))] if left else None
