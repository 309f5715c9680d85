"""A canonical hash of labelled directed acyclic graphs: equal exactly for isomorphic ones.

Colour refinement with individualisation, after McKay & Piperno 2014, Practical graph isomorphism II, reduced to
what small graphs need: branches that an automorphism maps onto one another are followed once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

Edges = list[list[tuple[int, int]]]
"""For each vertex, the (position, neighbour) pairs of its edges; position 0 where the order means nothing."""


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
    return hashlib.sha256(json.dumps(graph.search(graph.first_colours())).encode()).hexdigest()[:32]


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

    def first_colours(self) -> list[int]:
        """Colour each vertex by all that it is computed from and all that is computed from it."""
        up: list[str] = []
        for vertex, label in enumerate(self.labels):
            up.append(_digest([label, sorted((p, up[i]) for p, i in self.into[vertex])]))
        down = [""] * len(up)
        for vertex in range(len(up) - 1, -1, -1):
            down[vertex] = _digest([up[vertex], sorted((p, down[o]) for p, o in self.out[vertex])])
        return self.refine(_ranks(down))

    def refine(self, colours: list[int]) -> list[int]:
        """Split colours until vertices of one colour have neighbours of the same colours."""
        count = len(set(colours))
        while count < len(colours):
            colours = _ranks(
                [
                    (
                        colours[vertex],
                        sorted((p, colours[i]) for p, i in self.into[vertex]),
                        sorted((p, colours[o]) for p, o in self.out[vertex]),
                    )
                    for vertex in range(len(colours))
                ]
            )
            if len(set(colours)) == count:
                break
            count = len(set(colours))
        return colours

    def search(self, colours: list[int]) -> list[Any]:
        """Return the least of the certificates that splitting the colours further can lead to."""
        tied = _tied(colours)
        if not tied:
            return self.certificate(colours)
        followed: dict[str, list[int]] = {}
        for vertex in tied:
            split = self.refine(_individualised(colours, vertex))
            followed.setdefault(json.dumps(self.first_certificate(split)), split)
        return min(self.search(split) for split in followed.values())

    def first_certificate(self, colours: list[int]) -> list[Any]:
        """Return the certificate that is reached by always splitting off the first vertex."""
        while tied := _tied(colours):
            colours = self.refine(_individualised(colours, tied[0]))
        return self.certificate(colours)

    def certificate(self, colours: list[int]) -> list[Any]:
        """Write the graph down with its vertices in the order of their colours, which are all different."""
        order = sorted(range(len(colours)), key=colours.__getitem__)
        place = {vertex: number for number, vertex in enumerate(order)}
        return [[self.labels[v], sorted([p, place[i]] for p, i in self.into[v])] for v in order]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _ranks(keys: Sequence[Any]) -> list[int]:
    rank = {key: number for number, key in enumerate(sorted({_frozen(key) for key in keys}))}
    return [rank[_frozen(key)] for key in keys]


def _frozen(key: Any) -> Any:
    return tuple(_frozen(item) for item in key) if isinstance(key, list | tuple) else key


def _individualised(colours: list[int], vertex: int) -> list[int]:
    return [2 * colour + (number != vertex) for number, colour in enumerate(colours)]


def _tied(colours: list[int]) -> list[int]:
    """Return the vertices of the smallest colour that several vertices share; none where all differ."""
    classes: dict[int, list[int]] = {}
    for vertex, colour in enumerate(colours):
        classes.setdefault(colour, []).append(vertex)
    shared = [(len(vertices), colour) for colour, vertices in classes.items() if len(vertices) > 1]
    return classes[min(shared)[1]] if shared else []
