"""Zero-cost scores of a search's candidates, remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archwise.errors import ArchwiseError, SpaceError
from archwise.evaluators.zero_cost.batch import Batch, random_batch, task_batch
from archwise.evaluators.zero_cost.scores import PROXIES, zero_cost_scores
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.joint import JointSpace
from archwise.tasks.task import Task

NAMES = ("parameters", "synflow", "jacob_cov", "naswot")
"""The cheapest proxies; their mean rank follows NAS-Bench-201's accuracies better than that of all ten."""
EXAMPLES = 16
"""Examples a batch: so few rank NAS-Bench-201's networks as well as is published for 64 and more."""


class ZeroCost:
    """Scores candidates by zero-cost proxies, each architecture once; a new object gives the same scores.

    What is scored is the architecture: candidates that differ in their recipe alone have the same scores.

    Args:
        space: the candidates, with the signature for which networks are built.
        batch: the examples; see `of_task` and `of_signature`.
        seed: of the initial weights.
        names: some of `PROXIES`; each adds its time to every score.

    Raises:
        ArchwiseError: a name is unknown.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.signature import Signature
        >>> from archwise.spaces.mlp import mlp
        >>> space = JointSpace(mlp(), training_recipe("table"), Signature((4,), 3, "table"))
        >>> scorer = ZeroCost.of_signature(space)
        >>> list(scorer(space.default))
        ['parameters', 'synflow', 'jacob_cov', 'naswot']
    """

    def __init__(self, space: JointSpace, batch: Batch, seed: int = 0, names: Sequence[str] = NAMES):
        for name in names:
            if name not in PROXIES:
                raise ArchwiseError(f"There is no zero-cost proxy {name!r}: take some of {', '.join(PROXIES)}.")
        self.space = space
        self.batch = batch
        self.seed = seed
        self.names = tuple(names)
        self._known: dict[Architecture, Mapping[str, float]] = {}

    @classmethod
    def of_task(cls, space: JointSpace, task: Task, seed: int = 0, names: Sequence[str] = NAMES) -> ZeroCost:
        """Score on the first training batch of a task.

        Args:
            space: the candidates, with the task's signature.
            task: the task; only its training split is read.
            seed: of the initial weights and of the batch.
            names: some of `PROXIES`.
        """
        return cls(space, task_batch(task, EXAMPLES, seed), seed, names)

    @classmethod
    def of_signature(cls, space: JointSpace, seed: int = 0, names: Sequence[str] = NAMES) -> ZeroCost:
        """Score on Gaussian inputs with random targets, where there are shapes but no data.

        Args:
            space: the candidates, with a signature.
            seed: of the initial weights and of the batch.
            names: some of `PROXIES`.

        Raises:
            SpaceError: the space has no signature.
        """
        if space.signature is None:
            raise SpaceError("Zero-cost proxies need networks for data of some shape: give the JointSpace a signature.")
        return cls(space, random_batch(space.signature, EXAMPLES, seed), seed, names)

    def __call__(self, candidate: Candidate) -> Mapping[str, float]:
        """Return the candidate's scores by name; larger is meant as better, NaN where a proxy is not defined."""
        architecture = candidate.architecture
        if architecture not in self._known:
            self._known[architecture] = zero_cost_scores(self.space, architecture, self.batch, self.seed, self.names)
        return self._known[architecture]
