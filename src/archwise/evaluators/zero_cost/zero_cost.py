"""Zero-cost scores of a search's candidates, remembered."""

from __future__ import annotations

from collections.abc import Sequence

from archwise.errors import ArchwiseError
from archwise.evaluators.zero_cost.batch import Batch, random_batch, task_batch
from archwise.evaluators.zero_cost.scores import PROXIES, zero_cost_scores
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.joint import JointSpace
from archwise.tasks.task import Task

NAMES = ("synflow", "jacob_cov", "naswot", "flops")
BATCH = 16


class ZeroCost:
    """Scores candidates by zero-cost proxies.

    Args:
        space: the candidates, with a signature.
        batch: the examples.
        seed: of initial weights.
        names: some of `PROXIES`.

    Raises:
        ArchwiseError: a name is unknown.
    """

    def __init__(self, space: JointSpace, batch: Batch, seed: int = 0, names: Sequence[str] = NAMES):
        for name in names:
            if name not in PROXIES:
                raise ArchwiseError(f"There is no zero-cost proxy {name!r}: take some of {', '.join(PROXIES)}.")
        self.space = space
        self.batch = batch
        self.seed = seed
        self.names = tuple(names)
        self._known: dict[Architecture, dict[str, float]] = {}

    def __call__(self, candidate: Candidate) -> dict[str, float]:
        """Return the scores by name."""
        architecture = candidate.architecture
        if architecture not in self._known:
            self._known[architecture] = zero_cost_scores(self.space, architecture, self.batch, self.seed, self.names)
        return self._known[architecture]
