"""Parts with several paths from their input to their output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archwise.errors import SpaceError, Unbuildable
from archwise.layers import combine
from archwise.spaces.choice import Choice
from archwise.spaces.graph import GraphBuilder
from archwise.spaces.nodes import Node, Part, describe, network_part, same_shapes, total_cost
from archwise.spaces.plan import Call, Planned, Shape, infer


class _Branches(Node):
    """Several parts that get the same input."""

    def __init__(self, *branches: Part, name: str | None = None):
        self.branches = tuple(network_part(branch) for branch in branches)
        self.name = name

    @property
    def label(self) -> str:
        return self.name or super().label

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        return ((branch, f"{self.inner(scope)}{i}/") for i, branch in enumerate(self.branches))

    def concrete(self, parts: list[Any], times: int) -> Node:
        return type(self)(*parts, name=self.name)


class Sum(_Branches):
    """Parts that get the same input and whose outputs are added.

    Args:
        branches: the parts; their outputs need one shape. The choices inside branch i are in the scope `i/`.
        name: scope of the choices inside.
    """

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        return graph.sum([branch.trace(graph, x) for branch in self.branches])

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        live: list[Planned] = [planned for branch in self.branches if (planned := branch.planned(shape, outputs))]
        if not live:
            return None
        common = same_shapes(live, "Sum")
        if len(live) == 1:
            return live[0]
        return Planned(Call(combine.Added, tuple(branch.call for branch in live)), common, total_cost(live))


class Concat(_Branches):
    """Parts that get the same input and whose outputs are joined along the channels.

    Args:
        branches: the parts; their outputs may differ in the first axis alone. The choices inside branch i are in
            the scope `i/`.
        name: scope of the choices inside.
    """

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        return graph.concat([branch.trace(graph, x) for branch in self.branches])

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        live: list[Planned] = [planned for branch in self.branches if (planned := branch.planned(shape, outputs))]
        if not live:
            return None
        if len({branch.shape[1:] for branch in live}) > 1:
            raise Unbuildable(f"The branches of a Concat have shapes that do not fit: {[b.shape for b in live]}.")
        if len(live) == 1:
            return live[0]
        common: Shape = (sum(branch.shape[0] for branch in live), *live[0].shape[1:])
        return Planned(Call(combine.Concatenated, tuple(branch.call for branch in live)), common, total_cost(live))


class Residual(Node):
    """A part with a shortcut around it: `body(x) + x`.

    Where the body changes the shape, the shortcut is a linear projection to the new one (a 1x1 convolution with
    the matching stride, or a linear layer), as in He et al. 2016, Deep residual learning for image recognition.

    Args:
        body: the part.
        when: whether there is a shortcut; it may be a Choice among True and False.
        name: scope of the choices inside.
    """

    def __init__(self, body: Part, *, when: bool | Choice = True, name: str | None = None):
        options = when.options if isinstance(when, Choice) else (when,)
        if not all(isinstance(option, bool) for option in options):
            raise SpaceError(f"Residual takes True, False or a Choice among them as when, not {options!r}.")
        self.body = network_part(body)
        self.when = when
        self.name = name

    @property
    def label(self) -> str:
        """Its name, or `residual` and the label of its body."""
        return self.name or (f"residual+{self.body.label}" if isinstance(self.body, Node) else super().label)

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        yield self.when, self.inner(scope)
        yield self.body, self.inner(scope)

    def concrete(self, parts: list[Any], times: int) -> Node:
        when, body = parts
        return Residual(body, name=self.name) if when else body

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        body = self.body.trace(graph, x)
        if x is None or body is None:
            return x
        return graph.sum([body, graph.layer("shortcut", {}, x, pure=False)])

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        body = self.body.planned(shape, outputs)
        if body is None:
            return Planned(Call.chain([]), shape)
        branches = [body]
        if body.shape != shape:
            if len(body.shape) != len(shape):
                raise Unbuildable(f"No shortcut leads from the shape {shape} to {body.shape}.")
            projection = infer(Call(combine.projection, (), {"shape": shape, "to": body.shape}), shape, "projection")
            if projection.shape != body.shape:
                raise Unbuildable(f"No shortcut leads from the shape {shape} to {body.shape}.")
            branches.append(projection)
        calls = tuple(branch.call for branch in branches)
        return Planned(Call(combine.ResidualBlock, calls), body.shape, total_cost(branches))


class Cell(Node):
    """A small directed graph: node j is the sum of an edge part from every earlier node; the last is the output.

    The cell of NAS-Bench-201 (Dong & Yang 2020): node 0 is the input.

    Args:
        nodes: how many, the input's included; at least 2, or a choice among such numbers.
        edge: the part on each edge; the choices on the edge from node i to node j are in the scope `i->j/`.
        entry: the part on the edges that leave the input, where it is another one: one that halves the image, say.
        tied: every edge makes the same choices.
        name: scope of the choices inside, `nodes` included.
    """

    def __init__(
        self, nodes: int | Choice, edge: Part, *, entry: Part = None, tied: bool = False, name: str | None = None
    ):
        options = nodes.options if isinstance(nodes, Choice) else (nodes,)
        if not all(type(n) is int and n >= 2 for n in options):
            raise SpaceError(f"A Cell needs at least 2 nodes, not {options!r}.")
        if tied and entry is not None:
            raise SpaceError("A Cell with tied=True has one part on all edges: leave entry out.")
        self.times = nodes
        self.edge = network_part(edge)
        self.entry = self.edge if entry is None else network_part(entry)
        self.tied = tied
        self.name = name
        self._edges: dict[tuple[int, int], Node] = {}

    @property
    def label(self) -> str:
        return self.name or super().label

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        inner = self.inner(scope)
        for i, j in _edges(times):
            yield self.edge if i else self.entry, inner if self.tied else f"{inner}{i}->{j}/"

    def concrete(self, parts: list[Any], times: int) -> Node:
        cell = Cell(times, self.edge, name=self.name)
        cell._edges = dict(zip(_edges(times), parts, strict=True))
        return cell

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        values = [x]
        for j in range(1, int(self.times)):  # type: ignore[arg-type]
            values.append(graph.sum([self._edges[i, j].trace(graph, values[i]) for i in range(j)]))
        return values[-1]

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        nodes = int(self.times)  # type: ignore[arg-type]
        shapes: dict[int, Shape] = {0: shape}
        live: dict[tuple[int, int], Planned] = {}
        for j in range(1, nodes):
            into = {i: self._edges[i, j].planned(shapes[i], outputs) for i in range(j) if i in shapes}
            planned = {i: edge for i, edge in into.items() if edge}
            if planned:
                shapes[j] = same_shapes(list(planned.values()), "Cell's node")
                live |= {(i, j): edge for i, edge in planned.items()}
        if nodes - 1 not in shapes:
            return None
        useful = {nodes - 1}
        for i, j in sorted(live, key=lambda edge: -edge[1]):
            if j in useful:
                useful.add(i)
        kept = {f"{i}->{j}": edge for (i, j), edge in sorted(live.items()) if j in useful}
        calls = {name: edge.call for name, edge in kept.items()}
        return Planned(Call(combine.CellGraph, (nodes, calls)), shapes[nodes - 1], total_cost(list(kept.values())))

    def describe(self) -> dict[str, Any]:
        data = {"part": "Cell", "nodes": self.times, "edge": self.edge, "tied": self.tied, "name": self.name}
        if self.entry is not self.edge:
            data["entry"] = self.entry
        return {key: describe(value) for key, value in data.items()}


def _edges(nodes: int) -> list[tuple[int, int]]:
    return [(i, j) for j in range(1, nodes) for i in range(j)]
