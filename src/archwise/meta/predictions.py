"""What surrogates of past tasks predict together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from archwise.meta.source_prior import Predict
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.stacked import StackedMeans
from archwise.strategies.surrogate import MOST, Surrogate, thinned
from archwise.trial import Trial


class Predictions:
    """What several models predict, remembered, with mean 0 over some candidates and each model's own deviation.

    Args:
        means: returns what each model predicts for each candidate: (candidates, models).
        references: the candidates over which that is standardised.
        deviations: (models,).
    """

    def __init__(self, means: Predict, references: Sequence[Candidate], deviations: np.ndarray):
        self._means = means
        said = means(references)
        self._level, self._scale = said.mean(axis=0), deviations / np.maximum(said.std(axis=0), 1e-9)
        self._known: dict[Candidate, np.ndarray] = {}

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what each model says of each candidate: (candidates, models)."""
        new = [candidate for candidate in dict.fromkeys(candidates) if candidate not in self._known]
        if new:
            self._known.update(zip(new, (self._means(new) - self._level) * self._scale, strict=True))
        known = [self._known[candidate] for candidate in candidates]
        return np.array(known).reshape(len(candidates), len(self._level))


class Means:
    """What surrogates predict: those of one encoding in one product, those of other spaces' trials one by one.

    Args:
        surrogates: of past tasks.
        space: the candidates.
        trials: of each past task, the finished ones that its surrogate was made from.
    """

    def __init__(self, surrogates: Sequence[Surrogate], space: JointSpace, trials: Sequence[Sequence[Trial]]):
        self._count = len(surrogates)
        self._others = {i: each for i, each in enumerate(surrogates) if each.encoding is not space.encoding}
        self._stacked = [i for i in range(self._count) if i not in self._others]
        stacked = [surrogates[i] for i in self._stacked]
        self._look = stacked[0].look if stacked else None
        self._together = StackedMeans([each.process for each in stacked]) if stacked else None
        self._measured = Measured(stacked, [trials[i] for i in self._stacked])

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what each surrogate predicts for each candidate: (candidates, surrogates)."""
        means = np.zeros((len(candidates), self._count))
        if self._look and self._together:
            seen = self._look(candidates)
            means[:, self._stacked] = self._measured(candidates, self._together(seen.rows, seen.trend))
        for i, surrogate in self._others.items():
            means[:, i], _ = surrogate.predict(candidates)
        return means


class Measured:
    """What past tasks measured beyond the trials that their surrogates are conditioned on, 600 each.

    Where a past task has tried a candidate, what its surrogate predicts of that is conditioned on this one trial more.

    Args:
        surrogates: of past tasks, all of one encoding.
        trials: of each past task, the finished ones that its surrogate was made from.
    """

    def __init__(self, surrogates: Sequence[Surrogate], trials: Sequence[Sequence[Trial]]):
        pairs = enumerate(zip(surrogates, trials, strict=True))
        told = [(i, surrogate, _beyond(surrogate, finished)) for i, (surrogate, finished) in pairs]
        self._told = [(i, surrogate, values) for i, surrogate, values in told if values]

    def __call__(self, candidates: Sequence[Candidate], means: np.ndarray) -> np.ndarray:
        """Return what surrogates predict for candidates, (candidates, surrogates), conditioned on what was measured."""
        found = means.copy()
        for i, surrogate, values in self._told:
            places = [place for place, candidate in enumerate(candidates) if candidate in values]
            if places:
                known = [candidates[place] for place in places]
                _, deviation = surrogate.predict(known)
                trust = deviation**2 / (deviation**2 + surrogate.process.noise)
                found[places, i] += trust * (np.array([values[c] for c in known]) - found[places, i])
        return found


def _beyond(surrogate: Surrogate, trials: Sequence[Trial]) -> Mapping[Candidate, float]:
    """Return the scores of candidates that a surrogate was not told of, in its unit."""
    known = thinned(trials, MOST)
    if len(known) == len(trials):
        return {}
    told = {trial.candidate for trial in known}
    values = surrogate.process.values + surrogate.look([trial.candidate for trial in known]).mean
    scores = np.array([trial.score for trial in known], dtype=float)
    order = np.argsort(scores)
    others = [trial for trial in trials if trial.candidate not in told]
    measured = np.interp([trial.score or 0.0 for trial in others], scores[order], values[order])
    return {trial.candidate: float(value) for trial, value in zip(others, measured, strict=True)}
