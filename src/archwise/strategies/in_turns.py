"""Strategies in turns: one candidate each, over one shared history."""

from __future__ import annotations

from collections.abc import Sequence

from archwise.spaces.joint import JointSpace
from archwise.strategies.members import Hybrid
from archwise.trial import Pending, Trial


class InTurns(Hybrid):
    """Lets each of some strategies propose one candidate, and then the first again; all see all trials.

    The best of them is never slower than by the number of strategies, and what one finds, all others go on from.

    - It is the turn of who has proposed the fewest candidates, which is read from the origins.
    - Where a strategy has nothing to propose, the next one takes its turn.

    Source: teamwork hybrids, as in Talbi 2002, A taxonomy of hybrid metaheuristics.

    Args:
        strategies: name -> strategy, in their order; the name stands before the origins of what it proposes.

    Raises:
        ArchwiseError: there is no strategy, or a name is empty or holds a colon.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> from archwise.strategies import GridSearch, RandomSearch
        >>> network = Space(Chain(dense(Choice("width", [16, 32, 64])), head()))
        >>> space = JointSpace(network, Space(Settings(learning_rate=0.1)))
        >>> strategy = InTurns({"chance": RandomSearch(), "order": GridSearch()})
        >>> [proposal.origin for proposal in strategy.propose(space, [], [], seed=0, n=3)]
        ['chance: random', 'order: grid', 'chance: random']
    """

    def order(self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> list[str]:
        """Return the strategies by how many candidates they have proposed, of equal ones the first."""
        begun = self.members.begun(history, pending)
        return sorted(self.members.names, key=lambda name: begun[name])
