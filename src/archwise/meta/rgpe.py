"""RGPE: an ensemble of the Gaussian processes of all tasks, weighted by how well they rank the new one's trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.meta.learned_model import Model, ModelFromPastTasks
from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.strategy import Situation
from archwise.strategies.surrogate import MOST, Surrogate, thinned

DRAWS = 256
"""Functions that are drawn from each task's process."""
JUDGED = 100
"""Most trials that they are judged by: of more, the best, the last, and evenly spread ones."""
DILUTING = 0.95
"""A past task is left out whose median loss is above this quantile of the new task's own losses."""


class RankingWeightedEnsemble(ModelFromPastTasks):
    """Proposes the largest expected improvement under a ranking-weighted ensemble of Gaussian processes.

    - One process for each past task and one for the new task, each on its task's standardised scores.
    - A task's weight is the probability that its process misranks the fewest pairs of the new task's trials, by
      functions drawn from its posterior. The new task's own process ranks each trial without having seen it.
    - A past task that ranks worse than the new task's own process nearly always does, has no weight.
    - Mean and variance are those of the weighted sum of independent processes; what is to be improved on is the largest
      mean among the trials.

    Source: Feurer et al. 2018, Scalable meta-learning for Bayesian optimization using ranking-weighted Gaussian process
    ensembles.

    Args:
        past: past tasks.

    Example:
        >>> RankingWeightedEnsemble([]).default_by
        5
    """

    origin = "largest expected improvement of the ensemble"

    def learn(self, sources: Sources) -> Model:
        """Return the ensemble."""
        return _Ensemble(sources)


class _Ensemble:
    """The processes of past tasks, and the new task's own one.

    Args:
        sources: surrogates of the past tasks.
    """

    def __init__(self, sources: Sources):
        self.sources = sources
        self.target = Surrogate(sources.space.encoding)
        self._known: dict[Candidate, np.ndarray] = {}

    def promise(self, now: Situation, pool: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of the expected improvement, weighed by the probability of success."""
        self.target.fit(now.own)
        weights = self._weights(now)
        if now.under_way:
            self.target.fit(now.own, now.under_way)
        tried = [trial.candidate for trial in now.finished]
        predicted = self._predicted([*tried, *pool])
        mean, deviation = predicted[:, 0] @ weights, np.sqrt(predicted[:, 1] ** 2 @ weights**2)
        best = float(mean[: len(tried)].max())
        promise = log_expected_improvement(mean[len(tried) :], deviation[len(tried) :], best)
        weighed: np.ndarray = promise + self.target.log_feasible(pool)
        return weighed

    def _weights(self, now: Situation) -> np.ndarray:
        known = thinned(now.finished, MOST)
        judged = {trial.number for trial in thinned(known, JUDGED)}
        places = [i for i, trial in enumerate(known) if trial.number in judged]
        candidates = [known[i].candidate for i in places]
        normal = now.rng.standard_normal((len(self.sources) + 1, DRAWS, len(known)))
        scores = self.target.left_out()[1][places]
        own = self.target.drawn_left_out(normal[-1])[:, places]
        drawn = [s.drawn(candidates, n[:, places]) for s, n in zip(self.sources.surrogates, normal[:-1], strict=True)]
        return ensemble_weights([*(misranked(draws, draws, scores) for draws in drawn), misranked(own, scores, scores)])

    def _predicted(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return mean and deviation of each task's process, the new one's last: (candidates, 2, tasks)."""
        new = [candidate for candidate in dict.fromkeys(candidates) if candidate not in self._known]
        if new:
            past = np.stack([surrogate.predict(new) for surrogate in self.sources.surrogates], axis=2)
            self._known.update(zip(new, past.transpose(1, 0, 2), strict=True))
        known = np.array([self._known[candidate] for candidate in candidates])
        own = np.stack(self.target.predict(candidates), axis=1)
        return np.concatenate([known, own[:, :, None]], axis=2)


def misranked(drawn: np.ndarray, against: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return how many ordered pairs of trials each drawn function ranks otherwise than their scores: (draws,).

    Args:
        drawn: (draws, n), what the functions say of the trials.
        against: (draws, n) or (n,), what each of these is compared with.
        scores: (n,).

    Example:
        >>> drawn = np.array([[0.1, 0.2, 0.3], [0.2, 0.1, 0.3]])
        >>> misranked(drawn, drawn, np.array([5.0, 6.0, 7.0])).tolist()
        [0, 2]
    """
    against = np.broadcast_to(against, drawn.shape)
    wrong = (drawn[:, :, None] < against[:, None, :]) ^ (scores[:, None] < scores[None])
    wrong[:, range(len(scores)), range(len(scores))] = False
    lost: np.ndarray = wrong.sum(axis=(1, 2))
    return lost


def ensemble_weights(losses: Sequence[np.ndarray]) -> np.ndarray:
    """Return how often each task loses least; together 1.

    A draw in which the new task's own process is among the best is its own; other ties are shared.

    Args:
        losses: of each task's draws, the new one's last.

    Example:
        >>> ensemble_weights([np.array([0, 2, 1, 9]), np.array([9, 9, 9, 9]), np.array([4, 2, 3, 3])]).tolist()
        [0.5, 0.0, 0.5]
    """
    table = np.array(losses, dtype=float)
    diluting = np.median(table[:-1], axis=1) > np.quantile(table[-1], DILUTING)
    table[:-1][diluting] = np.inf
    best = table == table.min(axis=0)
    best[:-1, best[-1]] = False
    weights: np.ndarray = (best / best.sum(axis=0)).mean(axis=1)
    return weights
