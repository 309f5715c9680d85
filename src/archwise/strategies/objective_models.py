"""What candidates are worth in several objectives, predicted or counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archwise.errors import Unbuildable
from archwise.pareto import cost_values
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Trial

COUNTED = ("parameters", "flops")
"""Costs that a network has before it is trained."""
EQUAL = 0.01
"""Largest relative difference of a counted cost from what the evaluator tells, for counting to be believed."""


class ObjectiveModels:
    """A surrogate of the score, and one of the logarithm of each cost that cannot be counted.

    Parameters and FLOPs are counted where the space knows the shape of inputs and what is counted is what the evaluator
    tells. All values are to be made large; each objective has a scale of its own.

    Args:
        space: the candidates.
        minimise: names of the costs.
    """

    def __init__(self, space: JointSpace, minimise: Sequence[str]):
        self.space = space
        self.minimise = tuple(minimise)
        self._score = Surrogate(space.encoding)
        self._costs = {name: Surrogate(space.encoding) for name in minimise}
        self._counts: dict[tuple[Candidate, str], float] = {}
        self._modelled: set[str] = set()
        self._counted: set[str] = set()

    def fit(self, trials: Sequence[Trial], believed: Sequence[Candidate] = ()) -> None:
        """Condition on trials of this space that ended, two or more of them finished; see `Surrogate.fit`."""
        self._score.fit(trials, believed)
        finished = [trial for trial in trials if trial.score is not None]
        self._counted = {name for name in self.minimise if self._can_be_counted(name, finished)}
        self._modelled = set()
        for name in self._costs.keys() - self._counted:
            known = [
                replace(trial, outcome=replace(trial.outcome, score=float(value)))
                for trial, value in zip(finished, cost_values(finished, name), strict=True)
                if math.isfinite(value)
            ]
            if len(known) > 1:
                self._modelled.add(name)
                self._costs[name].fit(known, believed)

    def predict(self, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        """Return (candidates, 1 + costs): means, and standard deviations, which are 0 for what is counted.

        A cost that no evaluation told is the same for all.
        """
        predicted = [self._score.predict(candidates), *(self._cost(name, candidates) for name in self.minimise)]
        means, deviations = zip(*predicted, strict=True)
        return np.stack(means, axis=1), np.stack(deviations, axis=1)

    def log_feasible(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return how improbable it is that each candidate does not fail; see `Surrogate.log_feasible`."""
        return self._score.log_feasible(candidates)

    def _cost(self, name: str, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        if name in self._modelled:
            return self._costs[name].predict(candidates)
        if name not in self._counted:
            return np.zeros(len(candidates)), np.zeros(len(candidates))
        counts = np.array([self._count(candidate, name) for candidate in candidates])
        return -np.log(np.maximum(counts, 0.5)), np.zeros(len(candidates))

    def _can_be_counted(self, name: str, finished: Sequence[Trial]) -> bool:
        if name not in COUNTED or self.space.signature is None:
            return False
        told = [(t.candidate, t.outcome.costs[name]) for t in finished if name in t.outcome.costs]
        return all(math.isclose(self._count(c, name), cost, rel_tol=EQUAL) for c, cost in told)

    def _count(self, candidate: Candidate, name: str) -> float:
        """Return a cost of a candidate's network; infinity where it cannot be built."""
        if (candidate, name) not in self._counts:
            try:
                assert self.space.signature is not None
                cost = self.space.network.cost(candidate.architecture, self.space.signature)
                self._counts[candidate, name] = float(getattr(cost, name))
            except Unbuildable:
                self._counts[candidate, name] = math.inf
        return self._counts[candidate, name]
