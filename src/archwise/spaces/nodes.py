"""The parts that a search space is made of: layers and the ways of putting them together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from torch import nn

from archwise.errors import SpaceError, Unbuildable
from archwise.layers.combine import Recurrent
from archwise.spaces.choice import Choice, Derivation
from archwise.spaces.graph import GraphBuilder
from archwise.spaces.plan import Call, Planned, Shape, infer

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
        """Return this part with every choice in it decided."""
        times = derivation.take(self.times, self.inner(scope))
        return self.concrete([derivation.take(part, inside) for part, inside in self.parts(scope, times)], times)

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
        return data | {"labels": list(part.labels), "default": part.default, "shared": part.shared}
    return part.describe() if isinstance(part, Node) else part


class LayerType:
    """A kind of layer; calling it with attributes makes a layer of a space.

    Use `layer` to make one.
    """

    def __init__(self, factory: Callable[..., Any], name: str, pure: bool):
        self.factory = factory
        self.name = name
        self.pure = pure
        self.given = [p for p in ("shape", "outputs") if p in inspect.signature(factory).parameters]
        parameters = [p for p in inspect.signature(factory).parameters.values() if p.name not in self.given]
        self.signature = inspect.Signature([p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)])

    def __call__(self, *values: Any, called: str | None = None, **attributes: Any) -> Layer:
        """Make a layer.

        Args:
            values, attributes: what the factory takes beside `shape` and `outputs`; each may be a Choice.
            called: what the layer is called as an option of a choice and in paths.

        Raises:
            SpaceError: the factory does not take these attributes.
        """
        try:
            bound = self.signature.bind(*values, **attributes)
        except TypeError as error:
            raise SpaceError(f"The layer {self.name!r} takes {self.signature}: {error}.") from None
        given = tuple(bound.arguments)
        bound.apply_defaults()
        return Layer(self, dict(bound.arguments), called, given)


def layer(factory: Callable[..., Any], *, name: str | None = None, pure: bool = False) -> LayerType:
    """Make any nn.Module class, or function that returns a module, a kind of layer of the language.

    Args:
        factory: called with the layer's attributes. If it has a parameter called `shape`, that is the incoming
            shape without the batch; one called `outputs` is the number of outputs that the task asks for.
        name: what the layer is called in graphs; the factory's name if not given.
        pure: the layer has neither parameters nor randomness, so two of them on the same input are the same.

    Example:
        >>> from torch import nn
        >>> linear = layer(lambda shape, width: nn.Linear(shape[-1], width), name="linear")
        >>> linear(width=Choice("width", [16, 32])).attributes
        {'width': Choice('width', [16, 32])}
    """
    return LayerType(factory, name or factory.__name__, pure)


class Layer(Node):
    """One layer with its attributes, some of which may be choices. Made by calling a `LayerType`."""

    def __init__(self, kind: LayerType, attributes: dict[str, Any], name: str | None, given: tuple[str, ...]):
        self.kind = kind
        self.attributes = attributes
        self.name = name
        self._given = given

    @property
    def label(self) -> str:
        """Its name, or its kind with the fixed attributes that were given."""
        if self.name:
            return self.name
        fixed = [str(self.attributes[k]) for k in self._given if not isinstance(self.attributes[k], Choice)]
        return f"{self.kind.name}({','.join(fixed)})" if fixed else self.kind.name

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        for value in self.attributes.values():
            yield value, self.inner(scope)

    def concrete(self, parts: list[Any], times: int) -> Node:
        return Layer(self.kind, dict(zip(self.attributes, parts, strict=True)), self.name, self._given)

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        if x is None or self.kind is zero:
            return None
        return x if self.kind is identity else graph.layer(self.kind.name, self.attributes, x, self.kind.pure)

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        if self.kind is zero:
            return None
        if self.kind is identity:
            return Planned(Call(nn.Identity), shape)
        available = {"shape": shape, "outputs": outputs}
        call = Call(self.kind.factory, (), {name: available[name] for name in self.kind.given} | self.attributes)
        return Planned(call, infer(call, shape, self.kind.name))

    def describe(self) -> dict[str, Any]:
        attributes = {name: describe(value) for name, value in self.attributes.items()}
        return {"layer": self.kind.name, "attributes": attributes} | ({"name": self.name} if self.name else {})

    def __repr__(self) -> str:
        return f"{self.kind.name}({', '.join(f'{k}={v!r}' for k, v in self.attributes.items())})"


identity = layer(nn.Identity, name="identity", pure=True)
"""Passes its input on."""
zero = layer(nn.Module, name="zero", pure=True)
"""Constantly zero: no connection."""


class Chain(Node):
    """Parts one after another.

    Args:
        parts: layers, other parts, or choices among them.
        name: scope of the choices inside.
    """

    def __init__(self, *parts: Part, name: str | None = None):
        self._parts = parts
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
            x = part.trace(graph, x)
        return x

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        calls: list[Call] = []
        for part in self._parts:
            planned = part.plan(shape, outputs)
            if planned is None:
                return None
            calls += planned.call.unchained()
            shape = planned.shape
        return Planned(Call.chain(calls), shape)


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
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in options):
            raise SpaceError(f"Repeat needs whole numbers from 0 up as times, not {options!r}.")
        if share_weights and not tied:
            raise SpaceError("Repeat(share_weights=True) needs tied=True: one module cannot be several things.")
        self.body = body
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
        planned = self.body.plan(shape, outputs)
        if planned is not None and planned.shape != shape:
            raise Unbuildable(f"Repeat(share_weights=True) turns {shape} into {planned.shape}: the shapes must agree.")
        return planned and Planned(Call(Recurrent, (planned.call, self.times)), shape)

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"tied": self.tied, "share_weights": self.share_weights}


class Shared(Node):
    """A part that makes the same choices wherever it stands (each place has weights of its own).

    Args:
        part: the part; use the one Shared object at every place.
        name: scope of the choices inside: their paths are `/name/...` at every place.
    """

    def __init__(self, part: Part, name: str):
        self.part = part
        self.name = name

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.name)

    def inner(self, scope: str) -> str:
        return f"/{self.name}/"

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        yield self.part, self.inner(scope)

    def concrete(self, parts: list[Any], times: int) -> Node:
        part: Node = parts[0]
        return part


class Settings(Node):
    """Named values that are no network: a training recipe, for instance.

    Args:
        called: what it is called as an option of a choice.
        values: plain values, choices among values, or choices among further Settings.

    Example:
        >>> from archwise.spaces import Space
        >>> recipe = Space(Settings(learning_rate=Choice("learning_rate", [1e-3, 1e-2]), momentum=0.9))
        >>> recipe.values(recipe.default)
        {'learning_rate': 0.001, 'momentum': 0.9}
    """

    def __init__(self, called: str | None = None, /, **values: Any):
        self.name = called
        self.values = values

    @property
    def label(self) -> str:
        return self.name or super().label

    def inner(self, scope: str) -> str:
        return scope

    def parts(self, scope: str, times: int) -> Iterator[tuple[Part, str]]:
        return ((value, scope) for value in self.values.values())

    def concrete(self, parts: list[Any], times: int) -> Node:
        return Settings(self.name, **dict(zip(self.values, parts, strict=True)))

    def flat(self) -> dict[str, Any]:
        """Return the decided values; those of nested Settings stand beside the name of the one taken."""
        data: dict[str, Any] = {}
        for key, value in self.values.items():
            data |= {key: value.name} | value.flat() if isinstance(value, Settings) else {key: value}
        return data

    def trace(self, graph: GraphBuilder, x: int | None) -> int | None:
        return graph.layer("settings", self.flat(), x, pure=True) if x is not None else None

    def plan(self, shape: Shape, outputs: int) -> Planned | None:
        raise Unbuildable("Settings are no network: they have values, not a module.")

    def describe(self) -> dict[str, Any]:
        return {"settings": {key: describe(value) for key, value in self.values.items()}}


def same_shapes(planned: Sequence[Planned], what: str) -> Shape:
    """Return the one shape that all branches have.

    Raises:
        Unbuildable: they differ.
    """
    shapes = {branch.shape for branch in planned}
    if len(shapes) > 1:
        raise Unbuildable(f"The branches of a {what} have different shapes: {sorted(shapes)}.")
    return shapes.pop()
