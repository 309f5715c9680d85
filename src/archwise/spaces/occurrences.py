"""Where choices stand in a tree, over all its options at once: checking paths and counting architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from archwise.errors import SpaceError
from archwise.spaces.choice import Choice
from archwise.spaces.layer_types import Layer, LayerType
from archwise.spaces.nodes import Node, Shared

Counts = dict[frozenset[str], int]
"""Shared parts and choices that are met -> number of ways to make all choices outside these."""
Allowed = Callable[[str, Choice], tuple[int, ...]]
"""(path, choice) -> indices of the options that are open."""


def walk(part: Any, scope: str = "", shared: dict[str, Any] | None = None) -> Iterator[tuple[str, Choice | Node]]:
    """Yield each choice with its path and each part with its scope, inside every option too; what is shared, once.

    Raises:
        SpaceError: two different shared choices, or parts, have one name.
    """
    shared = {} if shared is None else shared
    if isinstance(part, Choice):
        path = part.path(scope)
        if part.shared and _known(shared, path, part):
            return
        yield path, part
        for option, label in zip(part.options, part.labels, strict=True):
            yield from walk(option, f"{path}={label}/", shared)
    elif isinstance(part, Node):
        if isinstance(part, Shared) and _known(shared, part.inner(scope), part.part):
            if shared[part.inner(scope)] is not part.part:
                other = walk(part.part, part.inner(scope), dict(shared))
                yield from ((place, found) for place, found in other if isinstance(found, Node))
            return
        yield scope, part
        most = part.times
        if isinstance(most, Choice):
            yield from walk(most, part.inner(scope), shared)
            most = max(most.options)
        for inside, inner in part.distinct_parts(scope, most):
            yield from walk(inside, inner, shared)


def _known(shared: dict[str, Any], unit: str, part: Any) -> bool:
    """Whether something shared was met before."""
    known = unit in shared
    if known and shared[unit] is not part and (isinstance(part, Choice) or _choices(part) != _choices(shared[unit])):
        raise SpaceError(f"Two different things are shared as {unit!r}: use one object at every place, or two names.")
    shared.setdefault(unit, part)
    return known


def _choices(part: Node) -> list[tuple[str, tuple[Any, ...], str]]:
    """Return the choices that a part makes: two parts that make the same may be shared under one name."""
    return [(path, choice.labels, choice.level) for path, choice in occurrences(part)]


def occurrences(root: Node | Choice) -> Iterator[tuple[str, Choice]]:
    """Yield (path, choice) for all choices of a tree, inside every option too."""
    return ((path, found) for path, found in walk(root) if isinstance(found, Choice))


def check_tree(root: Node | Choice) -> None:
    """Make sure that a path names one choice, and a name one kind of layer.

    Raises:
        SpaceError: two choices have one path, two kinds of layer one name, or a part a name that paths cannot hold.
    """
    if not isinstance(root, Node | Choice):
        raise SpaceError(f"A space is made of parts, not of {root!r}: use Chain, layer(...), Settings and the like.")
    paths: set[str] = set()
    kinds: dict[str, LayerType] = {}
    for path, found in walk(root):
        if isinstance(found, Choice):
            if path in paths:
                raise SpaceError(
                    f"Two choices have the path {path!r}: give the parts around them names (name='...'), "
                    "or share what is meant to be one: Choice(..., shared=True), Shared(part, name)."
                )
            paths.add(path)
            continue
        if found.name is not None and (not found.name or any(sign in found.name for sign in "/=*")):
            raise SpaceError(f"A part needs a name without '/', '=' and '*', not {found.name!r}.")
        if isinstance(found, Layer):
            kind = kinds.setdefault(found.kind.name, found.kind)
            if kind.factory is not found.kind.factory or kind.pure != found.kind.pure:
                raise SpaceError(
                    f"Two different layers are called {kind.name!r}: rename one of them, or give it a name: "
                    "layer(..., name='...')."
                )


def count_architectures(root: Node | Choice, allowed: Allowed) -> int:
    """Return the exact number of architectures of a tree.

    Args:
        root: the tree.
        allowed: (path, choice) -> indices of the options that are open.
    """
    repeats = dict.fromkeys(found.times for _, found in walk(root) if isinstance(found, Node))
    return _count(root, allowed, [times for times in repeats if isinstance(times, Choice) and times.shared])


def _count(root: Node | Choice, allowed: Allowed, repeats: list[Choice]) -> int:
    """Count, one by one for each number of copies that several places share."""
    if repeats:
        first, *others = repeats

        def count(*open_: int) -> int:
            return _count(root, lambda path, choice: open_ if choice is first else allowed(path, choice), others)

        unmet = count()
        return unmet + sum(count(i) - unmet for i in allowed(first.path(""), first))
    counter = _Counter(allowed)
    total = 0
    partial = {(met, frozenset[str]()): count for met, count in counter.ways(root, "").items()}
    while partial:
        (met, done), ways = partial.popitem()
        if met == done:
            total += ways
            continue
        unit = min(met - done)
        for more, inside in counter.ways_inside(unit).items():
            key = (met | more, done | {unit})
            partial[key] = partial.get(key, 0) + ways * inside
    return total


class _Counter:
    """Counts ways to decide a part; what is shared is counted apart, once for all its places."""

    def __init__(self, allowed: Allowed):
        self._allowed = allowed
        self._shared: dict[str, Choice | Shared] = {}

    def ways(self, part: Any, scope: str) -> Counts:
        """Count the ways to decide what is not shared inside a part."""
        if isinstance(part, Choice):
            return self._of_shared(part.path(scope), part) if part.shared else self._of_choice(part, scope)
        if isinstance(part, Shared):
            return self._of_shared(part.inner(scope), part)
        return self._of_node(part, scope) if isinstance(part, Node) else {frozenset(): 1}

    def ways_inside(self, unit: str) -> Counts:
        """Count the ways to decide a shared part or choice that was met."""
        part = self._shared[unit]
        return self._of_choice(part, "") if isinstance(part, Choice) else self._of_node(part, "")

    def _of_shared(self, unit: str, part: Choice | Shared) -> Counts:
        self._shared[unit] = part
        return {frozenset([unit]): 1}

    def _of_choice(self, choice: Choice, scope: str) -> Counts:
        path = choice.path(scope)
        options = ((choice.options[i], f"{path}={choice.labels[i]}/") for i in self._allowed(path, choice))
        return _added(self.ways(option, inner) for option, inner in options)

    def _of_node(self, node: Node, scope: str) -> Counts:
        if not isinstance(node.times, Choice):
            return self._of_copies(node, scope, node.times)
        times = node.times
        path = times.path(node.inner(scope))
        ways = _added(self._of_copies(node, scope, times.options[i]) for i in self._allowed(path, times))
        return _product(self._of_shared(path, times), ways) if times.shared else ways

    def _of_copies(self, node: Node, scope: str, times: int) -> Counts:
        total: Counts = {frozenset(): 1}
        for part, inner in node.distinct_parts(scope, times):
            total = _product(total, self.ways(part, inner))
        return total


def _added(several: Iterator[Counts]) -> Counts:
    total: Counts = {}
    for counts in several:
        for met, count in counts.items():
            total[met] = total.get(met, 0) + count
    return total


def _product(first: Counts, second: Counts) -> Counts:
    return _added({met | more: m * n} for met, m in first.items() for more, n in second.items())
