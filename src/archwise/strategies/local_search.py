"""Local search: climb from a random candidate, one choice at a time, and start anew at the top."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.spaces.walks import keeping
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal, Trial

NEIGHBOUR = "neighbour of trial "
"""Begins the origin of a candidate that is not the start of a climb."""


class LocalSearch(OneAtATime):
    """First-improvement local search with restarts.

    The first climb starts at the best candidate of other searches, if any is shown, all others at a random one. A climb
    looks at the neighbours of the best trial it has, in random order, and the first that scores more is the next whose
    neighbours are looked at. When all neighbours were looked at and none is better, a new climb starts.

    - A neighbour differs in one choice. Where another option opens further choices, these are drawn once for each
      position: it has one neighbour for each other option of each choice, however many architectures these lead to.
    - What was seen before, in this climb or another, is not looked at again.
    - Failed trials are never better.
    - With many workers, neighbours under way count as looked at. When nothing is left to look at, free workers start
      further climbs; the climb that stands highest goes on first, also an old one that a late trial takes higher.
    - What belongs to which climb is read from the trials' origins; a trial of unknown origin starts a climb.

    Source: White et al. 2021, Exploring the loss landscape in neural architecture search (the variant that moves on at
    the first improvement).

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.mlp import mlp
        >>> space = JointSpace(mlp(), training_recipe("table"))
        >>> [proposal] = LocalSearch().propose(space, [], [], seed=0, n=1)
        >>> proposal.origin
        'random'
    """

    def __init__(self) -> None:
        self._neighbours = lru_cache(maxsize=256)(_neighbours)
        self._allows = lru_cache(maxsize=1 << 14)(_allows)

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a neighbour that was not seen of the best position that has one, or else a start."""
        for position in _positions(now.own):
            for candidate in self._neighbours(now.space, position.candidate, now.seed, position.number):
                if now.space.key(candidate) not in now.seen and self._allows(now.space, candidate):
                    return Proposal(candidate, origin=f"{NEIGHBOUR}{position.number}")
        return now.best_elsewhere(most=1) or now.random()


def _allows(space: JointSpace, candidate: Candidate) -> bool:
    """Whether a space, of whatever kind, allows a candidate."""
    return space.allows(candidate)


def _positions(trials: Sequence[Trial]) -> list[Trial]:
    """Return the best finished trial of each climb, the best of all first; of equal scores the earlier.

    Args:
        trials: this search's, by number.
    """
    start_of: dict[int, int] = {}
    best: dict[int, tuple[float, int, Trial]] = {}
    for trial in trials:
        start = start_of[trial.number] = start_of.get(_looked_from(trial), trial.number)
        if trial.score is not None:
            reached = (-trial.score, trial.number, trial)
            best[start] = min(best.get(start, reached), reached)
    return [trial for _, _, trial in sorted(best.values())]


def _looked_from(trial: Trial) -> int:
    """Return the number of the trial whose neighbour this is, -1 for the start of a climb."""
    number = trial.origin.removeprefix(NEIGHBOUR)
    return int(number) if number != trial.origin and number.isdecimal() else -1


def _neighbours(space: JointSpace, candidate: Candidate, seed: int, number: int) -> list[Candidate]:
    """Return a neighbour for each other option of each active choice of a trial's candidate, in random order.

    Args:
        space: the candidates.
        candidate: one of them.
        seed: the search's seed.
        number: the trial's number.
    """
    rng = np.random.default_rng([seed, number, 1])  # other numbers than those that drew the candidate
    decisions = space.decisions(candidate)
    found = []
    for decision in decisions:
        for label in (decision.choice.labels[i] for i in decision.allowed if i != decision.index):
            kept = {**{d.path: d.label for d in decisions}, decision.path: label}
            found.append(space.derive(keeping(kept, lambda _path, _choice, open_: open_[rng.integers(len(open_))])))
    return [found[i] for i in rng.permutation(len(found))]
