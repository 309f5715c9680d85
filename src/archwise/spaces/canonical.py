"""A canonical hash of labelled directed acyclic graphs: equal exactly for isomorphic ones.

Colour refinement with individualisation, after McKay & Piperno 2014, Practical graph isomorphism II, reduced to
what small graphs need: what colours alone leave unconnected is looked at piece by piece, and vertices that an
automorphism maps onto one another are followed once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

Edges = list[list[tuple[int, int]]]
"""For each vertex, the (position, neighbour) pairs of its edges; position 0 where the order means nothing."""
Colours = dict[int, int]
"""Colour of each vertex that is looked at."""


def canonical_hash(labels: Sequence[str], inputs: Sequence[Sequence[int]], commutative: Sequence[bool]) -> str:
    """Return a text that two graphs share exactly when one is the other with its vertices renamed.

    Args:
        labels: label of each vertex; the vertices stand in topological order.
        inputs: for each vertex, the vertices that its edges come from.
        commutative: for each vertex, whether the order of its inputs means nothing.

    Example:
        >>> a = canonical_hash(["in", "f", "g", "sum"], [[], [0], [0], [1, 2]], [False, False, False, True])
        >>> b = canonical_hash(["in", "g", "f", "sum"], [[], [0], [0], [1, 2]], [False, False, False, True])
        >>> c = canonical_hash(["in", "f", "g", "sum"], [[], [0], [1], [1, 2]], [False, False, False, True])
        >>> a == b, a == c
        (True, False)
    """
    graph = _Coloured(labels, inputs, commutative)
    order = graph.order(graph.first_colours())
    written = [[labels[v], edges] for v, (_, edges) in zip(order, graph.written(order, {}), strict=True)]
    return hashlib.sha256(json.dumps(written).encode()).hexdigest()[:32]


class _Coloured:
    def __init__(self, labels: Sequence[str], inputs: Sequence[Sequence[int]], commutative: Sequence[bool]):
        self.labels = labels
        self.into: Edges = [
            [(0 if free else position, i) for position, i in enumerate(sources)]
            for sources, free in zip(inputs, commutative, strict=True)
        ]
        self.out: Edges = [[] for _ in labels]
        for vertex, edges in enumerate(self.into):
            for position, source in edges:
                self.out[source].append((position, vertex))

    def first_colours(self) -> Colours:
        """Colour each vertex by all that it is computed from and all that is computed from it."""
        up: list[str] = []
        for vertex, label in enumerate(self.labels):
            up.append(_digest([label, sorted((p, up[i]) for p, i in self.into[vertex])]))
        down = [""] * len(up)
        for vertex in range(len(up) - 1, -1, -1):
            down[vertex] = _digest([up[vertex], sorted((p, down[o]) for p, o in self.out[vertex])])
        return self.refine(_ranks(dict(enumerate(down))))

    def refine(self, colours: Colours) -> Colours:
        """Split colours until vertices of one colour have neighbours of the same colours."""
        count = len(set(colours.values()))
        while count < len(colours):
            colours = _ranks(
                {
                    vertex: (
                        colour,
                        sorted((p, colours[i]) for p, i in self.into[vertex] if i in colours),
                        sorted((p, colours[o]) for p, o in self.out[vertex] if o in colours),
                    )
                    for vertex, colour in colours.items()
                }
            )
            before, count = count, len(set(colours.values()))
            if count == before:
                break
        return colours

    def order(self, colours: Colours, quick: bool = False) -> list[int]:
        """Return the vertices in an order that is the same, up to automorphisms, however they are numbered.

        Args:
            colours: the vertices looked at; refined.
            quick: follow the first way to split colours alone; the order then depends on the numbering.
        """
        if len(set(colours.values())) == len(colours):
            return sorted(colours, key=colours.__getitem__)
        pieces = self.pieces(colours)
        if len(pieces) > 1:
            orders = [self.order(piece, quick) for piece in pieces]
            return [vertex for order in sorted(orders, key=lambda o: self.written(o, colours)) for vertex in order]
        tied = _tied(colours)
        if quick:
            return self.order(self.refine(_individualised(colours, tied[0])), quick)
        followed: dict[str, Colours] = {}
        for vertex in tied:
            split = self.refine(_individualised(colours, vertex))
            followed.setdefault(json.dumps(self.written(self.order(split, quick=True), colours)), split)
        return min((self.order(split) for split in followed.values()), key=lambda o: self.written(o, colours))

    def pieces(self, colours: Colours) -> list[Colours]:
        """Part the vertices so that between two pieces the colours of two vertices tell how they are connected."""
        links: dict[tuple[int, int], list[int]] = {}
        for vertex in colours:
            for position, source in self.into[vertex]:
                if source in colours:
                    links.setdefault((source, vertex), []).append(position)
        kinds: dict[tuple[int, int], dict[tuple[int, int], tuple[int, ...]]] = {}
        for (source, vertex), positions in links.items():
            kinds.setdefault((colours[source], colours[vertex]), {})[source, vertex] = tuple(sorted(positions))
        members: dict[int, list[int]] = {}
        for vertex, colour in colours.items():
            members.setdefault(colour, []).append(vertex)
        root = {vertex: vertex for vertex in colours}

        def find(vertex: int) -> int:
            while root[vertex] != vertex:
                root[vertex] = vertex = root[root[vertex]]
            return vertex

        for (first, second), kind in kinds.items():
            counts = Counter(kind.values())
            counts[()] = len(members[first]) * len(members[second]) - len(kind)
            usual = max(counts, key=lambda k: (counts[k], k))
            unusual = (
                (pair for pair, positions in kind.items() if positions != usual)
                if usual == ()
                else ((s, v) for s in members[first] for v in members[second] if kind.get((s, v), ()) != usual)
            )
            for source, vertex in unusual:
                root[find(source)] = find(vertex)
        found: dict[int, Colours] = {}
        for vertex, colour in colours.items():
            found.setdefault(find(vertex), {})[vertex] = colour
        return list(found.values())

    def written(self, order: Sequence[int], colours: Colours) -> list[tuple[int, list[tuple[int, int]]]]:
        """Write down the vertices in an order: the colour of each, and its edges from among them."""
        place = {vertex: number for number, vertex in enumerate(order)}
        return [(colours.get(v, 0), sorted((p, place[i]) for p, i in self.into[v] if i in place)) for v in order]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _ranks(keys: dict[int, Any]) -> Colours:
    frozen = {vertex: _frozen(key) for vertex, key in keys.items()}
    rank = {key: number for number, key in enumerate(sorted(set(frozen.values())))}
    return {vertex: rank[key] for vertex, key in frozen.items()}


def _frozen(key: Any) -> Any:
    return tuple(_frozen(item) for item in key) if isinstance(key, list | tuple) else key


def _individualised(colours: Colours, vertex: int) -> Colours:
    return {v: 2 * colour + (v != vertex) for v, colour in colours.items()}


def _tied(colours: Colours) -> list[int]:
    """Return the vertices of the smallest colour that several vertices share."""
    classes: dict[int, list[int]] = {}
    for vertex, colour in colours.items():
        classes.setdefault(colour, []).append(vertex)
    return classes[min((len(vertices), colour) for colour, vertices in classes.items() if len(vertices) > 1)[1]]
