"""What strategies share that propose by a model which was learnt from past tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.pool import CandidatePool
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal

FIRST = 3
"""Trials that must have finished before the model is asked."""
PROMISING = 200
"""Candidates of which past tasks promise most that are always looked at."""
SPREAD = 0.5
"""What a first candidate gains by being as far from those before it as random ones are from each other."""
DEFAULT_BY = 5
"""The space's default is among so many first candidates."""


class Model(Protocol):
    """What was learnt from past tasks, and goes on learning from the trials of a search."""

    def promise(self, now: Situation, pool: Sequence[Candidate]) -> np.ndarray:
        """Return how promising each member of a pool is, larger for better; a few trials at least have scores."""


class ModelFromPastTasks(OneAtATime):
    """Base of strategies that propose what a model learnt from past tasks promises most of.

    - The first candidates are those that the surrogates of past tasks take for the best on average, spread apart.
    - The default is among the first five.
    - Where no past task says anything about the space, or after the first candidates, where none has anything to teach
      the model, Bayesian optimisation from scratch proposes.

    Args:
        past: past tasks.
    """

    default_by = DEFAULT_BY
    origin: str
    """What is said of the model's candidates."""

    def __init__(self, past: Sequence[PastTask]):
        self.past = tuple(past)
        self._scratch = BayesianOptimization()
        self._memory: _Memory | None = None
        self._pool: CandidatePool | None = None

    @abstractmethod
    def learn(self, sources: Sources) -> Model | None:
        """Return a model, learnt from one past task or more; None where these have nothing to teach it."""

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the candidate of the largest promise that is new."""
        if self._memory is None or self._memory.space is not now.space:
            self._memory = _Memory(now.space, self.past)
        memory = self._memory
        if not len(memory.sources):
            return self._scratch.propose_one(now)
        default = now.space.starting_candidate
        if len(now.seen) == DEFAULT_BY - 1 and now.is_new(default):
            return Proposal(default, origin="the space's default")
        if len(now.finished) < FIRST:
            pool, origin = memory.promising, "promised by past tasks"
            promise = memory.spread_apart([*(trial.candidate for trial in now.own), *now.under_way])
        else:
            if not memory.taught:
                memory.model, memory.taught = self.learn(memory.sources), True
            if memory.model is None:
                return self._scratch.propose_one(now)
            pool, origin = self._around(now, memory), self.origin
            promise = memory.model.promise(now, pool) if pool else np.zeros(0)
        best = (pool[i] for i in np.argsort(-promise, kind="stable"))
        candidate = next(filter(now.is_new, best), None)
        return Proposal(candidate, origin=origin) if candidate else now.random()

    def _around(self, now: Situation, memory: _Memory) -> list[Candidate]:
        """Return the candidates that are looked at."""
        if self._pool is None or self._pool.space is not now.space or self._pool.seed != now.seed:
            self._pool = CandidatePool(now.space, now.seed)
        known = {*(trial.candidate for trial in now.own), *now.under_way}
        pool = [*self._pool.around(now.number, now.finished), *memory.promising]
        return [candidate for candidate in dict.fromkeys(pool) if candidate not in known]


class _Memory:
    """What was computed for one space."""

    def __init__(self, space: JointSpace, past: Sequence[PastTask]):
        self.space = space
        self.sources = Sources(past, space)
        self.promising = self.sources.promising(PROMISING) if len(self.sources) else []
        self.model: Model | None = None
        self.taught = False

    def spread_apart(self, known: Sequence[Candidate]) -> np.ndarray:
        """Return what past tasks promise of the promising, more of what is far from known candidates."""
        promise: np.ndarray = self.sources.predict(self.promising).mean(axis=1)
        if not known:
            return promise
        rows, others = self.space.encoding(self.promising), self.space.encoding(known)
        squares = ((rows[:, None] - others[None]) ** 2).sum(axis=2) / max(1, len(self.space.encoding.groups))
        apart: np.ndarray = promise + SPREAD * np.sqrt(squares.min(axis=1))
        return apart
