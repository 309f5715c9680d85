"""A model of scores over a space, made from the trials of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.encoding import Encoding
from archwise.spaces.extended import ExtendedEncoding
from archwise.strategies.gaussian_process import GaussianProcess
from archwise.trial import Trial

MOST = 600
"""Most trials that a model is conditioned on: of more, the best 180, the last 120, and evenly spread ones."""
MOST_CHOOSING = 150
"""Most trials by which the kernel's parameters are chosen, picked alike."""
TREND = 0.1
"""Prior variance of how scores follow the logarithm of a network's parameters."""
LEAST_FEASIBLE = 0.02
"""Least probability of success that the model gives a candidate."""


class Surrogate:
    """A Gaussian process on the encodings of one space's candidates.

    Scores below the median count on a logarithmic scale, as a few broken architectures would flatten all others. The
    kernel's parameters are chosen anew whenever the number of trials has grown by a sixteenth.

    Args:
        encoding: of the space's candidates.
    """

    def __init__(self, encoding: Encoding | ExtendedEncoding):
        self.encoding = encoding
        self._process = GaussianProcess(encoding.groups)
        self._feasibility: GaussianProcess | None = None
        self._chosen: dict[tuple[tuple[Candidate, float], ...], np.ndarray] = {}

    def fit(self, trials: Sequence[Trial], believed: Sequence[Candidate] = ()) -> None:
        """Condition on trials of this space that ended.

        Args:
            trials: finished ones, two or more, and failed ones.
            believed: candidates under way, each taken to get the score that is predicted for it (the kriging believer
                of Ginsbourger et al. 2010), so that no worker repeats another's idea.
        """
        finished = [trial for trial in trials if trial.score is not None]
        known = thinned(finished, MOST)
        scores = standardised([trial.score or 0.0 for trial in known])
        rows, trend = self._seen([trial.candidate for trial in known])
        parameters = self._parameters(finished)
        self.best = float(scores.max())
        self._process.fit(rows, trend, scores, parameters)
        if believed:
            more, more_trend = self._seen(believed)
            guessed, _ = self._process.predict(more, more_trend)
            both = np.concatenate([rows, more]), np.concatenate([trend, more_trend])
            self._process.fit(*both, np.concatenate([scores, guessed]), parameters)
        self._fit_feasibility(trials, parameters)

    def predict(self, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the standardised score of each candidate."""
        return self._process.predict(*self._seen(candidates))

    def feasible(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the probability that evaluating each candidate does not fail."""
        if self._feasibility is None:
            return np.ones(len(candidates))
        mean, _ = self._feasibility.predict(*self._seen(candidates))
        probability: np.ndarray = np.clip(self._successes + mean, LEAST_FEASIBLE, 1.0)
        return probability

    def prior_covariance(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return how alike the scores of candidates are before any is known."""
        return GaussianProcess(self.encoding.groups).covariance(self.encoding(candidates))

    def _seen(self, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        return self.encoding(candidates), TREND**0.5 * self.encoding.sizes(candidates)[:, None]

    def _parameters(self, finished: Sequence[Trial]) -> np.ndarray:
        """Return the kernel's parameters for a history: those of its beginning, as far as they were chosen."""
        first = beginning(finished)
        known = tuple((trial.candidate, trial.score or 0.0) for trial in first)
        if known not in self._chosen:
            used = thinned(first, MOST_CHOOSING)
            rows, trend = self._seen([trial.candidate for trial in used])
            scores = standardised([trial.score or 0.0 for trial in used])
            self._chosen = {known: self._process.choose(rows, trend, scores)}
        return self._chosen[known]

    def _fit_feasibility(self, trials: Sequence[Trial], parameters: np.ndarray) -> None:
        self._feasibility = None
        if all(trial.score is not None for trial in trials):
            return
        known = thinned(trials, MOST)
        ended = np.array([float(trial.score is not None) for trial in known])
        self._successes = ended.mean()
        self._feasibility = GaussianProcess(self.encoding.groups)
        rows, trend = self._seen([trial.candidate for trial in known])
        self._feasibility.fit(rows, trend, ended - self._successes, parameters)


def standardised(scores: Sequence[float]) -> np.ndarray:
    """Return scores with mean 0 and standard deviation 1, those below the median on a logarithmic scale.

    Example:
        >>> standardised([-1000.0, 1.0, 2.0, 3.0, 4.0]).round(2).tolist()
        [-1.95, 0.17, 0.35, 0.59, 0.83]
    """
    values = np.array(scores, dtype=float)
    values = values - np.median(values)
    values /= max(np.abs(values).max(), 1e-300)
    usual = 1.4826 * np.median(np.abs(values))
    values /= usual if usual > 1e-9 else 1.0
    values = np.where(values < 0, -np.log1p(np.maximum(-values, 0)), values)
    deviation = values.std()
    centred: np.ndarray = values - values.mean()
    return centred / (deviation if deviation > 1e-9 else 1.0)


def beginning(trials: Sequence[Trial]) -> Sequence[Trial]:
    """Return the first trials, their number rounded down so that it changes whenever it has grown by a sixteenth."""
    step = max(1, len(trials) // 16)
    return trials[: len(trials) // step * step]


def thinned(trials: Sequence[Trial], most: int) -> list[Trial]:
    """Return trials, of too many: the best 30 %, the last 20 %, and evenly spread ones, in their order.

    Those that are spread stay the same until the history has doubled.
    """
    if len(trials) <= most:
        return list(trials)
    scores = [-np.inf if trial.score is None else trial.score for trial in trials]
    best = np.argsort(-np.array(scores), kind="stable")[: 3 * most // 10]
    step = 2 ** math.ceil(math.log2(2 * len(trials) / most))
    kept = {*best.tolist(), *range(len(trials) - most // 5, len(trials)), *range(0, len(trials), step)}
    return [trials[i] for i in sorted(kept)]
