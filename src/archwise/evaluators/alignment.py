"""Which layer of one network stands where which layer of another stood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from torch import nn

ANCHOR = 1000.0
"""Added to the likeness of both networks' last layers with weights: what gives the outputs stays that."""


class Item(NamedTuple):
    """An element of a chain: a layer, or where a residual block begins or ends."""

    module: nn.Module
    role: Literal["layer", "open", "close"] = "layer"


def is_a(module: nn.Module, name: str, *children: str) -> bool:
    """Whether a module is of the class of that name with those children; it may come from a source of its own."""
    return type(module).__name__ == name and {key for key, _ in module.named_children()} == set(children)


def flat(module: nn.Module) -> list[Item]:
    """Return a network as one chain: sequences laid end to end, residual blocks as brackets, identities left out."""
    if type(module) is nn.Sequential:
        return [item for inner in module for item in flat(inner)]
    if type(module) is nn.Identity:
        return []
    if is_a(module, "ResidualBlock", "body", "shortcut"):
        return [Item(module, "open"), *flat(module.get_submodule("body")), Item(module, "close")]
    return [Item(module)]


def aligned(child: Sequence[Item], parent: Sequence[Item]) -> list[int | None]:
    """Return for each item of the child's chain the place of its counterpart in the parent's, None where it is new.

    Counterparts stand in the same order in both, are of one class, and are together as alike as can be; of equal
    alignments that which has what is new last. Brackets have counterparts in pairs alone.

    Example:
        >>> wide = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> narrow = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
        >>> aligned(flat(wide), flat(narrow))
        [0, 1, None, None, 2]
    """
    likeness = _likeness(child, parent)
    rows, columns = len(child), len(parent)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            both = best[i + 1][j + 1] + likeness[i][j] if likeness[i][j] else 0.0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    found: list[int | None] = [None] * rows
    i = j = 0
    while i < rows and j < columns:
        if likeness[i][j] and best[i][j] == best[i + 1][j + 1] + likeness[i][j]:
            found[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            i += 1
    return _in_pairs(child, parent, found)


def _likeness(child: Sequence[Item], parent: Sequence[Item]) -> list[list[float]]:
    """Return how alike each item of the child and each of the parent are; 0 where they cannot be counterparts."""
    traits = [[_Traits(item) for item in chain] for chain in (child, parent)]
    likeness = [[a.likeness(b) for b in traits[1]] for a in traits[0]]
    last = [max((i for i, trait in enumerate(own) if trait.shape), default=None) for own in traits]
    if last[0] is not None and last[1] is not None and likeness[last[0]][last[1]]:
        likeness[last[0]][last[1]] += ANCHOR
    return likeness


class _Traits:
    """What of an item is compared."""

    def __init__(self, item: Item):
        self.kind = (type(item.module).__name__, item.role)
        weights = list(item.module.parameters()) if item.role == "layer" else []
        self.shape = tuple(weights[0].shape) if weights else ()
        self.text = repr(item.module) if item.role == "layer" else ""

    def likeness(self, other: _Traits) -> float:
        if self.kind != other.kind:
            return 0.0
        if not self.shape:
            return 1.0 + 0.25 * (self.text == other.text)
        return 4.0 + (self.text == other.text) + sum(a == b for a, b in zip(self.shape, other.shape, strict=False))


def _in_pairs(child: Sequence[Item], parent: Sequence[Item], found: list[int | None]) -> list[int | None]:
    """Return the alignment without brackets whose other half has another counterpart."""
    for item, place in zip(child, found, strict=True):
        if item.role == "open":
            close = child.index(Item(item.module, "close"))
            other = None if place is None else parent.index(Item(parent[place].module, "close"))
            if found[close] != other or place is None:
                found[child.index(item)] = found[close] = None
    return found
