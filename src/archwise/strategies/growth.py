"""The tree of networks that grow from the smallest one, one choice at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from archwise.errors import Unbuildable
from archwise.spaces.architecture import Architecture, Candidate, Label
from archwise.spaces.choice import Choice, Decision
from archwise.spaces.joint import RECIPE, JointSpace
from archwise.spaces.walks import keeping

NO_NETWORK = math.inf, math.inf


class Growth:
    """A space as a graph of layers: the smallest network, what is one edit larger, and so on.

    The smallest network is where a descent ends that changes one choice at a time, for as long as that makes a network
    smaller that is allowed. It begins with the smallest option everywhere, or if that is not allowed, with the default;
    the recipe is the default.

    - Where the space knows the shape of inputs, size is the number of parameters; of equal ones, that of FLOPs decides.
      The smallest option of a choice is the one that makes the default network smallest.
    - Of networks of equal size, and in spaces that know no shape, that of smaller options is smaller: smaller numbers,
      earlier options.

    The depth of a candidate is how many of its choices were made otherwise than in the smallest network; choices that
    this one does not meet are counted where they are not at the smallest number or the first option.

    Args:
        space: the candidates.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.mlp import mlp
        >>> growth = Growth(JointSpace(mlp(), training_recipe("table")))
        >>> growth.smallest.architecture, growth.depth(growth.smallest)
        (Architecture({'depth': 0}), 0)
    """

    def __init__(self, space: JointSpace):
        self.space = space
        self.children = lru_cache(maxsize=1 << 12)(self._children)
        self.depth = lru_cache(maxsize=1 << 16)(self._depth)
        self._base: dict[str, Label] = {}
        self._sizes: dict[tuple[str, int], tuple[float, float]] = {}
        self._sizes = self._sizes_of_options()
        self.smallest = self._descent()
        self._base = {decision.path: decision.label for decision in space.decisions(self.smallest)}

    def _depth(self, candidate: Candidate) -> int:
        """Return how many choices were made otherwise than in the smallest network; `depth` remembers it."""
        return sum(not self._is_lowest(decision) for decision in self.space.decisions(candidate))

    def _children(self, candidate: Candidate) -> list[Candidate]:
        """Return the candidates, allowed or not, that make one more choice otherwise than the smallest network.

        Choices that open with it are made as in the smallest network; `children` remembers them.
        """
        deeper = self.depth(candidate) + 1
        unchanged = (d.path for d in self.space.decisions(candidate) if self._is_lowest(d))
        edits = dict.fromkeys(edit for path in unchanged for edit in self._edits(candidate, path))
        return [child for child in edits if self.depth(child) == deeper]

    def _edits(self, candidate: Candidate, path: str) -> Iterator[Candidate]:
        """Yield a candidate for each other option of a choice, what opens with it being lowest."""
        decisions = {decision.path: decision for decision in self.space.decisions(candidate)}
        made = {path: decision.label for path, decision in decisions.items()}
        for index in decisions[path].allowed:
            if index != decisions[path].index:
                kept = {**made, path: decisions[path].choice.labels[index]}
                yield self.space.derive(keeping(kept, self._lowest))

    def _is_lowest(self, decision: Decision) -> bool:
        return decision.index == self._lowest(decision.path, decision.choice, decision.allowed)

    def _lowest(self, path: str, choice: Choice, open_: tuple[int, ...]) -> int:
        """Return the option that the smallest network takes, or would take."""
        if path in self._base and (index := choice.index(self._base[path])) in open_:
            return index
        if path.startswith(RECIPE):
            return choice.default if choice.default in open_ else open_[0]
        return min(open_, key=lambda index: self._option_size(path, choice, index))

    def _descent(self) -> Candidate:
        found = self.space.derive(self._lowest)
        if not self.space.allows(found):
            found = self.space.default
        size = self._size(found)
        while True:
            open_ = self.space.network.decisions(found.architecture)
            edits = (edit for decision in open_ for edit in self._edits(found, decision.path))
            smaller = next(((s, edit) for edit in edits if (s := self._size(edit)) < size), None)
            if smaller is None:
                return found
            size, found = smaller

    def _size(self, candidate: Candidate) -> tuple[float, float, int]:
        """Return parameters, FLOPs and how many smaller options there are; what is not allowed is larger than all."""
        ranks = 0
        for d in self.space.network.decisions(candidate.architecture):
            sizes = [self._option_size(d.path, d.choice, index) for index in d.allowed]
            ranks += sorted(sizes).index(self._option_size(d.path, d.choice, d.index))
        cost = self._cost(candidate.architecture) if self.space.allows(candidate) else NO_NETWORK
        return *cost, ranks

    def _option_size(self, path: str, choice: Choice, index: int) -> tuple[float, ...]:
        """Return what orders the options of a choice of the network."""
        number = choice.labels[index] if choice.numeric else index
        return *self._sizes.get((path, index), (0, 0)), float(number)

    def _sizes_of_options(self) -> dict[tuple[str, int], tuple[float, float]]:
        """Return what the default network costs with each option of each of its choices."""
        network, sizes = self.space.network, {}
        for d in network.decisions(network.default):
            for index in d.allowed:
                kept = {**network.default, d.path: d.choice.labels[index]}
                sizes[d.path, index] = self._cost(network.derive(keeping(kept, self._lowest)))
        return sizes

    def _cost(self, architecture: Architecture) -> tuple[float, float]:
        """Return parameters and FLOPs, as far as the space knows them."""
        if self.space.signature is None:
            return 0, 0
        try:
            cost = self.space.network.cost(architecture, self.space.signature)
        except Unbuildable:
            return NO_NETWORK
        return cost.parameters, cost.flops
