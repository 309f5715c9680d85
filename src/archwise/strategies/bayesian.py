"""Bayesian optimisation: evaluate what a model of the scores promises most of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.spaces.extended import ExtendedEncoding, Extra
from archwise.spaces.joint import JointSpace
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.pool import CandidatePool
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Proposal

REFERENCES = 200
"""Candidates among which the first are chosen."""
LOOKED_AT = 200
"""How many of the most promising may turn out to be known under another name before a random one is taken."""
SHORTLIST = 16
"""The most promising candidates, of which alone it is asked what else is known of them."""


class BayesianOptimization(OneAtATime):
    """Proposes the candidate of the largest expected improvement, among neighbours of the best and random ones.

    - The model is a Gaussian process over views of a candidate: its choices, the Weisfeiler-Lehman labels (one round)
      and short paths that its graph counts, the paths through the graph's sections, and its size. Each view has a
      weight of its own in the kernel.
    - The first candidate is the space's default. The next are the best of other searches, `first` - 1 of them, or
      those that tell most about all others: central ones that are not like what is known.
    - Failed trials make their neighbourhood less likely to succeed; the expected improvement is weighed by that.
    - Candidates under way are taken to get what is predicted for them.

    Source: Jones et al. 1998, Efficient global optimization of expensive black-box functions; for architectures,
    Kandasamy et al. 2018, and White et al. 2021, BANANAS, for looking among the neighbours of the best; for the graph's
    labels, Shervashidze et al. 2011, Weisfeiler-Lehman graph kernels, and Ru et al. 2021, NAS-BOWL.

    Args:
        first: how many candidates are chosen without scores.
        extra: what else is known of a candidate, as numbers; the model that chooses among the 16 most promising
            candidates learns from these too. The same candidate must always have the same numbers.

    Raises:
        ArchwiseError: `first` is less than 2.

    Example:
        >>> BayesianOptimization(first=3).first
        3
    """

    def __init__(self, first: int = 3, extra: Extra | None = None):
        if first < 2:
            raise ArchwiseError(f"Bayesian optimisation needs 2 first candidates or more, not {first}.")
        self.first = first
        self.extra = extra
        self._memory: _Memory | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the candidate of the largest promise that is new."""
        if self._memory is None or self._memory.pool.space is not now.space or self._memory.pool.seed != now.seed:
            self._memory = _Memory(now.space, now.seed, self.extra)
        memory = self._memory
        if not now.seen and now.is_new(now.space.default):
            return Proposal(now.space.default, origin="the space's default")
        if len(now.finished) >= self.first:
            pool = memory.pool.around(now.number, now.finished)
            promise = self._promise(memory.surrogate, now, pool)
            if memory.informed:
                likely = (pool[i] for i in np.argsort(-promise, kind="stable")[:LOOKED_AT])
                pool = list(islice(filter(now.is_new, likely), SHORTLIST))
                promise = self._promise(memory.informed, now, pool) if pool else np.zeros(0)
            origin = "largest expected improvement"
        elif elsewhere := now.best_elsewhere(self.first - 1):
            return elsewhere
        else:
            pool = memory.pool.random(now.number, REFERENCES)
            promise = memory.information(pool, [*(trial.candidate for trial in now.own), *now.under_way])
            origin = "tells most about others"
        best = (pool[i] for i in np.argsort(-promise, kind="stable")[:LOOKED_AT])
        candidate = next(filter(now.is_new, best), None)
        return Proposal(candidate, origin=origin) if candidate else now.random()

    def log_feasible(self, candidates: Sequence[Candidate], surrogate: Surrogate) -> np.ndarray:
        """Return what the risk of failing takes off the logarithm of each candidate's promise."""
        return surrogate.log_feasible(candidates)

    def _promise(self, surrogate: Surrogate, now: Situation, pool: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of the expected improvement of each member of a pool, by a model of all trials."""
        surrogate.fit(now.own, now.under_way)
        promise = log_expected_improvement(*surrogate.predict(pool), surrogate.best)
        weighted: np.ndarray = promise + self.log_feasible(pool, surrogate)
        return weighted


class _Memory:
    """What was computed for one space and seed."""

    def __init__(self, space: JointSpace, seed: int, extra: Extra | None):
        self.pool = CandidatePool(space, seed)
        self.surrogate = Surrogate(space.encoding)
        self.informed = Surrogate(ExtendedEncoding(space.encoding, extra)) if extra else None

    def information(self, pool: Sequence[Candidate], known: Sequence[Candidate]) -> np.ndarray:
        """Return how much of the pool's prior variance evaluating each member would explain, after known ones."""
        covariance = self.surrogate.prior_covariance([*known, *pool])
        for i in range(len(known)):
            column = covariance[:, i].copy()
            covariance -= np.outer(column, column) / (column[i] + 0.01)
        left = covariance[len(known) :, len(known) :]
        information: np.ndarray = (left**2).mean(axis=0) / (np.diag(left) + 0.01)
        return information
