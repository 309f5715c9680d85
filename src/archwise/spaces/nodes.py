"""The parts that a search space is made of, and the ways of putting them together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from archwise.errors import SpaceError, Unbuildable
from archwise.layers.combine import Recurrent
from archwise.spaces.choice import Choice, Derivation
from archwise.spaces.cost import Cost
from archwise.spaces.graph import GraphBuilder
from archwise.spaces.plan import Call, Planned, Shape

Part = Any
"""A Node, or a Choice among Nodes; for an attribute also a plain value, or a Choice among values."""


class Node:
    """A part of a network. Every view of a space is computed from `parts`, `concrete`, `trace` and `plan`.

    `parts` and `times` describe what lies inside, choices included; `concrete` puts the part together again from
    its decided insides. `trace` and `plan` are called on decided parts alone.
    """

    name: str | None
    times: int | Choice = 1
    """How often the inside is repeated, where that is a choice of its own."""
    tied: bool = False
    """Whether all parts inside are copies that make the same choices."""
    _decided: Node | None = None

    @property
    def label(self) -> str:
        """What the part is called as an option of a choice."""
        raise SpaceError(f"A {type(self).__name__} that is an option of a choice needs a name: name='...'.")

    def inner(self, scope: str) -> str:
        """The scope of what lies inside this part; an option's name stands in its scope already."""
        return f"{scope}{self.name}/" if self.name and not scope.endswith(f"={self.name}/") else scope

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        """Yield each part inside with its scope."""
        raise NotImplementedError

    def distinct_parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        """Yield the parts inside that decide for themselves: of copies that are tied, the first alone."""
        parts = self.parts(scope, times)
        return islice(parts, 1) if self.tied else parts

    def concrete(self, parts: list[Any], times: int) -> Node:
        """Return this part with its insides replaced by decided ones, in the order of `parts`."""
        raise NotImplementedError

    def resolve(self, derivation: Derivation, scope: str) -> Node:
        """Return this part with every choice in it decided; one without choices is decided once and for all."""
        if self.closed:
            if self._decided is None:
                self._decided = self._resolved(derivation, scope)
            return self._decided
        return self._resolved(derivation, scope)

    @cached_property
    def closed(self) -> bool:
        """Whether there is no choice in it."""
        if isinstance(self.times, Choice):
            return False
        inside = (part for part, _ in self.distinct_parts("", self.times))
        return all(part.closed if isinstance(part, Node) else not isinstance(part, Choice) for part in inside)

    def planned(self, shape: Shape, outputs: int) -> Planned | None:
        """Return what `plan` returns, remembered."""
        key = (shape, outputs)
        if key not in self._planned:
            self._planned[key] = self.plan(shape, outputs)
        return self._planned[key]

    @cached_property
    def _planned(self) -> dict[tuple[Shape, int], Planned | None]:
        return {}

    def _resolved(self, derivation: Derivation, scope: str) -> Node:
        times = derivation.take(self.times, self.inner(scope))
        parts = list(self.parts(scope, times))
        distinct = parts[:1] if self.tied else parts
        decided = [derivation.take(part, inside) for part, inside in distinct]
        return self.concrete(decided * len(parts) if self.tied else decided, times)

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        """Add this part to the graph; vertices and `x` are None where the value is constantly zero."""
        raise NotImplementedError

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        """Return the constructor call and the shape of what comes out; None where that is constantly zero."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return what the part is as plain JSON data, choices included."""
        inside = [describe(part) for part, _ in self.parts("", 1)]
        data: dict[str, Any] = {"part": type(self).__name__, "inside": inside}
        if self.name:
            data["name"] = self.name
        return data | ({"times": describe(self.times)} if self.times != 1 else {})


def describe(part: Part) -> Any:
    """Return a part, a choice or a value as plain JSON data."""
    if isinstance(part, Choice):
        data = {
            "choice": part.name,
            "options": [describe(option) for option in part.options],
            "level": part.level,
        }
        return data | {"labels": list(part.labels), "shared": part.shared}
    return part.describe() if isinstance(part, Node) else part


def plain(value: Any, what: str) -> Any:
    """Return a value, or a choice among values, if it can be written as JSON; NumPy's numbers become Python's.

    Args:
        value: the value.
        what: what has the value, for the error.

    Raises:
        SpaceError: it cannot.
    """
    value = value.item() if isinstance(value, np.generic) else value
    for option in value.options if isinstance(value, Choice) else (value,):
        try:
            json.dumps(option, allow_nan=False)
        except (TypeError, ValueError):
            raise SpaceError(
                f"Not {option!r} as {what}: it takes finite numbers, words, truth values, None, lists of these, "
                "or choices among them."
            ) from None
    return value


