"""What networks share that are trained on past tasks, and then on the trials of a search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.strategies.strategy import Situation
from archwise.strategies.surrogate import beginning, standardised, thinned
from archwise.trial import Trial

if TYPE_CHECKING:
    import torch

RADIUS = 3.0
"""Root mean square of what rows lie away from their mean, after scaling."""
MOST = 300
"""Most trials of a task that are learnt from: of more, the best, the last, and evenly spread ones."""
HELD_OUT = 5
"""One in so many trials of each past task is held out, and says when the training is at its best."""
LEAST = 5
"""Fewest finished trials of a past task that networks learn from."""
LEAST_HELD_OUT = 10
"""Fewest such trials that can say so."""


class Observed(NamedTuple):
    """Trials as numbers."""

    rows: np.ndarray
    """(n, columns)."""
    scores: np.ndarray
    """(n,), failed ones the worst."""

    def some(self, places: np.ndarray) -> Observed:
        """Return those at some places, their scores standardised among themselves."""
        return Observed(self.rows[places], standardised(self.scores[places].tolist()) if len(places) else np.zeros(0))


def lessons(sources: Sources) -> list[list[Trial]]:
    """Return the trials of each past task that has enough of the space; what was searched in others has none."""
    inside = (thinned(task.within(sources.space), MOST) for task in sources.used)
    return [trials for trials in inside if sum(trial.score is not None for trial in trials) >= LEAST]


class MetaTrained(ABC):
    """Parameters that are trained on past tasks, and on for a little on the trials of a search.

    Args:
        sources: the past tasks, of which one at least has `lessons`.
    """

    def __init__(self, sources: Sources):
        self.encoding = sources.space.encoding
        self._mean, self._scale = np.zeros(0), 1.0
        trials = lessons(sources)
        together = self.encoding([trial.candidate for each in trials for trial in each])
        self._mean = together.mean(axis=0)
        spread = np.sqrt(((together - self._mean) ** 2).sum(axis=1).mean())
        self._scale = RADIUS / spread if spread > 1e-9 else 1.0
        self.tasks = [self.observed(each) for each in trials]
        self._tuned: dict[tuple[tuple[Candidate, float | None], ...], torch.Tensor] = {}
        self._started: torch.Tensor | None = None

    @abstractmethod
    def meta_train(self) -> torch.Tensor:
        """Return parameters trained on `tasks`."""

    @abstractmethod
    def tune(self, parameters: torch.Tensor, observed: Observed) -> torch.Tensor:
        """Return parameters trained on for a little on one task's trials, two or more."""

    def tuned(self, now: Situation) -> torch.Tensor:
        """Return the parameters for a search: trained anew whenever its trials have grown by a sixteenth."""
        if self._started is None:
            self._started = self.meta_train()
        first = beginning(now.own)
        if sum(trial.score is not None for trial in first) < 2:
            return self._started
        known = tuple((trial.candidate, trial.score) for trial in first)
        if known not in self._tuned:
            self._tuned = {known: self.tune(self._started, self.observed(thinned(first, MOST)))}
        return self._tuned[known]

    def rows(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return a row for each candidate: (candidates, columns)."""
        scaled: np.ndarray = self._scale * (self.encoding(candidates) - self._mean)
        return scaled

    def observed(self, trials: Sequence[Trial]) -> Observed:
        """Return trials of which one at least has a score as numbers."""
        worst = min(trial.score for trial in trials if trial.score is not None)
        scores = np.array([worst if trial.score is None else trial.score for trial in trials])
        return Observed(self.rows([trial.candidate for trial in trials]), scores)

    def split(self, rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the places of each task's trials that are trained on, and of those held out; none if they are few."""
        orders = [rng.permutation(len(task.scores)) for task in self.tasks]
        counts = [len(order) // HELD_OUT for order in orders]
        counts = counts if sum(counts) >= LEAST_HELD_OUT else [0] * len(counts)
        kept = [order[count:] for order, count in zip(orders, counts, strict=True)]
        return kept, [order[:count] for order, count in zip(orders, counts, strict=True)]


def stacked(tasks: Sequence[Observed]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return rows (tasks, n, columns) and scores (tasks, n) of tasks, 0 beyond their trials, and 1 where there are any.

    Example:
        >>> one, two = Observed(np.ones((2, 3)), np.ones(2)), Observed(np.ones((1, 3)), np.ones(1))
        >>> stacked([one, two])[2].tolist()
        [[1.0, 1.0], [1.0, 0.0]]
    """
    import torch

    shape = len(tasks), max(len(task.scores) for task in tasks)
    rows, scores, known = np.zeros((*shape, tasks[0].rows.shape[1])), np.zeros(shape), np.zeros(shape)
    for i, task in enumerate(tasks):
        count = len(task.scores)
        rows[i, :count], scores[i, :count], known[i, :count] = task.rows, task.scores, 1
    return torch.from_numpy(rows), torch.from_numpy(scores), torch.from_numpy(known)
