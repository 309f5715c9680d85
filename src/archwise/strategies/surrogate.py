"""A model of scores over a space, made from the trials of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from archwise.spaces.architecture import Candidate
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
RECENT = 10
"""Last trials whose failures make the next ones more cautious."""
LEVEL = 5.0
"""How far the level of a prior may be from that of the scores, as a standard deviation."""
SCALES = np.exp(np.linspace(np.log(0.15), np.log(6.0), 25))
"""How large a prior's unit may be beside the spread of the scores at hand."""


class Expectation(NamedTuple):
    """What is expected of some candidates."""

    mean: np.ndarray
    """(n,), the expected score, in the prior's own unit; its zero does not matter."""
    trend: np.ndarray
    """(n, k), what scores may follow linearly beside it, each column scaled by how strongly."""


class Seen(NamedTuple):
    """What a surrogate knows of some candidates before any score."""

    rows: np.ndarray
    """(n, columns)."""
    trend: np.ndarray
    """(n, k), what scores may follow linearly."""
    mean: np.ndarray
    """(n,), what the prior expects."""


class Rows(Protocol):
    """Candidates as rows of numbers in groups of columns of equal weight, as `Encoding` makes them."""

    groups: tuple[slice, ...]

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return a row for each candidate."""

    def sizes(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of each candidate's parameters, standardised; zeros if unknown."""


class Prior(Protocol):
    """What is expected of scores before a search has any, from elsewhere."""

    def __call__(self, candidates: Sequence[Candidate]) -> Expectation:
        """Return what is expected of candidates."""


