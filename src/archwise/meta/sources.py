"""Surrogates of past tasks, and what they predict on the candidates of a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from archwise.meta.agreement import rank_correlation
from archwise.meta.foreign import ForeignSurrogates
from archwise.meta.landmarks import Landmarks, described
from archwise.meta.past_task import PastTask
from archwise.meta.predictions import Means, Predictions
from archwise.meta.similarity import similarity
from archwise.meta.store import Kept, SurrogateStore
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.surrogate import Surrogate
from archwise.tasks.sketch import SAME
from archwise.trial import Trial

REFERENCES = 200
"""Random candidates over which a past task's predictions are standardised."""
LEAST = 5
"""Fewest finished trials in full of a past task that a surrogate is fitted to."""
FEW = 30
"""Finished trials below which scores that follow nothing may do so by chance."""
RELIABLE = 0.5
"""Rank correlation from which few trials are believed to follow the architectures."""
SURE = 0.65
"""Rank correlation from which it is no question whether the scores follow the architectures."""
MOST_TRIED = 2_000
"""Best trials of past tasks together among which the most promising candidates are looked for."""
LOOKED_AT = 300
"""Random candidates among which those are that past tasks promise most of."""
FAVOURITES = 3
"""Best trials of a past task that is not sure."""
CLIMBS = 4
"""How often the neighbours of the most promising are looked at."""
CLIMBERS = 10
"""How many these are."""
NEIGHBOURS = 30
"""Most neighbours of each; of more, as many random mutations."""


