"""The graph view: what an architecture computes, as a typed directed graph with attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from archwise.spaces.canonical import canonical_hash

OWN_KINDS = ("input", "output", "sum", "concat", "weights", "shortcut", "settings")
"""Kinds of vertices that are no user's layers."""


@dataclass(frozen=True)
class Vertex:
    """One operation of a graph.

    Args:
        kind: "input", "output", "sum", "concat", "weights", or the kind of a layer.
        attributes: the layer's attributes.
        inputs: the vertices whose values it takes, in order; for a sum the order means nothing, and a vertex
            that is added twice stands twice. A layer that shares its weights takes a "weights" vertex last.
    """

    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[int, ...]

    @cached_property
    def label(self) -> str:
        """Kind and attributes as one text; equal for equal operations."""
        return f"{self.kind} {json.dumps(dict(self.attributes), sort_keys=True)}" if self.attributes else self.kind


@dataclass(frozen=True)
class Graph:
    """What an architecture computes: vertices in topological order, the input first, the output last.

    Every layer with parameters, and every group of shared weights, is a vertex of its own. Parts that do not lead
    from the input to the output are left out, identities are contracted, nested sums are one sum, nested concats one
    concat, and layers without parameters and randomness on the same input are one vertex: each of these is exact.

    Args:
        vertices: the operations. A graph whose output does not depend on the input has no "input" vertex.
    """

    vertices: tuple[Vertex, ...]

    @cached_property
    def hash(self) -> str:
        """A text that is equal for two graphs exactly when they are equal up to renaming of their vertices."""
        commutative = [vertex.kind == "sum" for vertex in self.vertices]
        labels = [vertex.label for vertex in self.vertices]
        return canonical_hash(labels, [vertex.inputs for vertex in self.vertices], commutative)

    @property
    def depth(self) -> int:
        """Number of layers on the longest path from input to output."""
        depths: list[int] = []
        for vertex in self.vertices:
            is_layer = vertex.kind not in ("input", "output", "sum", "concat", "weights")
            depths.append(max((depths[i] for i in vertex.inputs), default=0) + is_layer)
        return depths[-1]


class Traceable(Protocol):
    """What adds itself to a graph: the parts of networks."""

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        """Add this part and return the vertex of its value."""


class GraphBuilder:
    """Collects the vertices of a graph while the parts of a network trace themselves.

    Args:
        sketch: follow copies of one part once, as if the others were not there.
    """

    def __init__(self, sketch: bool = False) -> None:
        self._followed: set[int] | None = set() if sketch else None
        self._vertices: list[Vertex] = [Vertex("input", {}, ())]
        self._pure: dict[tuple[str, int], int] = {}
        self._group: _WeightGroup | None = None

    @property
    def input(self) -> int:
        """The input's vertex."""
        return 0

    def follow(self, part: Traceable, x: int | None) -> int | None:
        """Trace a part of a chain on the value of `x`."""
        if self._followed is not None:
            if id(part) in self._followed:
                return x
            self._followed.add(id(part))
        return part.trace(self, x)

    def vertex(self, kind: str, inputs: Sequence[int], attributes: Mapping[str, Any] | None = None) -> int:
        """Add a vertex and return it."""
        self._vertices.append(Vertex(kind, dict(attributes or {}), tuple(inputs)))
        return len(self._vertices) - 1

    def layer(self, kind: str, attributes: Mapping[str, Any], x: int, pure: bool) -> int:
        """Add a layer on the value of `x`; a pure layer that stands there already is returned instead."""
        if pure:
            key = (Vertex(kind, attributes, ()).label, x)
            if key not in self._pure:
                self._pure[key] = self.vertex(kind, (x,), attributes)
            return self._pure[key]
        shared = () if self._group is None else (self._group.weights(lambda: self.vertex("weights", ())),)
        return self.vertex(kind, (x, *shared), attributes)

    def sum(self, terms: Sequence[int | None]) -> int | None:
        """Add a sum of those terms that are not constantly zero; None where all are."""
        flat: list[int] = []
        for term in terms:
            if term is not None:
                inside = self._vertices[term]
                flat += inside.inputs if inside.kind == "sum" else [term]
        return self._joined("sum", sorted(flat))

    def concat(self, pieces: Sequence[int | None]) -> int | None:
        """Join those pieces that are not constantly zero, in their order; None where all are."""
        flat: list[int] = []
        for piece in pieces:
            if piece is not None:
                inside = self._vertices[piece]
                flat += inside.inputs if inside.kind == "concat" else [piece]
        return self._joined("concat", flat)

    def _joined(self, kind: str, flat: list[int]) -> int | None:
        if len(flat) < 2:
            return flat[0] if flat else None
        key = (f"{kind} {flat}", -1)
        if key not in self._pure:
            self._pure[key] = self.vertex(kind, flat)
        return self._pure[key]

    @contextmanager
    def shared_weights(self) -> Iterator[Callable[[], None]]:
        """Let the layers traced inside share their weights between copies; call what it yields before each copy."""
        outer = self._group
        self._group = outer.inner() if outer else _WeightGroup()
        try:
            yield self._group.restart
        finally:
            self._group = outer

    def finish(self, x: int | None) -> Graph:
        """Return the graph of what leads to the value of `x`."""
        inputs = (x,) if x is not None else ()
        vertices = [*self._vertices, Vertex("output", {}, inputs)]
        useful = {len(vertices) - 1}
        for number in range(len(vertices) - 1, -1, -1):
            if number in useful:
                useful.update(vertices[number].inputs)
        renamed = {old: new for new, old in enumerate(sorted(useful))}
        return Graph(
            tuple(
                Vertex(
                    vertices[old].kind,
                    vertices[old].attributes,
                    tuple(renamed[i] for i in vertices[old].inputs),
                )
                for old in sorted(useful)
            )
        )


class _WeightGroup:
    """The weights of the layers of one copy, taken again in the same order by the next copy.

    What is shared inside a copy is a group of its own, and the next copy takes the same group again.
    """

    def __init__(self) -> None:
        self._members: list[int | _WeightGroup] = []
        self._position = 0

    def restart(self) -> None:
        self._position = 0

    def weights(self, new: Callable[[], int]) -> int:
        member = self._next(new)
        assert isinstance(member, int)
        return member

    def inner(self) -> _WeightGroup:
        member = self._next(_WeightGroup)
        assert isinstance(member, _WeightGroup)
        return member

    def _next(self, new: Callable[[], int | _WeightGroup]) -> int | _WeightGroup:
        if self._position == len(self._members):
            self._members.append(new())
        self._position += 1
        return self._members[self._position - 1]
