"""A search space: one tree of parts and choices, and every view of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from archwise.errors import SpaceError, Unbuildable
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Label
from archwise.spaces.choice import Choice, Decide, Decision, Derivation, Derived
from archwise.spaces.graph import Graph, GraphBuilder
from archwise.spaces.nodes import Node, Settings
from archwise.spaces.occurrences import check_paths, count_architectures, occurrences
from archwise.spaces.plan import Call

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
        SpaceError: two different choices have one path.

    Example:
        >>> from archwise.spaces import Chain, Choice, Space
        >>> from archwise.spaces.parts import dense, head, relu
        >>> space = Space(Chain(dense(width=Choice("width", [16, 32])), relu(), head()))
        >>> a = space.sample(seed=0)
        >>> space.size, a == space.mutate(a, seed=0), len(list(space.neighbours(a)))
        (2, False, 1)
    """

    def __init__(self, root: Node, name: str = "custom"):
        self.root = root
        self.name = name
        self._limits: dict[str, tuple[Label, ...]] = {}
        check_paths(root)
        self._allowed = lru_cache(maxsize=None)(self._find_allowed)
        self._read = lru_cache(maxsize=1024)(self._find_derived)
        self.key = lru_cache(maxsize=1 << 17)(self._find_key)

    # ------------------------------------------------------------------ architectures

    @cached_property
    def default(self) -> Architecture:
        """The architecture that takes every choice's default, or the first option left open."""
        return self._derive(lambda _, choice, open_: choice.default if choice.default in open_ else open_[0])

    @cached_property
    def size(self) -> int:
        """The exact number of architectures, as an unbounded whole number."""
        return count_architectures(self.root, self._allowed)

    def sample(self, seed: Seed) -> Architecture:
        """Draw an architecture: at every choice that is met, each open option is equally likely.

        Uniform over options is not uniform over architectures: options that open further choices lead to more of them.

        Args:
            seed: a whole number, or a generator that is advanced.
        """
        rng = np.random.default_rng(seed)
        return self._derive(lambda _path, _choice, open_: open_[rng.integers(len(open_))])

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
        return self._derive(_keeping(kept, lambda _path, _choice, open_: open_[rng.integers(len(open_))]))

    def cross(self, first: Architecture, second: Architecture, seed: Seed) -> Architecture:
        """Return a child that takes each choice from a parent who made it, chosen by the toss of a coin."""
        rng = np.random.default_rng(seed)

        def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
            made = [p[path] for p in (first, second) if path in p]
            taken = [i for label in made if (i := choice.labels.index(label)) in allowed] or allowed
            return taken[rng.integers(len(taken))]

        self.decisions(first), self.decisions(second)
        return self._derive(decide)

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Yield every architecture that `mutate` can return, each once."""
        for decision in self.decisions(architecture):
            for index in decision.allowed:
                if index != decision.index:
                    yield from self._completions({**architecture, decision.path: decision.choice.labels[index]})

    def enumerate(self) -> Iterator[Architecture]:
        """Yield every architecture of the space, each once, in the order of the tree."""
        return self._completions({})

    def decisions(self, architecture: Architecture) -> tuple[Decision, ...]:
        """Return the active choices with the option taken at each, in the order of the tree.

        Raises:
            SpaceError: the architecture is not a member of the space; the text names the path.
        """
        return self._read(architecture).decisions

    def __contains__(self, architecture: object) -> bool:
        if not isinstance(architecture, Architecture):
            return False
        try:
            self._read(architecture)
        except SpaceError:
            return False
        return True

    # ------------------------------------------------------------------ smaller spaces

    def fix(self, choices: Mapping[str, Label | Sequence[Label]]) -> Space:
        """Return the space in which choices keep only the given option, or the given few.

        Args:
            choices: path, name or pattern (`stage1/*`) of choices -> label or labels that stay open.

        Raises:
            SpaceError: a pattern fits no choice, or a label is no option of it.
        """
        limits = {key: _labels(labels) for key, labels in choices.items()}
        return self._limited(limits)

    def exclude(self, choices: Mapping[str, Label | Sequence[Label]]) -> Space:
        """Return the space without some options.

        Args:
            choices: path, name or pattern of choices -> label or labels to leave out.

        Raises:
            SpaceError: a pattern fits no choice, a label is no option of it, or no option is left.
        """
        limits: dict[str, tuple[Label, ...]] = {}
        for pattern, labels in choices.items():
            for path, choice in self._matching(pattern):
                left = [
                    choice.labels[i] for i in self._allowed(path, choice) if choice.labels[i] not in _labels(labels)
                ]
                unknown = set(_labels(labels)) - set(choice.labels)
                if unknown or not left:
                    raise SpaceError(f"Cannot exclude {_labels(labels)!r} from the choice {path!r}: {choice.labels!r}.")
                limits[path] = tuple(left)
        return self._limited(limits)

    def freeze(self, architecture: Architecture, levels: Sequence[str]) -> Space:
        """Return the space in which the choices of some levels are as in `architecture` and the others open.

        Args:
            architecture: a member of the space.
            levels: the levels to freeze, for instance `["macro"]` before the cell is searched.
        """
        frozen = {d.path: (d.label,) for d in self.decisions(architecture) if d.choice.level in levels}
        return self._limited(frozen)

    def has(self, pattern: str) -> bool:
        """Whether the path, name or pattern fits a choice of the space."""
        try:
            return bool(self._matching(pattern))
        except SpaceError:
            return False

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels of the choices, in the order of the tree."""
        return tuple(dict.fromkeys(choice.level for _, choice in occurrences(self.root)))

    # ------------------------------------------------------------------ networks

    def graph(self, architecture: Architecture) -> Graph:
        """Return what the architecture computes; `graph(a).hash` is equal for equal functions."""
        builder = GraphBuilder()
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

    def plan(self, architecture: Architecture, signature: Signature) -> Call:
        """Return the constructor call of the architecture's network.

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
        return planned.call

    def check(self, architecture: Architecture, signature: Signature) -> str | None:
        """Return why the architecture cannot be built for this signature, or None where it can."""
        try:
            self.plan(architecture, signature)
        except Unbuildable as reason:
            return str(reason)
        return None

    def build(self, architecture: Architecture, signature: Signature) -> nn.Module:
        """Return the architecture's network as an ordinary module with fresh weights (from torch's generator).

        Raises:
            Unbuildable: as for `plan`.
        """
        module: nn.Module = self.plan(architecture, signature).build()
        return module

    def source(self, architecture: Architecture, signature: Signature) -> str:
        """Return plain PyTorch code that needs no archwise and defines `build_model()`.

        Raises:
            Unbuildable: as for `plan`.
            SpaceError: the source of a user's own layer cannot be found.
        """
        from archwise.spaces.source import source_of

        return source_of(self.plan(architecture, signature))

    def cost(self, architecture: Architecture, signature: Signature) -> Cost:
        """Return the network's parameters and FLOPs without giving it weights.

        Raises:
            Unbuildable: as for `plan`.
        """
        from archwise.spaces.cost import cost_of

        return cost_of(self.plan(architecture, signature), signature.input)

    def features(self, architecture: Architecture, signature: Signature) -> np.ndarray:
        """Return a vector of fixed length that surrogates can learn from; see `spaces.features`."""
        from archwise.spaces.features import features_of

        graph = self.graph(architecture)
        return features_of(graph, None if self.check(architecture, signature) else self.cost(architecture, signature))

    # ------------------------------------------------------------------ identity

    def describe(self) -> dict[str, Any]:
        """Return the space as plain JSON data, for the record; code cannot be rebuilt from it."""
        limits = {path: list(labels) for path, labels in self._limits.items()}
        return {"name": self.name, "root": self.root.describe(), "limits": limits}

    @cached_property
    def hash(self) -> str:
        """A text that is equal for spaces that are described alike."""
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()[:32]

    def __repr__(self) -> str:
        return f"Space({self.name!r}, size={self.size:.3g})"

    # ------------------------------------------------------------------ the one walk behind all of it

    def _derive(self, decide: Decide) -> Architecture:
        derivation = Derivation(decide, self._allowed)
        derivation.take(self.root, "")
        return derivation.architecture

    def _find_derived(self, architecture: Architecture) -> Derived:
        def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
            if path not in architecture:
                raise SpaceError(f"The architecture does not say what it takes at {path!r}: one of {choice.labels!r}.")
            label = architecture[path]
            same = [i for i in allowed if choice.labels[i] == label and type(choice.labels[i]) is type(label)]
            if not same:
                open_ = [choice.labels[i] for i in allowed]
                raise SpaceError(
                    f"{label!r} is not open at {path!r} in the space {self.name!r}: take one of {open_!r}."
                )
            return same[0]

        derivation = Derivation(decide, self._allowed)
        root = derivation.take(self.root, "")
        unknown = set(architecture) - {decision.path for decision in derivation.decisions}
        if unknown:
            raise SpaceError(f"The space {self.name!r} has no active choice {min(unknown)!r} in this architecture.")
        return Derived(architecture, derivation.decisions, root)

    def _completions(self, kept: Mapping[str, Label]) -> Iterator[Architecture]:
        """Yield every architecture that makes the kept choices where it meets them."""
        prefix: list[int] = []
        while True:
            widths: list[int] = []

            def count(
                _path: str,
                _choice: Choice,
                allowed: tuple[int, ...],
                prefix: list[int] = prefix,
                widths: list[int] = widths,
            ) -> int:
                position = len(widths)
                widths.append(len(allowed))
                if position == len(prefix):
                    prefix.append(0)
                return allowed[prefix[position]]

            yield self._derive(_keeping(kept, count))
            while prefix and prefix[-1] + 1 == widths[len(prefix) - 1]:
                prefix.pop()
            if not prefix:
                return
            prefix[-1] += 1

    def _find_allowed(self, path: str, choice: Choice) -> tuple[int, ...]:
        labels = self._limits.get(path, choice.labels)
        return tuple(i for i, label in enumerate(choice.labels) if label in labels)

    def _matching(self, pattern: str) -> list[tuple[str, Choice]]:
        everywhere = dict(occurrences(self.root))
        found = [(p, c) for p, c in everywhere.items() if pattern in (p, c.name) or fnmatchcase(p, pattern)]
        if not found:
            known = ", ".join(repr(path) for path in list(everywhere)[:12])
            raise SpaceError(f"No choice of the space {self.name!r} fits {pattern!r}; there are {known}.")
        return found

    def _limited(self, limits: Mapping[str, tuple[Label, ...]]) -> Space:
        smaller = Space(self.root, self.name)
        smaller._limits = dict(self._limits)
        for pattern, labels in limits.items():
            for path, choice in self._matching(pattern):
                left = tuple(
                    label for label in labels if label in [choice.labels[i] for i in self._allowed(path, choice)]
                )
                if len(left) < len(labels):
                    raise SpaceError(f"The choice {path!r} has the options {choice.labels!r}, not all of {labels!r}.")
                smaller._limits[path] = left
        return smaller


def _keeping(kept: Mapping[str, Label], otherwise: Decide) -> Decide:
    def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
        if path in kept and (index := choice.labels.index(kept[path])) in allowed:
            return index
        return otherwise(path, choice, allowed)

    return decide


def _labels(labels: Label | Sequence[Label]) -> tuple[Label, ...]:
    return (labels,) if isinstance(labels, str | int | float) else tuple(labels)
