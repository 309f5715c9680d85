"""Strategies in sequence: each goes on where the one before has come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.members import Hybrid, from_place
from archwise.strategies.strategy import Strategy, keys_of
from archwise.trial import Pending, Trial


class InSequence(Hybrid):
    """Lets one strategy propose some candidates, then the next, and the last without end; all see all trials.

    - What counts is how many candidates the search has begun, whoever proposed them: a search that goes on after a kill
      changes over at the same place.
    - Where a strategy has nothing to propose, the next one takes its place, the first after the last.

    Source: relay hybrids, as in Talbi 2002, A taxonomy of hybrid metaheuristics.

    Args:
        strategies: name -> strategy, in their order; the name stands before the origins of what it proposes.
        candidates: how many candidates each of them but the last proposes; more for the first leaves the next more to
            learn from, and less to do.

    Raises:
        ArchwiseError: there is not one number of candidates, of 0 or more, for each strategy but the last; there is no
            strategy; or a name is empty or holds a colon.

    Example:
        >>> from archwise.strategies import GeneticAlgorithm, ReinforcementLearning
        >>> InSequence({"genetic": GeneticAlgorithm(), "ppo": ReinforcementLearning()}, [40]).candidates
        (40,)
    """

    def __init__(self, strategies: Mapping[str, Strategy], candidates: Sequence[int]):
        super().__init__(strategies)
        if len(candidates) != len(strategies) - 1 or any(count < 0 for count in candidates):
            raise ArchwiseError(
                f"A sequence needs a number of candidates, 0 or more, for each strategy but the last: {len(strategies)}"
                f" strategies do not go with {list(candidates)}."
            )
        self.candidates = tuple(candidates)

    def order(self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> Sequence[str]:
        """Return the strategy whose candidates come now, then those after it."""
        left = len(keys_of(space, history, pending))
        place = 0
        while place < len(self.candidates) and left >= self.candidates[place]:
            left -= self.candidates[place]
            place += 1
        return from_place(self.members.names, place)
