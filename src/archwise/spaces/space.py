"""A search space: one tree of parts and choices, and every view of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from archwise.errors import SpaceError, Unbuildable
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Label
from archwise.spaces.choice import Choice, Decide, Decision, Derivation, Derived
from archwise.spaces.graph import Graph, GraphBuilder
from archwise.spaces.limits import Limits
from archwise.spaces.nodes import Node, describe
from archwise.spaces.occurrences import check_tree, count_architectures, occurrences
from archwise.spaces.plan import Planned
from archwise.spaces.settings import Settings
from archwise.spaces.walks import completions, derived, keeping

if TYPE_CHECKING:
    from torch import nn

    from archwise.spaces.cost import Cost

Seed = int | np.random.Generator


class Space:
    """The set of architectures that a tree of parts and choices describes.

    A space is immutable; `fix`, `exclude` and `freeze` return smaller ones.

    Args:
        root: the tree: a network, or Settings for a training recipe.
        name: what the space is called in reports and in the experience.

    Raises:
        SpaceError: two different choices have one path, or two different layers or shared parts one name.

    Example:
        >>> from archwise.spaces import Chain, Choice, Space
        >>> from archwise.spaces.parts import dense, head, relu
        >>> space = Space(Chain(dense(width=Choice("width", [16, 32])), relu(), head()))
        >>> a = space.sample(seed=0)
        >>> space.size, a == space.mutate(a, seed=0), len(list(space.neighbours(a)))
        (2, False, 1)
    """

    def __init__(self, root: Node | Choice, name: str = "custom"):
        check_tree(root)
        self.root = root
        self.name = name
        self._limits = Limits(root)
        self._read = lru_cache(maxsize=1024)(self._find_derived)
        self._is_member = lru_cache(maxsize=1 << 17)(self._find_member)
        self.key = lru_cache(maxsize=1 << 17)(self._find_key)
        self._costed = lru_cache(maxsize=1 << 14)(self._find_cost)

    # ------------------------------------------------------------------ architectures

    @cached_property
    def default(self) -> Architecture:
        """The architecture that takes every choice's default, or the first option left open."""
        return self.derive(lambda _, choice, open_: choice.default if choice.default in open_ else open_[0])

    @cached_property
    def size(self) -> int:
        """The exact number of architectures, as an unbounded whole number."""
        return count_architectures(self.root, self._limits.allowed)

    def sample(self, seed: Seed) -> Architecture:
        """Draw an architecture: at every choice that is met, each open option is equally likely.

        Uniform over options is not uniform over architectures: options that open further choices lead to more of them.

        Args:
            seed: a whole number, or a generator that is advanced.
        """
        rng = np.random.default_rng(seed)
        return self.derive(lambda _path, _choice, open_: open_[rng.integers(len(open_))])

    def derive(self, decide: Decide) -> Architecture:
        """Walk down the tree and let `decide` take an option at each choice that is met.

        Args:
            decide: (path, choice, indices of its open options) -> one of these.
        """
        derivation = Derivation(decide, self._limits.allowed)
        derivation.take(self.root, "")
        return derivation.architecture

    def mutate(self, architecture: Architecture, seed: Seed, levels: Sequence[str] | None = None) -> Architecture:
        """Resample one active choice to another option, and sample what newly opens under it.

        Args:
            architecture: a member of the space.
            seed: a whole number, or a generator that is advanced.
            levels: mutate only choices of these levels; all if None.

        Raises:
            SpaceError: no choice has a second option.
        """
        rng = np.random.default_rng(seed)
        decisions = [d for d in self.decisions(architecture) if len(d.allowed) > 1]
        decisions = [d for d in decisions if levels is None or d.choice.level in levels]
        if not decisions:
            raise SpaceError(f"The space {self.name!r} has no choice left to mutate in {architecture}.")
        picked = decisions[rng.integers(len(decisions))]
        others = [i for i in picked.allowed if i != picked.index]
        kept = {**architecture, picked.path: picked.choice.labels[others[rng.integers(len(others))]]}
        return self.derive(keeping(kept, lambda _path, _choice, open_: open_[rng.integers(len(open_))]))

    def cross(self, first: Architecture, second: Architecture, seed: Seed) -> Architecture:
        """Return a child that takes each choice from a parent who made it, chosen by the toss of a coin."""
        rng = np.random.default_rng(seed)

        def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
            made = [p[path] for p in (first, second) if path in p]
            taken = [i for label in made if (i := choice.index(label)) in allowed] or allowed
            return taken[rng.integers(len(taken))]

        self.decisions(first), self.decisions(second)
        return self.derive(decide)

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Yield every architecture that `mutate` can return, each once."""
        for decision in self.decisions(architecture):
            for index in decision.allowed:
                if index != decision.index:
                    kept = {**architecture, decision.path: decision.choice.labels[index]}
                    yield from completions(self.derive, kept)

    def enumerate(self) -> Iterator[Architecture]:
        """Yield every architecture of the space, each once, in the order of the tree."""
        return completions(self.derive, {})

    def decisions(self, architecture: Architecture) -> tuple[Decision, ...]:
        """Return the active choices with the option taken at each, in the order of the tree.

        Raises:
            SpaceError: the architecture is not a member of the space; the text names the path.
        """
        return self._read(architecture).decisions

    def __contains__(self, architecture: object) -> bool:
        return isinstance(architecture, Architecture) and self._is_member(architecture)

    # ------------------------------------------------------------------ smaller spaces

    def fix(self, choices: Mapping[str, Label | Sequence[Label]]) -> Space:
        """Return the space in which choices keep only the given option, or the given few.

        Args:
            choices: path of a choice, or the name of several, or a pattern (`stage1/*`) of paths -> label or labels
                that stay open.

        Raises:
            SpaceError: a pattern fits no choice, or a label is no open option of it.
        """
        return self._limited(self._limits.keeping(choices))

    def exclude(self, choices: Mapping[str, Label | Sequence[Label]]) -> Space:
        """Return the space without some options.

        Args:
            choices: as for `fix` -> label or labels to leave out.

        Raises:
            SpaceError: a pattern fits no choice, a label is no open option of it, or no option is left.
        """
        return self._limited(self._limits.without(choices))

    def freeze(self, architecture: Architecture, levels: Sequence[str]) -> Space:
        """Return the space in which the choices of some levels are as in `architecture` and the others open.

        Args:
            architecture: a member of the space.
            levels: the levels to freeze, for instance `["macro"]` before the cell is searched.

        Raises:
            SpaceError: the architecture is no member, or the space has no such level.
        """
        levels = self._known_levels(levels)
        frozen = {d.path: d.label for d in self.decisions(architecture) if d.choice.level in levels}
        return self._limited(self._limits.keeping(frozen))

    def only(self, architecture: Architecture, levels: Sequence[str]) -> Space:
        """Return the space in which the choices of some levels are open and all others are as in `architecture`.

        A choice of another level that `architecture` does not meet takes its default, or the first option left open.

        Args:
            architecture: a member of the space.
            levels: the levels to vary; of none, the architecture is all there is.

        Raises:
            SpaceError: the architecture is no member.
        """
        self.decisions(architecture)
        fixed = {}
        for path, choice in occurrences(self.root):
            if choice.level not in levels:
                open_ = self._limits.allowed(path, choice)
                by_default = choice.default if choice.default in open_ else open_[0]
                fixed[path] = choice.index(architecture[path]) if path in architecture else by_default
        return self._limited(self._limits.fixed(fixed))

    def has(self, pattern: str) -> bool:
        """Whether the path, name or pattern fits a choice of the space."""
        return bool(self._limits.fitting(pattern))

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels of the choices, in the order of the tree."""
        return tuple(dict.fromkeys(choice.level for _, choice in occurrences(self.root)))

    # ------------------------------------------------------------------ networks

    def graph(self, architecture: Architecture) -> Graph:
        """Return what the architecture computes; `graph(a).hash` is equal for equal functions."""
        builder = GraphBuilder()
        return builder.finish(self._read(architecture).root.trace(builder, builder.input))

    def sketch(self, architecture: Architecture) -> Graph:
        """Return the graph in which copies of one part stand once: smaller, and enough for counting what there is."""
        builder = GraphBuilder(sketch=True)
        return builder.finish(self._read(architecture).root.trace(builder, builder.input))

    def _find_key(self, architecture: Architecture) -> str:
        """Return the hash of the architecture's graph; `key` remembers it."""
        return self.graph(architecture).hash

    def values(self, architecture: Architecture) -> dict[str, Any]:
        """Return the values of a space of Settings."""
        root = self._read(architecture).root
        if not isinstance(root, Settings):
            raise SpaceError(f"The space {self.name!r} describes a network, which has no values.")
        return root.flat()

    def plan(self, architecture: Architecture, signature: Signature) -> Planned:
        """Return the constructor call of the architecture's network, and what the network costs.

        Raises:
            Unbuildable: the architecture cannot become a network for this signature; the text is the reason.
        """
        planned = self._read(architecture).root.plan(signature.input, signature.outputs)
        if planned is None:
            raise Unbuildable("No path leads from the network's input to its output.")
        if planned.shape != (signature.outputs,):
            raise Unbuildable(
                f"The network returns the shape {planned.shape}, but the task asks for ({signature.outputs},)."
            )
        return planned

    def check(self, architecture: Architecture, signature: Signature) -> str | None:
        """Return why the architecture cannot be built for this signature, or None where it can."""
        found = self._costed(architecture, signature)
        return found if isinstance(found, str) else None

    def build(self, architecture: Architecture, signature: Signature) -> nn.Module:
        """Return the architecture's network as an ordinary module with fresh weights (from torch's generator).

        Raises:
            Unbuildable: as for `plan`.
        """
        module: nn.Module = self.plan(architecture, signature).call.build()
        return module

    def source(self, architecture: Architecture, signature: Signature) -> str:
        """Return plain PyTorch code that needs no archwise and defines `build_model()`.

        Raises:
            Unbuildable: as for `plan`.
            SpaceError: the source of a user's own layer cannot be found.
        """
        from archwise.spaces.source import source_of

        return source_of(self.plan(architecture, signature).call)

    def cost(self, architecture: Architecture, signature: Signature) -> Cost:
        """Return the network's parameters and FLOPs without giving it weights.

        Raises:
            Unbuildable: as for `plan`.
        """
        found = self._costed(architecture, signature)
        if isinstance(found, str):
            raise Unbuildable(found)
        return found

    def features(self, architecture: Architecture, signature: Signature) -> np.ndarray:
        """Return a vector of fixed length that surrogates can learn from; see `spaces.features`."""
        from archwise.spaces.features import features_of

        graph = self.graph(architecture)
        return features_of(graph, None if self.check(architecture, signature) else self.cost(architecture, signature))

    # ------------------------------------------------------------------ identity

    def describe(self) -> dict[str, Any]:
        """Return the space as plain JSON data, for the record; code cannot be rebuilt from it."""
        return {"name": self.name, "root": describe(self.root), "limits": self._limits.describe()}

    @cached_property
    def hash(self) -> str:
        """A text that is equal for spaces that are described alike."""
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()[:32]

    def __repr__(self) -> str:
        digits = len(str(self.size))
        return f"Space({self.name!r}, size={self.size if digits < 7 else f'about 10^{digits - 1}'})"

    # ------------------------------------------------------------------ the one walk behind all of it

    def _find_derived(self, architecture: Architecture) -> Derived:
        return derived(self.root, self.name, self._limits.allowed, architecture)

    def _find_cost(self, architecture: Architecture, signature: Signature) -> Cost | str:
        """Return what a network costs, or why it cannot be built; `_costed` remembers it."""
        try:
            return self.plan(architecture, signature).cost
        except Unbuildable as reason:
            return str(reason)

    def _find_member(self, architecture: Architecture) -> bool:
        """Whether the architecture can be read; `_is_member` remembers it."""
        try:
            self._read(architecture)
        except SpaceError:
            return False
        return True

    def _limited(self, limits: Limits) -> Space:
        smaller = Space(self.root, self.name)
        smaller._limits = limits
        return smaller

    def _known_levels(self, levels: Sequence[str]) -> tuple[str, ...]:
        known = (levels,) if isinstance(levels, str) else tuple(levels)
        for level in known:
            if level not in self.levels:
                raise SpaceError(f"The space {self.name!r} has no level {level!r}: take some of {self.levels!r}.")
        return known
