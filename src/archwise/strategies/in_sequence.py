"""Strategies in sequence: each goes on from where the one before has come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.members import Hybrid
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Trial


class InSequence(Hybrid):
    """Lets one strategy propose some candidates, then the next, and the last without end; all see all trials.

    - How many a strategy has proposed is read from the origins; what a kill lost is proposed by the same one.
    - Where a strategy has nothing to propose, the next one goes on.

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
        >>> members = {"genetic": GeneticAlgorithm(), "ppo": ReinforcementLearning(edits=2)}
        >>> InSequence(members, [40]).candidates
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

    def order(self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> list[str]:
        """Return those that have not proposed their number, the last among them, and behind them the others."""
        begun = self.members.begun(history, pending)
        *first, last = self.members.names
        done = [name for name, count in zip(first, self.candidates, strict=True) if begun[name] >= count]
        return [*(name for name in first if name not in done), last, *done]
