"""Layers: any module, or function that returns one, as a part of the language."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, overload

from torch import nn

from archwise.errors import SpaceError
from archwise.spaces.choice import Choice
from archwise.spaces.graph import OWN_KINDS, GraphBuilder
from archwise.spaces.nodes import Node, Part, describe, plain
from archwise.spaces.plan import Call, Planned, Shape, infer


class LayerType:
    """A kind of layer; calling it with attributes makes a layer of a space.

    Use `layer` to make one.
    """

    def __init__(self, factory: Callable[..., Any], name: str, pure: bool):
        if not callable(factory) or not name or name in OWN_KINDS:
            raise SpaceError(f"A layer needs a callable, and a name other than {', '.join(OWN_KINDS)}: not {name!r}.")
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
            SpaceError: the factory does not take these attributes, or one cannot be written as JSON.
        """
        try:
            bound = self.signature.bind(*values, **attributes)
        except TypeError as error:
            raise SpaceError(f"The layer {self.name!r} takes {self.signature}: {error}.") from None
        given = tuple(bound.arguments)
        bound.apply_defaults()
        what = f"of the layer {self.name!r}"
        attributes = {k: plain(v, f"the attribute {k!r} {what}") for k, v in bound.arguments.items()}
        return Layer(self, attributes, called, given)


@overload
def layer(factory: Callable[..., Any], *, name: str | None = None, pure: bool = False) -> LayerType: ...
@overload
def layer(*, name: str | None = None, pure: bool = False) -> Callable[[Callable[..., Any]], LayerType]: ...
def layer(
    factory: Callable[..., Any] | None = None, *, name: str | None = None, pure: bool = False
) -> LayerType | Callable[[Callable[..., Any]], LayerType]:
    """Make any nn.Module class, or function that returns a module, a kind of layer of the language.

    It is also a decorator: `@layer`, or `@layer(pure=True)`.

    Args:
        factory: called with the layer's attributes. If it has a parameter called `shape`, that is the incoming
            shape without the batch; one called `outputs` is the number of outputs that the task asks for.
        name: what the layer is called in graphs; the factory's name if not given. Layers of one name are taken for
            the same, so a space refuses two different ones.
        pure: the layer has neither parameters nor randomness, so two of them on the same input are the same.

    Example:
        >>> from torch import nn
        >>> linear = layer(lambda shape, width: nn.Linear(shape[-1], width), name="linear")
        >>> linear(width=Choice("width", [16, 32])).attributes
        {'width': Choice('width', [16, 32])}
    """
    if factory is None:
        return partial(layer, name=name, pure=pure)
    return LayerType(factory, name or str(getattr(factory, "__name__", "")), pure)


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
        return infer(call, shape, self.kind.name)

    def describe(self) -> dict[str, Any]:
        attributes = {name: describe(value) for name, value in self.attributes.items()}
        return {"layer": self.kind.name, "attributes": attributes} | ({"name": self.name} if self.name else {})

    def __repr__(self) -> str:
        return f"{self.kind.name}({', '.join(f'{k}={v!r}' for k, v in self.attributes.items())})"


identity = layer(nn.Identity, name="identity", pure=True)
"""Passes its input on."""
zero = layer(nn.Module, name="zero", pure=True)
"""Constantly zero: no connection."""
