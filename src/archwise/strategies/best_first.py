"""Best-first search of the graph of edits: evaluate the node of the frontier that promises most for its distance."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies.pool import CandidatePool
from archwise.strategies.promise import Promise
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.strategies.surrogate import standardised
from archwise.trial import Proposal

OPEN = 20
"""Nodes whose neighbours are looked at before those of others."""
EDITS = re.compile(r"edit (\d+) from the start, next to trial \d+")


class BestFirstSearch(OneAtATime):
    """A* over candidates: nodes are candidates, edges change one choice.

    The frontier is what was not evaluated among the neighbours of evaluated nodes. Its node of the least
    `f = g + h` is evaluated next, and so joins its neighbours to the frontier.

    - g is the cost of the path: how many edits lead from the start to the node through evaluated nodes, times
      `path_cost`.
    - h is the estimated cost of ending there: minus the score that a Gaussian process promises, its mean and `optimism`
      times its standard deviation, in standard deviations of the scores. Maximising the score is so finding the
      cheapest end of a path. Where trials failed, minus the logarithm of the probability of success is added.
    - A* needs an h that never takes the cost for too large. This one is optimistic with the confidence of the model
      alone, and says what lies at the node, not behind it: nothing is proved about what is found.
    - As all neighbours would be too many to predict, those of the 20 cheapest evaluated nodes that have any left are
      looked at first, by the scores these got; of a node with more than 64, as many at random. Failed trials are not
      expanded.
    - With an `optimism` and a `path_cost` of 0 this is greedy best-first search; with a large `path_cost`, a search in
      breadth, the best of each depth first.
    - The path is read from the trials' origins; a trial of unknown origin starts one. Where other searches evaluated
      candidates of this space, the best of these is the start.
    - Without a frontier, as nothing was evaluated or all around it was, a random candidate starts a path.

    Source: Hart, Nilsson & Raphael 1968, A formal basis for the heuristic determination of minimum cost paths; the
    optimistic estimate is the upper confidence bound of Srinivas et al. 2010, Gaussian process optimization in the
    bandit setting.

    Args:
        optimism: how many standard deviations of the model are added to its mean; larger explores more.
        path_cost: what an edit costs, in standard deviations of the scores; larger stays nearer to the start.
        start: where the search starts; the space's default if not given, or if not of the space.

    Raises:
        ArchwiseError: `optimism` or `path_cost` is negative.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces import JointSpace
        >>> from archwise.spaces.mlp import mlp
        >>> space = JointSpace(mlp(), training_recipe("table"))
        >>> start, neighbour = BestFirstSearch().propose(space, [], [], seed=0, n=2)
        >>> start.candidate == space.default, neighbour.candidate in set(space.neighbours(space.default))
        (True, True)
        >>> neighbour.origin
        'edit 1 from the start, next to trial 0'
    """

    def __init__(self, optimism: float = 1.0, path_cost: float = 0.01, start: Candidate | None = None):
        if not (optimism >= 0 and path_cost >= 0):
            raise ArchwiseError(f"Optimism and the cost of an edit are 0 or more, not {optimism} and {path_cost}.")
        self.optimism = optimism
        self.path_cost = path_cost
        self.start = start
        self._promise = Promise()
        self._pool: CandidatePool | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the start, or the cheapest node of the frontier that is new, or a random candidate."""
        if not now.seen:
            return now.best_elsewhere() or self._start(now) or now.random()
        if self._pool is None or self._pool.space is not now.space or self._pool.seed != now.seed:
            self._pool = CandidatePool(now.space, now.seed)
        pool, known = self._pool, {trial.candidate for trial in now.own} | set(now.under_way)
        around = ((node, [c for c in pool.neighbours(node.candidate) if c not in known]) for node in self._nodes(now))
        expanded = ((node, left) for node, left in around if left)
        while some := list(islice(expanded, OPEN)):
            reached: dict[Candidate, _Node] = {}
            for node, left in some:
                for candidate in left:
                    reached[candidate] = min(reached.get(candidate, node), node, key=lambda node: node.edits)
            frontier = list(reached)
            g = self.path_cost * np.array([reached[candidate].edits + 1 for candidate in frontier])
            h = -self._promise(now, frontier, self.optimism)
            cheapest = np.lexsort((now.rng.random(len(frontier)), g + h))
            found = next(filter(now.is_new, (frontier[i] for i in cheapest)), None)
            if found:
                node = reached[found]
                return Proposal(found, origin=f"edit {node.edits + 1} from the start, next to trial {node.number}")
        return now.random()

    def _start(self, now: Situation) -> Proposal | None:
        start = self.start if self.start is not None and self.start in now.space else now.space.default
        return Proposal(start, origin="the start") if now.is_new(start) else None

    def _nodes(self, now: Situation) -> list[_Node]:
        """Return the nodes that can be expanded, the cheapest first, those under way last."""
        nodes = [_Node(trial.candidate, trial.number, _edits(trial.origin)) for trial in now.finished]
        scores = standardised([trial.score or 0.0 for trial in now.finished]) if nodes else ()
        cost = [self.path_cost * node.edits - score for node, score in zip(nodes, scores, strict=True)]
        ranked = [nodes[i] for i in np.argsort(cost, kind="stable")]
        return ranked + [_Node(p.candidate, number, _edits(p.origin)) for number, p in now.pending]


class _Node(NamedTuple):
    """A node that was evaluated or is being evaluated.

    Args:
        candidate: what it stands for.
        number: of its trial.
        edits: how many lead to it from the start of its path.
    """

    candidate: Candidate
    number: int
    edits: int


def _edits(origin: str) -> int:
    """Return how many edits lead from a start to what has an origin."""
    found = EDITS.fullmatch(origin)
    return int(found[1]) if found else 0
