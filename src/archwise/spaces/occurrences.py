"""Where choices stand in a tree, over all its options at once: checking paths and counting architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from archwise.errors import SpaceError
from archwise.spaces.choice import Choice
from archwise.spaces.nodes import Node, Shared

Counts = dict[frozenset[str], int]
"""Shared parts and choices that are met -> number of ways to make all choices outside these."""


def occurrences(part: Any, scope: str = "") -> Iterator[tuple[str, Choice]]:
    """Yield (path, choice) wherever a choice stands, inside every option too; a path may come several times."""
    if isinstance(part, Choice):
        path = part.path(scope)
        yield path, part
        for option, label in zip(part.options, part.labels, strict=True):
            yield from occurrences(option, f"{path}={label}/")
    elif isinstance(part, Node):
        most = part.times
        if isinstance(most, Choice):
            yield from occurrences(most, part.inner(scope))
            most = max(most.options)
        for inside, inner in part.distinct_parts(scope, most):
            yield from occurrences(inside, inner)


def check_paths(root: Node) -> None:
    """Make sure that a path names one choice.

    Raises:
        SpaceError: two choices have one path.
    """
    found: dict[str, Choice] = {}
    for path, choice in occurrences(root):
        if path in found and not (path.startswith("/") and choice is found[path]):
            raise SpaceError(
                f"Two choices have the path {path!r}: give the parts around them names (name='...'), "
                "or share what is meant to be one: Choice(..., shared=True), Shared(part, name)."
            )
        found[path] = choice


def count_architectures(root: Node, allowed: Callable[[str, Choice], tuple[int, ...]]) -> int:
    """Return the exact number of architectures of a tree.

    Args:
        root: the tree.
        allowed: (path, choice) -> indices of the options that are open.
    """
    counter = _Counter(allowed)
    total = 0
    partial = [(met, frozenset[str](), count) for met, count in counter.ways(root, "").items()]
    while partial:
        met, done, count = partial.pop()
        if met == done:
            total += count
            continue
        unit = min(met - done)
        for more, ways in counter.ways_inside(unit).items():
            partial.append((met | more, done | {unit}, count * ways))
    return total


class _Counter:
    """Counts ways to decide a part; what is shared is counted apart, once for all its places."""

    def __init__(self, allowed: Callable[[str, Choice], tuple[int, ...]]):
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
        open_ = self._allowed(times.path(node.inner(scope)), times)
        if times.shared:
            raise SpaceError(
                f"The choice {times.name!r} of how often to repeat cannot be shared: share the part around it."
            )
        return _added(self._of_copies(node, scope, times.options[i]) for i in open_)

    def _of_copies(self, node: Node, scope: str, times: int) -> Counts:
        total: Counts = {frozenset(): 1}
        for part, inner in node.distinct_parts(scope, times):
            ways = self.ways(part, inner)
            total = _added({met | more: m * n for more, n in ways.items()} for met, m in total.items())
        return total


def _added(several: Iterator[Counts]) -> Counts:
    total: Counts = {}
    for counts in several:
        for met, count in counts.items():
            total[met] = total.get(met, 0) + count
    return total
