"""Iterative deepening: depth first from the smallest network, again and again, each time one edit deeper."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies.growth import Growth
from archwise.strategies.promise import Promise
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal


class IterativeDeepening(OneAtATime):
    """Iterative-deepening depth-first search, from small networks to large.

    The root is the smallest network; the children of a node make one more of its choices otherwise, so its depth is
    the number of edits that lead to it (`Growth`). A search goes down from the root to the bound, first to the child
    with the best score, and evaluates what is new at the bound, first what a Gaussian process promises most of. Then
    the bound grows by one edit, and the search goes down anew; what was evaluated on the way costs nothing.

    - As the nodes of a depth are too many in all but small spaces, the bound grows when `breadth` networks of a depth
      were evaluated, or all. Behind the deepest network it starts again from the first depth, with a larger breadth.
    - It is good for finding a small network that is good enough: with a `breadth` of None, no network with fewer edits
      is left out. It is no way to find the best large network soon: that takes a budget of `breadth` trials for each
      edit between the two.
    - The best network of other searches, if any is shown, comes after the smallest one.
    - Where it cannot be told how large a network is, as the space knows no shape of inputs, sizes come from the order
      of options.
    - A network that cannot be built is not gone through. Networks that failed are gone through last, before them those
      under way. Where nothing is left to go down to, a random candidate is proposed.

    Source: Korf 1985, Depth-first iterative-deepening: an optimal admissible tree search; the limited breadth that
    grows from sweep to sweep is that of Ginsberg & Harvey 1992, Iterative broadening.

    Args:
        breadth: how many networks of one depth are evaluated in a sweep; larger looks longer among small networks.
            None for all of them, as in Korf's search.

    Raises:
        ArchwiseError: `breadth` is less than 1.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> layers = [dense(Choice("width", [16, 32, 64]), called=f"layer{i}") for i in range(2)]
        >>> space = JointSpace(Space(Chain(*layers, head())), Space(Settings(learning_rate=0.1)))
        >>> proposals = IterativeDeepening(breadth=None).propose(space, [], [], seed=0, n=9)
        >>> widths = [tuple(proposal.candidate.architecture.values()) for proposal in proposals]
        >>> widths[0], sorted(widths[1:5]), sorted(widths[5:])
        ((16, 16), [(16, 32), (16, 64), (32, 16), (64, 16)], [(32, 32), (32, 64), (64, 32), (64, 64)])
    """

    def __init__(self, breadth: int | None = 8):
        if breadth is not None and breadth < 1:
            raise ArchwiseError(f"Iterative deepening needs a breadth of 1 or more, or None, not {breadth}.")
        self.breadth = breadth
        self._promise = Promise()
        self._growth: Growth | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the first new network that a search down to the present bound meets."""
        if self._growth is None or self._growth.space is not now.space:
            self._growth = Growth(now.space)
        growth = self._growth
        if now.is_new(growth.smallest):
            return Proposal(growth.smallest, origin="smallest network")
        elsewhere = now.best_elsewhere(most=1)
        if elsewhere:
            return elsewhere
        standing = _standing(now)
        at = Counter(growth.depth(candidate) for candidate in standing)
        sweep = {depth: at[depth] // (self.breadth or math.inf) for depth in range(1, max(at, default=0) + 2)}
        for depth in sorted(sweep, key=lambda depth: (sweep[depth], depth)):
            found = self._down_to(depth, growth, now, standing)
            if found:
                return Proposal(found, origin=f"edit {depth} from the smallest network")
        return now.random()

    def _down_to(
        self, depth: int, growth: Growth, now: Situation, standing: Mapping[Candidate, tuple[int, float]]
    ) -> Candidate | None:
        """Return the first new network of a depth that is met depth first, None where there is none."""
        left, met = [growth.smallest], {growth.smallest}
        while left:
            node = left.pop()
            children = growth.children(node)
            if growth.depth(node) + 1 == depth:
                below = [child for child in children if child not in standing]
                order = np.lexsort((now.rng.random(len(below)), -self._promise(now, below, optimism=0.0)))
                found: Candidate | None = next(filter(now.is_new, (below[i] for i in order)), None)
                if found:
                    return found
            else:
                begun = [child for child in children if child in standing and child not in met]
                met.update(begun)
                left += sorted(begun, key=lambda child: standing[child])
        return None


def _standing(now: Situation) -> dict[Candidate, tuple[int, float]]:
    """Return by what the candidates of this search are compared: the score; before it what is under way, or failed."""
    standing = {trial.candidate: (0, 0.0) for trial in now.own}
    standing |= dict.fromkeys(now.under_way, (1, 0.0))
    return standing | {trial.candidate: (2, trial.score or 0.0) for trial in now.finished}
