"""What needs no model of the new task: the favourites of past tasks, one after another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from archwise.meta.agreement import places, rank_correlation
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal, Trial

FAVOURITES = 1000
"""Candidates that are listed once; after these, random ones follow."""


class MeanPrediction(OneAtATime):
    """Proposes what the surrogates of past tasks promise most of on average, best first; its own trials teach nothing.

    Args:
        past: past tasks.
    """

    def __init__(self, past: Sequence[PastTask]):
        self.past = tuple(past)
        self._listed: tuple[JointSpace, list[Candidate]] | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the first of the list that is new."""
        if self._listed is None or self._listed[0] is not now.space:
            sources = Sources(self.past, now.space)
            self._listed = now.space, sources.promising(FAVOURITES) if len(sources) else []
        return _first_new(self._listed[1], now, "past tasks' mean prediction")


class MeanRank(OneAtATime):
    """Proposes the candidates of the best mean rank on past tasks, best first; its own trials teach nothing.

    A candidate's rank on a past task is its place among all that were tried there, between 0 and 1; failed ones are
    last. Of several trials of it on one task, it is their mean. The mean is over the past tasks that tried it; of equal
    means, that of more tasks comes first.

    Args:
        past: past tasks.
    """

    def __init__(self, past: Sequence[PastTask]):
        self.past = tuple(past)
        self._listed: tuple[JointSpace, list[Candidate]] | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the first of the list that is new."""
        if self._listed is None or self._listed[0] is not now.space:
            self._listed = now.space, self._by_mean_rank(now.space)
        return _first_new(self._listed[1], now, "past tasks' mean rank")

    def _by_mean_rank(self, space: JointSpace) -> list[Candidate]:
        ranks: dict[Candidate, list[float]] = defaultdict(list)
        for task in self.past:
            for candidate, several in _ranks(task.within(space)).items():
                ranks[candidate].append(fmean(several))
        return sorted(ranks, key=lambda candidate: (fmean(ranks[candidate]), -len(ranks[candidate])))


class NearestTask(OneAtATime):
    """Proposes the best candidates of the past task that agrees most with this search's trials, best first.

    Agreement is the rank correlation of the scores with what the past task's surrogate predicts; before there are three
    of them, the past task with the most trials is nearest.

    Args:
        past: past tasks.
    """

    def __init__(self, past: Sequence[PastTask]):
        self.past = tuple(past)
        self._memory: tuple[JointSpace, Sources, list[list[Candidate]]] | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the first of the nearest past task's list that is new, then those of the next nearest."""
        if self._memory is None or self._memory[0] is not now.space:
            sources = Sources(self.past, now.space)
            self._memory = now.space, sources, [_best_first(task, now.space) for task in sources.used]
        _, sources, lists = self._memory
        nearness = np.array([len(listed) for listed in lists], dtype=float)
        if len(now.finished) >= 3:
            scores = np.array([trial.score for trial in now.finished])
            predicted = sources.predict([trial.candidate for trial in now.finished])
            nearness = np.array([rank_correlation(column, scores) for column in predicted.T])
        order = np.argsort(-nearness, kind="stable")
        return _first_new([candidate for i in order for candidate in lists[i]], now, "nearest past task's best")


def _ranks(trials: Sequence[Trial]) -> dict[Candidate, list[float]]:
    """Return the places between 0 and 1 of each candidate's trials among all."""
    scores = np.array([-np.inf if trial.score is None else trial.score for trial in trials])
    found: dict[Candidate, list[float]] = defaultdict(list)
    for trial, place in zip(trials, places(-scores).tolist(), strict=True):
        found[trial.candidate].append((place - 1) / max(1, len(trials) - 1))
    return found


def _best_first(task: PastTask, space: JointSpace) -> list[Candidate]:
    finished = [trial for trial in task.within(space) if trial.score is not None]
    return [trial.candidate for trial in sorted(finished, key=lambda trial: -(trial.score or 0.0))]


def _first_new(listed: Sequence[Candidate], now: Situation, origin: str) -> Proposal | None:
    found = next(filter(now.is_new, listed), None)
    return Proposal(found, origin=origin) if found else now.random()
