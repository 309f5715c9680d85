"""Performance landmarks: what a few fixed architectures come to after a little training tells tasks apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy, keys_of, next_number
from archwise.trial import Pending, Proposal, Trial

COUNT = 3
"""How many landmarks there are."""
FIDELITY = 1 / 9
"""What share of a full training each gets."""
ORIGIN = "performance landmark"
SEED = 2
"""Of the draws, the same in every search: landmarks are compared from task to task."""
TRIES = 100
"""Most draws."""

Landmarks = Mapping[Candidate, float]
"""Candidate -> its score after a little training."""
Descriptor = Mapping[str, float] | None
"""Numbers that describe a task; None where not known."""


class PerformanceLandmarks:
    """Trains a few fixed architectures a little, then searches by a strategy that knows how they did.

    The landmarks are the same in every search of a space. They are trials like others, and paid for like others; the
    strategy behind is not shown them, but in their scores, and what it proposes of them is trained on. Where workers
    wait while landmarks are being trained, it proposes without them.

    So the default is among the first eight candidates, not five, for what a little more than five trainings cost.

    Source: landmarking of Pfahringer et al. 2000, Meta-learning by landmarking various learning algorithms.

    Args:
        make: makes the strategy that searches from the landmarks that have a score.
        default_by: among how many first candidates that strategy has the space's default.
    """

    def __init__(self, make: Callable[[Landmarks], Strategy], default_by: int):
        self.default_by = default_by + COUNT
        self.proposer = make({})
        self._make = make
        self._scores: Landmarks = {}

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""
        known = keys_of(space, history, pending)
        due = [candidate for candidate in landmarks(space) if space.key(candidate) not in known]
        first = [Proposal(candidate, FIDELITY, origin=ORIGIN) for candidate in due[:n]]
        under_way = [*pending, *(Pending(next_number(history, pending) + i, p) for i, p in enumerate(first))]
        ended = [trial for trial in history if trial.number >= 0 and trial.origin == ORIGIN and trial.fidelity < 1]
        scored = {space.key(trial.candidate): trial for trial in ended if trial.score is not None}
        waits = any(item.proposal.origin == ORIGIN for item in under_way)
        self._learn({} if waits else {trial.candidate: trial.score or 0.0 for trial in scored.values()})
        if len(first) == n:
            return first
        hidden = {trial.number for trial in scored.values()}
        shown = [trial for trial in history if trial.number not in hidden]
        found = self.proposer.propose(space, shown, under_way, seed, n - len(first))
        return [*first, *(_continued(proposal, scored.get(space.key(proposal.candidate))) for proposal in found)]

    def _learn(self, scores: Landmarks) -> None:
        if scores != self._scores:
            self.proposer, self._scores = self._make(scores), scores


def _continued(proposal: Proposal, landmark: Trial | None) -> Proposal:
    """Return a proposal as the continuation of the landmark that is the same network trained alike."""
    return replace(proposal, candidate=landmark.candidate, parent=landmark.number) if landmark else proposal


def landmarks(space: JointSpace) -> list[Candidate]:
    """Return a space's landmarks: random candidates, none of them the default; fewer where a space is small."""
    default = space.starting_candidate
    found = {space.key(default): default}
    for number in range(TRIES):
        candidate = space.sample(np.random.default_rng([SEED, number]))
        if space.allows(candidate):
            found.setdefault(space.key(candidate), candidate)
        if len(found) > COUNT:
            break
    return list(found.values())[1:] if space.size > 4 * COUNT else []


def described(
    descriptor: Descriptor, past: Sequence[Descriptor], scores: Landmarks, said: np.ndarray
) -> tuple[Descriptor, list[Descriptor]]:
    """Return the descriptors of a task and of past ones, with how landmarks did on each beside what they had.

    Args:
        descriptor: of the task.
        past: of past tasks.
        scores: the landmarks that have a score on the task.
        said: what the surrogate of each past task says of each of them: (landmarks, past tasks).
    """
    if len(scores) < 2:
        return descriptor, list(past)
    own = _numbers(np.array(list(scores.values())))
    return {**(descriptor or {}), **own}, [
        {**(task or {}), **_numbers(column)} for task, column in zip(past, said.T, strict=True)
    ]


def _numbers(scores: np.ndarray) -> dict[str, float]:
    """Return scores in their own unit and level, by name."""
    standard = (scores - scores.mean()) / max(float(scores.std()), 1e-9)
    return {f"landmark {number}": float(score) for number, score in enumerate(standard)}