class Surrogate:
    """A Gaussian process on the encodings of one space's candidates.

    Scores below the median count on a logarithmic scale, as a few broken architectures would flatten all others. The
    kernel's parameters are chosen anew whenever the number of trials has grown by a sixteenth.

    Args:
        encoding: of the space's candidates.
        prior: what is expected of candidates, about which the process is; level and unit are learnt from the scores. If
            None, nothing is.
    """

    def __init__(self, encoding: Rows, prior: Prior | None = None):
        self.encoding = encoding
        self.prior = prior
        self.process = GaussianProcess(encoding.groups)
        self.log_evidence = -math.inf
        """How likely the trials' scores are under the model, up to a constant that is the same for all models."""
        self._feasibility: GaussianProcess | None = None
        self._chosen: dict[tuple[tuple[Candidate, float], ...], np.ndarray] = {}

    def fit(
        self, trials: Sequence[Trial], believed: Sequence[Candidate] = (), parameters: np.ndarray | None = None
    ) -> None:
        """Condition on trials of this space that ended.

        Args:
            trials: finished ones, two or more, and failed ones.
            believed: candidates under way, each taken to get the score that is predicted for it (the kriging believer
                of Ginsbourger et al. 2010), so that no worker repeats another's idea.
            parameters: the kernel's, where they were chosen for these trials before; see `process`.
        """
        finished = [trial for trial in trials if trial.score is not None]
        known = thinned(finished, MOST)
        seen = self.look([trial.candidate for trial in known])
        parameters = self._parameters(finished) if parameters is None else parameters
        scores = standardised([trial.score or 0.0 for trial in known])
        unit = self._unit(seen, scores, parameters)
        self.best = float(scores.max() / unit)
        beyond = scores / unit - seen.mean
        self.process.fit(seen.rows, seen.trend, beyond, parameters)
        self.log_evidence = self.process.log_evidence - len(scores) * math.log(unit) - 0.5 * math.log(unit) ** 2
        if believed:
            more = self.look(believed)
            guessed, _ = self.process.predict(more.rows, more.trend)
            both = np.concatenate([seen.rows, more.rows]), np.concatenate([seen.trend, more.trend])
            self.process.fit(*both, np.concatenate([beyond, guessed]), parameters)
        self._fit_feasibility(trials, parameters)

    def predict(self, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the score of each candidate, in the unit of `best`."""
        seen = self.look(candidates)
        mean, deviation = self.process.predict(seen.rows, seen.trend)
        return seen.mean + mean, deviation

    @property
    def trend_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """How strongly scores follow each column of the trend, the prior's last, and how unsure that is: (k,) each."""
        return self.process.coefficients, self.process.coefficient_deviations

    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what the other trials predict of each that the model knows, beyond the prior, and what it came to."""
        return self.process.left_out(), self.process.values

    def drawn(self, candidates: Sequence[Candidate], normal: np.ndarray) -> np.ndarray:
        """Return scores of candidates drawn from the posterior, each row a function: (draws, n).

        Args:
            candidates: n of them.
            normal: (draws, n), drawn from the standard normal distribution.
        """
        seen = self.look(candidates)
        drawn: np.ndarray = seen.mean + self.process.drawn(seen.rows, seen.trend, normal)
        return drawn

    def drawn_left_out(self, normal: np.ndarray) -> np.ndarray:
        """Return draws of what the other trials predict of each that the model knows, as `left_out` returns them."""
        drawn: np.ndarray = self.process.left_out() + self.process.left_out_deviation() * normal
        return drawn

    def log_feasible(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of the probability that each candidate does not fail, times `caution`."""
        if self._feasibility is None:
            return np.zeros(len(candidates))
        seen = self.look(candidates)
        mean, _ = self._feasibility.predict(seen.rows, seen.trend)
        weighed: np.ndarray = self._caution * np.log(np.clip(self._successes + mean, LEAST_FEASIBLE, 1.0))
        return weighed

    def prior_covariance(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return how alike the scores of candidates are before any is known."""
        return GaussianProcess(self.encoding.groups).covariance(self.encoding(candidates))

    def look(self, candidates: Sequence[Candidate]) -> Seen:
        """Return what the process is told of candidates."""
        rows, trend = self.encoding(candidates), TREND**0.5 * self.encoding.sizes(candidates)[:, None]
        if self.prior is None:
            return Seen(rows, trend, np.zeros(len(rows)))
        expected = self.prior(candidates)
        return Seen(rows, np.column_stack([trend, LEVEL * np.ones(len(rows)), expected.trend]), expected.mean)

    def _unit(self, seen: Seen, scores: np.ndarray, parameters: np.ndarray) -> float:
        """Return the likeliest unit of the prior, in that of standardised scores."""
        if self.prior is None:
            return 1.0
        measured = scores / SCALES[:, None]
        likelihood = self.process.log_likelihoods(seen.rows, seen.trend, measured - seen.mean, parameters)
        likely = likelihood - len(scores) * np.log(SCALES) - 0.5 * np.log(SCALES) ** 2
        return float(SCALES[int(np.argmax(likely))])

    def _parameters(self, finished: Sequence[Trial]) -> np.ndarray:
        """Return the kernel's parameters for a history: those of its beginning, as far as they were chosen."""
        first = beginning(finished)
        known = tuple((trial.candidate, trial.score or 0.0) for trial in first)
        if known not in self._chosen:
            used = thinned(first, MOST_CHOOSING)
            seen = self.look([trial.candidate for trial in used])
            usual = GaussianProcess(self.encoding.groups).parameters
            scores = standardised([trial.score or 0.0 for trial in used])
            measured = scores / self._unit(seen, scores, usual)
            self._chosen = {known: self.process.choose(seen.rows, seen.trend, measured - seen.mean)}
        return self._chosen[known]

    def _fit_feasibility(self, trials: Sequence[Trial], parameters: np.ndarray) -> None:
        self._feasibility = None
        if all(trial.score is not None for trial in trials):
            return
        known = thinned(trials, MOST)
        ended = np.array([float(trial.score is not None) for trial in known])
        self._successes, self._caution = ended.mean(), caution(trials)
        self._feasibility = GaussianProcess(self.encoding.groups)
        seen = self.look([trial.candidate for trial in known])
        self._feasibility.fit(seen.rows, seen.trend, ended - self._successes, parameters)


def standardised(scores: Sequence[float]) -> np.ndarray:
    """Return scores with mean 0 and standard deviation 1, those below the median on a logarithmic scale.

    Example:
        >>> standardised([-1000.0, 1.0, 2.0, 3.0, 4.0]).round(2).tolist()
        [-1.95, 0.17, 0.35, 0.59, 0.83]
    """
    values = 0.25 * np.array(scores, dtype=float)  # so that no sum or difference of the largest overflows
    values = values - np.median(values)
    values /= max(np.abs(values).max(), 1e-300)
    usual = 1.4826 * np.median(np.abs(values))
    values /= usual if usual > 1e-9 else 1.0
    values = np.where(values < 0, -np.log1p(np.maximum(-values, 0)), values)
    deviation = values.std()
    centred: np.ndarray = values - values.mean()
    return centred / (deviation if deviation > 1e-9 else 1.0)


def caution(trials: Sequence[Trial]) -> int:
    """Return how often the risk of failing counts: once, and once more for each failure among the last ten trials.

    What fails has no score, so nothing tells a model that the scores there are not the best of all: where all else is
    known well, even an improbable success would promise most, trial after trial.

    Example:
        >>> from archwise.trial import Outcome
        >>> caution([Trial(0, None, 1.0, 0, Outcome("failed", reason="out of memory"))])
        2
    """
    return 1 + sum(trial.score is None for trial in trials[-RECENT:])


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
