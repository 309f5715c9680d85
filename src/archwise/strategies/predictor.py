"""Predictor-guided search: evaluate what an ensemble of networks, drawn from at random, takes for the best."""

from __future__ import annotations

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies.ensemble import Ensemble
from archwise.strategies.pool import CandidatePool
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.strategies.surrogate import standardised, thinned
from archwise.trial import Proposal

MOST = 500
"""Most trials that the networks are trained on: of more, the best, the last, and others evenly spread."""
GROWTH = 10
"""The networks are trained anew when the number of trials has grown by one in so many."""
LOOKED_AT = 200
"""How many of the most promising may turn out to be known under another name before a random one is taken."""


class PredictorGuided(OneAtATime):
    """Proposes what is best by independent Thompson sampling from an ensemble of networks.

    The networks learn scores from paths, graph counts, choices and sizes of candidates (`Encoding`). For each of the
    neighbours of the best trials, and of some random candidates, a score is drawn from a normal distribution with mean
    and standard deviation of the ensemble's predictions; the largest draw is proposed. Failed trials count as the
    worst.

    Source: White et al. 2021, BANANAS: Bayesian optimization with neural architectures for neural architecture search.

    Args:
        first: how many trials must have finished before there is a model; before, candidates are random.
        members: networks of the ensemble.

    Raises:
        ArchwiseError: `first` is less than 2, or there are fewer than 2 members.

    Example:
        >>> PredictorGuided(members=3).members
        3
    """

    def __init__(self, first: int = 10, members: int = 5):
        if first < 2 or members < 2:
            raise ArchwiseError(f"Predictor-guided search needs 2 first trials and 2 networks, not {first}, {members}.")
        self.first = first
        self.members = members
        self._pool: CandidatePool | None = None
        self._trained: tuple[tuple[tuple[Candidate, float | None], ...], Ensemble] | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the candidate of the largest draw that is new."""
        if len(now.finished) < self.first:
            return now.best_elsewhere() or now.random()
        if self._pool is None or self._pool.space is not now.space or self._pool.seed != now.seed:
            self._pool, self._trained = CandidatePool(now.space, now.seed), None
        under_way = set(now.under_way)
        pool = [candidate for candidate in self._pool.around(now.number, now.finished) if candidate not in under_way]
        if not pool:
            return now.random()
        mean, deviation = self._ensemble(now).predict(now.space.encoding(pool))
        drawn = mean + deviation * now.rng.standard_normal(len(pool))
        best = (pool[i] for i in np.argsort(-drawn, kind="stable")[:LOOKED_AT])
        candidate = next(filter(now.is_new, best), None)
        return Proposal(candidate, origin="best by an ensemble's draw") if candidate else now.random()

    def _ensemble(self, now: Situation) -> Ensemble:
        step = max(1, len(now.own) // GROWTH)
        trials = now.own[: len(now.own) // step * step]
        if sum(trial.score is not None for trial in trials) < 2:
            trials = now.own
        known = tuple((trial.candidate, trial.score) for trial in trials)
        if self._trained is None or self._trained[0] != known:
            used = thinned(trials, MOST)
            worst = min(trial.score for trial in used if trial.score is not None)
            scores = standardised([worst if trial.score is None else trial.score for trial in used])
            ensemble = Ensemble(self.members, now.seed % 2**31)
            ensemble.fit(now.space.encoding([trial.candidate for trial in used]), scores)
            self._trained = known, ensemble
        return self._trained[1]