def network_part(part: Part) -> Part:
    """Return `part` if it can stand in a network.

    Raises:
        SpaceError: it is neither a part nor a choice among parts.
    """
    for option in part.options if isinstance(part, Choice) else (part,):
        if not isinstance(option, Node):
            raise SpaceError(
                f"{option!r} is no part of a network: make a module's class or a function a layer with layer(...), "
                "and call what that returns."
            )
    return part


class Chain(Node):
    """Parts one after another.

    Args:
        parts: layers, other parts, or choices among them.
        name: scope of the choices inside.
    """

    def __init__(self, *parts: Part, name: str | None = None):
        self._parts = tuple(network_part(part) for part in parts)
        self.name = name

    @property
    def label(self) -> str:
        """Its name, or the labels of its parts joined."""
        fixed = [part.label for part in self._parts if isinstance(part, Node)]
        return self.name or "+".join(fixed) or super().label

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        return ((part, self.inner(scope)) for part in self._parts)

    def concrete(self, parts: list[Any], times: int) -> Node:
        return Chain(*parts, name=self.name)

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        for part in self._parts:
            x = graph.follow(part, x)
        return x

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        calls: list[Call] = []
        cost = Cost()
        for part in self._parts:
            planned = part.planned(shape, outputs)
            if planned is None:
                return None
            calls += planned.call.unchained()
            shape = planned.shape
            cost += planned.cost
        return Planned(Call.chain(calls), shape, cost)


class Repeat(Node):
    """A part several times in a row.

    Args:
        body: the part.
        times: how often; a whole number from 0 up, or a choice among some.
        tied: every copy makes the same choices (one decision each); otherwise each copy decides for itself, in
            a scope called by its number.
        share_weights: every copy is the same module, weights included; its input and output need one shape.
        name: scope of the choices inside, `times` included.
    """

    def __init__(
        self,
        body: Part,
        times: int | Choice,
        *,
        tied: bool = True,
        share_weights: bool = False,
        name: str | None = None,
    ):
        options = times.options if isinstance(times, Choice) else (times,)
        if not all(type(n) is int and n >= 0 for n in options):
            raise SpaceError(f"Repeat needs whole numbers from 0 up as times, not {options!r}.")
        if share_weights and not tied:
            raise SpaceError("Repeat(share_weights=True) needs tied=True: one module cannot be several things.")
        self.body = network_part(body)
        self.times = times
        self.tied = tied
        self.share_weights = share_weights
        self.name = name

    @property
    def label(self) -> str:
        """Its name, or the label of its body."""
        return self.name or (self.body.label if isinstance(self.body, Node) else super().label)

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        inner = self.inner(scope)
        return ((self.body, inner if self.tied else f"{inner}{copy}/") for copy in range(times))

    def concrete(self, parts: list[Any], times: int) -> Node:
        if self.share_weights and times > 1:
            return Repeat(parts[0], times, share_weights=True, name=self.name)
        return Chain(*parts, name=self.name)

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        with graph.shared_weights() as new_copy:
            for _ in range(int(self.times)):  # type: ignore[arg-type]
                new_copy()
                x = self.body.trace(graph, x)
        return x

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        planned = self.body.planned(shape, outputs)
        if planned is not None and planned.shape != shape:
            raise Unbuildable(f"Repeat(share_weights=True) turns {shape} into {planned.shape}: the shapes must agree.")
        times = int(self.times)  # type: ignore[arg-type]
        return planned and Planned(Call(Recurrent, (planned.call, times)), shape, planned.cost.repeated(times))

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"tied": self.tied, "share_weights": self.share_weights}


class Shared(Node):
    """A part that makes the same choices wherever it stands (each place has weights of its own).

    Args:
        part: the part; use the one Shared object at every place, or two whose parts make the same choices but build
            something else of them (a cell, and the same cell halving the image).
        name: scope of the choices inside: their paths are `/name/...` at every place.
    """

    def __init__(self, part: Part, name: str):
        self.part = network_part(part)
        self.name = name

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.name)

    def inner(self, scope: str) -> str:
        return f"/{self.name}/"

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        yield self.part, self.inner(scope)

    def resolve(self, derivation: Derivation, scope: str) -> Node:
        node: Node = derivation.once(self.part, self.inner(scope))
        return node


def total_cost(planned: Sequence[Planned]) -> Cost:
    """Return what several parts cost together."""
    return sum((part.cost for part in planned), Cost())


def same_shapes(planned: Sequence[Planned], what: str) -> Shape:
    """Return the one shape that all branches have.

    Raises:
        Unbuildable: they differ.
    """
    shapes = {branch.shape for branch in planned}
    if len(shapes) > 1:
        raise Unbuildable(f"The branches of a {what} have different shapes: {sorted(shapes)}.")
    return shapes.pop()
