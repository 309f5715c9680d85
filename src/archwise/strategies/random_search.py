"""Random search: the baseline that every other strategy must beat."""

from __future__ import annotations

from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal


class RandomSearch(OneAtATime):
    """Samples candidates, each at most once up to the graph's canonical hash.

    Source: Bergstra & Bengio 2012, Random search for hyper-parameter optimization; Li & Talwalkar 2019, Random search
    and reproducibility for neural architecture search.

    Example:
        >>> from archwise.spaces import JointSpace
        >>> from archwise.spaces.mlp import mlp
        >>> from archwise.evaluators.recipe import training_recipe
        >>> space = JointSpace(mlp(), training_recipe("table"))
        >>> [proposal] = RandomSearch().propose(space, [], [], seed=0, n=1)
        >>> proposal.candidate in space, proposal.origin
        (True, 'random')
    """

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a random candidate that was not seen."""
        return now.random()
