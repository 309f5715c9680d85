"""Bayesian optimisation of several objectives: evaluate what promises most new trade-offs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from archwise.errors import ArchwiseError
from archwise.pareto import non_dominated, objective_values, select
from archwise.spaces.joint import JointSpace
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.hypervolume import expected_hypervolume_improvement
from archwise.strategies.objective_models import ObjectiveModels
from archwise.strategies.pool import CandidatePool
from archwise.strategies.scalarisation import expected_chebyshev_improvement
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal, Trial

PARENTS = 10
"""Trials whose neighbours are looked at."""
DRAWS = 128
"""Draws from the predictions where objectives are weighed against each other."""
MARGIN = 0.1
"""How far below the worst of the front the reference point lies, as a share of the front's spread."""
LOOKED_AT = 200
"""How many of the most promising may turn out to be known under another name before a random one is taken."""


class MultiObjectiveBayesian(OneAtATime):
    """Proposes what promises most new trade-offs between quality and costs, by a model of each.

    Scores and the logarithms of measured costs have a Gaussian process each; parameters and FLOPs are counted. Among
    random candidates and the neighbours of trials on the front, the most promising is proposed:

    - "hypervolume": by how much it is expected to enlarge the volume that the front dominates. The reference point lies
      a tenth of the front's spread below the worst of it.
    - "chebyshev": by how much it is expected to improve the best weighted compromise, for weights that are drawn anew
      for every proposal (ParEGO).

    Members of the front whose score is below the median of all trials do not count as such: cheap networks that learn
    nothing would set the scale of quality. What is under way counts as reached, with the values that are predicted for
    it. The first candidates are those of `BayesianOptimization`, or trade-offs of other searches in this space.

    Source: Emmerich et al. 2011, Hypervolume-based expected improvement; Knowles 2006, ParEGO: a hybrid algorithm with
    on-line landscape approximation for expensive multiobjective optimization problems; both with a model for each
    objective as in Daulton et al. 2020, Differentiable expected hypervolume improvement.

    Args:
        minimise: costs that outcomes report ("parameters", "flops", "latency_ms", ...); the score is always maximised.
        acquisition: "hypervolume", which fills the front evenly, or "chebyshev", which is quicker with many costs.
        first: how many candidates are chosen without a model.

    Raises:
        ArchwiseError: there is no cost, no such acquisition, or `first` is less than 2.

    Example:
        >>> MultiObjectiveBayesian(["latency_ms"], acquisition="chebyshev").minimise
        ('latency_ms',)
    """

    def __init__(
        self,
        minimise: Sequence[str] = ("parameters",),
        acquisition: Literal["hypervolume", "chebyshev"] = "hypervolume",
        first: int = 3,
    ):
        if not minimise or isinstance(minimise, str):
            raise ArchwiseError(f"Multi-objective search needs a list of one cost or more, not {minimise!r}.")
        if acquisition not in ("hypervolume", "chebyshev"):
            raise ArchwiseError(f"There is no acquisition {acquisition!r}: take 'hypervolume' or 'chebyshev'.")
        self.minimise = tuple(minimise)
        self.acquisition = acquisition
        self.first = first
        self._beginning = BayesianOptimization(first)
        self._memory: tuple[CandidatePool, ObjectiveModels] | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the candidate of the largest promise that is new."""
        if len(now.finished) < self.first:
            return self._elsewhere(now) or self._beginning.propose_one(now)
        pool, models = self._remembered(now.space, now.seed)
        values = objective_values(now.finished, self.minimise)
        front = [now.finished[i].candidate for i in non_dominated(values) if values[i, 0] >= np.median(values[:, 0])]
        known = {trial.candidate for trial in now.finished}
        near = (n for parent in self._parents(values, now) for n in pool.neighbours(parent.candidate))
        candidates = [c for c in dict.fromkeys([*pool.random(now.number), *near]) if c not in known]
        if candidates:
            models.fit(now.own, now.under_way)
            reached, _ = models.predict([*front, *now.under_way])
            promise = self._promise(*models.predict(candidates), reached, now.rng)
            promise = promise * np.exp(models.log_feasible(candidates))
            best = (candidates[i] for i in np.argsort(-promise, kind="stable")[:LOOKED_AT])
            if candidate := next(filter(now.is_new, best), None):
                return Proposal(candidate, origin=f"largest expected {self.acquisition} improvement")
        return now.random()

    def _elsewhere(self, now: Situation) -> Proposal | None:
        """Return a candidate that is new here of the best trade-offs of other searches in this space, None if none."""
        others = [t for t in now.history if t.number < 0 and t.score is not None and t.candidate in now.space]
        if not others:
            return None
        values = objective_values(others, self.minimise)
        good = np.flatnonzero(values[:, 0] >= np.median(values[:, 0]))
        best = (others[good[i]].candidate for i in select(values[good], self.first))
        found = next(filter(now.is_new, best), None)
        return Proposal(found, origin="best of another search") if found else None

    def _promise(
        self, mean: np.ndarray, deviation: np.ndarray, reached: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return what candidates of predicted values promise beyond what is reached."""
        front = reached[non_dominated(reached)]
        if self.acquisition == "chebyshev":
            weights, draws = rng.dirichlet(np.ones(mean.shape[1])), rng.standard_normal((DRAWS, mean.shape[1]))
            return expected_chebyshev_improvement(mean, deviation, front, weights, draws)
        span = np.ptp(front, axis=0)
        reference = front.min(axis=0) - MARGIN * np.where(span > 0, span, 1.0)
        return expected_hypervolume_improvement(mean, deviation, front, reference)

    def _parents(self, values: np.ndarray, now: Situation) -> list[Trial]:
        """Return trials to look around: some of the front, drawn at random, or where it is small, the next best too."""
        front = non_dominated(values)
        if len(front) > PARENTS:
            chosen = [front[i] for i in now.rng.choice(len(front), PARENTS, replace=False)]
        else:
            chosen = select(values, PARENTS)
        return [now.finished[i] for i in chosen]

    def _remembered(self, space: JointSpace, seed: int) -> tuple[CandidatePool, ObjectiveModels]:
        """Return what was computed for this space and seed."""
        if self._memory is None or self._memory[0].space is not space or self._memory[0].seed != seed:
            self._memory = CandidatePool(space, seed), ObjectiveModels(space, self.minimise)
        return self._memory