class Sources:
    """A surrogate for each past task whose trials say something about a space.

    What a past task says counts as far as its own trials are predicted when they are left out, by their rank
    correlation; one whose scores follow nothing in the architectures (under three standard errors, under 0.5 for few
    trials, or so little that one half of the trials does not predict the other) is left out.

    Args:
        past: past tasks, with trials of candidates of the space, or of another that has layers in common with it.
        space: the candidates.
        descriptor: numbers that describe the new task, by which past ones count more or less; None where not known.
        store: where surrogates are kept that were fitted before; None to fit all of them.
        landmarks: scores of a few candidates on the new task, which describe it too; see `PerformanceLandmarks`.
    """

    def __init__(
        self,
        past: Sequence[PastTask],
        space: JointSpace,
        descriptor: Mapping[str, float] | None = None,
        store: SurrogateStore | None = None,
        landmarks: Landmarks | None = None,
    ):
        self.space = space
        rng = np.random.default_rng(0)
        self.references = [space.sample(rng) for _ in range(REFERENCES)]
        """Candidates over which predictions are standardised."""
        self.unsure: list[PastTask] = []
        """Past tasks of so few trials that nobody can tell whether their scores follow the architectures."""
        self._same_data = [task for task in past if task.same_data >= SAME]
        used: list[_Source] = []
        foreign = ForeignSurrogates(space)
        for task in past:
            finished = [trial for trial in task.within(task.space or space) if trial.score is not None]
            source = _source(task, finished, foreign, self.references, store)
            if source:
                used.append(source)
            elif finished and _are_few(finished) and task.inside(space):
                self.unsure.append(task)
        self.used = [source.task for source in used]
        self.surrogates = [source.surrogate for source in used]
        """The surrogate of each past task that is used."""
        self.trials = [source.finished for source in used]
        """The finished trials that each was made from."""
        self.reliability = np.array([source.agreement for source in used])
        self._tried = [candidate for source in used for candidate in source.best[: max(LEAST, MOST_TRIED // len(used))]]
        self.alone = Predictions(Means(self.surrogates, space, self.trials), self.references, self.reliability)
        """What each past task says of each candidate by its own trials alone; see `predict`."""
        descriptors = [task.descriptor for task in self.used]
        scores = landmarks or {}
        self.shares = similarity(*described(descriptor, descriptors, scores, self.alone(list(scores))))
        """How much each past task counts before the new one has trials; together 1."""
        self._predictions = self.exchanged()

    def exchanged(self) -> Predictions:
        """Return what the past tasks predict, from what each predicts by its own trials; here, just that."""
        return self.alone

    def __len__(self) -> int:
        return len(self.used)

    def predict(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what each past task says of each candidate: (candidates, past tasks).

        Over the space, the mean is 0 and the standard deviation the past task's reliability.
        """
        return self._predictions(candidates)

    def promising(self, count: int) -> list[Candidate]:
        """Return the allowed candidates of which past tasks together promise most, best first; each counts its share.

        They are looked for among random ones, those that past tasks tried, and the neighbours of the best of them.
        """
        rng = np.random.default_rng(1)
        drawn = (self.space.sample(rng) for _ in range(LOOKED_AT))
        pool = list(dict.fromkeys(self._allowed([*self.references, *self._tried, *drawn])))
        climbed: set[Candidate] = set()
        for _ in range(CLIMBS):
            best = [candidate for candidate in self._ranked(pool)[:CLIMBERS] if candidate not in climbed]
            climbed |= set(best)
            near = [n for candidate in best for n in self._near(candidate, rng)]
            pool = list(dict.fromkeys([*pool, *self._allowed(near)]))
        return self._ranked(pool)[:count]

    def favourites(self) -> list[Trial]:
        """Return the best trials of each past task that is not sure, as those of other searches.

        Their numbers are below zero, and their scores 1, 1/2, 1/3, so that those of several past tasks can be compared.
        """
        found = []
        for task in self.unsure:
            finished = [trial for trial in task.within(self.space) if trial.score is not None]
            best = sorted(finished, key=lambda trial: -(trial.score or 0.0))[:FAVOURITES]
            found += [
                replace(trial, outcome=replace(trial.outcome, score=1 / place), parent=None, inherits=None)
                for place, trial in enumerate(best, 1)
            ]
        return [replace(trial, number=number) for number, trial in enumerate(found, -len(found))]

    def best_on_same_data(self) -> Candidate | None:
        """Return the candidate that did best on the same data before; None where that was not searched."""
        for task in self._same_data:
            finished = [trial for trial in task.within(self.space) if trial.score is not None]
            if finished:
                return max(finished, key=lambda trial: trial.score or 0.0).candidate
        return None

    def _near(self, candidate: Candidate, rng: np.random.Generator) -> list[Candidate]:
        near = list(islice(self.space.neighbours(candidate), NEIGHBOURS + 1))
        return near if len(near) <= NEIGHBOURS else [self.space.mutate(candidate, rng) for _ in range(NEIGHBOURS)]

    def _allowed(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        return (candidate for candidate in candidates if self.space.allows(candidate))

    def _ranked(self, pool: Sequence[Candidate]) -> list[Candidate]:
        promise = self.alone(pool) @ self.shares
        return [pool[i] for i in np.argsort(-promise, kind="stable")]


def _are_few(finished: Sequence[Trial]) -> bool:
    """Whether finished trials are too few, or their scores too much alike, to tell what these follow."""
    return len(finished) < FEW or len({trial.score for trial in finished}) < LEAST


class _Source(NamedTuple):
    """A past task that says something."""

    task: PastTask
    finished: Sequence[Trial]
    surrogate: Surrogate
    agreement: float
    """Rank correlation of its trials' scores with what the others predict."""
    best: Sequence[Candidate]
    """Candidates of the new space that it tried, best first."""


def _source(
    task: PastTask,
    finished: Sequence[Trial],
    foreign: ForeignSurrogates,
    references: Sequence[Candidate],
    store: SurrogateStore | None,
) -> _Source | None:
    """Return what a past task has to say; None where it says nothing."""
    if len({trial.score for trial in finished}) < LEAST:
        return None
    own = task.space in (None, foreign.space)
    surrogate = _own_surrogate(foreign.space, finished, store) if own else foreign.surrogate(task)
    if surrogate is None:
        return None
    agreement, least = rank_correlation(*surrogate.left_out()), min(3 / len(finished) ** 0.5, RELIABLE)
    if agreement < least or surrogate.predict(references)[0].std() < 1e-9:
        return None
    if own and agreement < SURE and _between_halves(foreign.space, finished) < least:
        return None
    best = sorted(finished, key=lambda trial: -(trial.score or 0.0))
    return _Source(
        task, finished, surrogate, agreement, [trial.candidate for trial in best if trial.candidate in foreign.space]
    )


def _between_halves(space: JointSpace, finished: Sequence[Trial]) -> float:
    """Return how well each half of some trials predicts the other, as a rank correlation.

    Single trials that are left out are predicted by a kernel whose parameters they helped to choose, so even scores
    that follow nothing seem to agree a little; with halves they do not.
    """
    halves = finished[::2], finished[1::2]
    agreed = []
    for known, others in (halves, halves[::-1]):
        surrogate = Surrogate(space.encoding)
        surrogate.fit(known)
        predicted, _ = surrogate.predict([trial.candidate for trial in others])
        agreed.append(rank_correlation(predicted, np.array([trial.score for trial in others], dtype=float)))
    return float(np.mean(agreed))


def _own_surrogate(space: JointSpace, finished: Sequence[Trial], store: SurrogateStore | None) -> Surrogate:
    """Return a surrogate of finished trials of a space, with what is kept of it where it was fitted before."""
    surrogate = Surrogate(space.encoding)
    kept = store.read(space, finished) if store else None
    candidates = [trial.candidate for trial in finished]
    if kept:
        space.encoding.remember(candidates, kept.rows, kept.sizes)
    surrogate.fit(finished, parameters=kept.parameters if kept else None)
    if store and not kept:
        encoding = space.encoding
        store.write(
            space, finished, Kept(surrogate.process.parameters, encoding(candidates), encoding.sizes(candidates))
        )
    return surrogate
