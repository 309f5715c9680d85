"""Named values in place of layers: training recipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archwise.errors import SpaceError, Unbuildable
from archwise.spaces.choice import Choice
from archwise.spaces.graph import GraphBuilder
from archwise.spaces.nodes import Node, Part, describe, plain
from archwise.spaces.plan import Planned, Shape


class Settings(Node):
    """Named values that are no network: a training recipe, for instance.

    Args:
        called: what it is called as an option of a choice.
        values: plain values, choices among values, or choices among further Settings.

    Raises:
        SpaceError: a value cannot be written as JSON, or a further Settings has a name that is taken.

    Example:
        >>> from archwise.spaces import Choice, Space
        >>> recipe = Space(Settings(learning_rate=Choice("learning_rate", [1e-3, 1e-2]), momentum=0.9))
        >>> recipe.values(recipe.default)
        {'learning_rate': 0.001, 'momentum': 0.9}
    """

    def __init__(self, called: str | None = None, /, **values: Any):
        self.name = called
        self.values = {key: self._setting(key, value) for key, value in values.items()}
        taken = set(values)
        for value in values.values():
            inner = _names_inside(value)
            if inner & taken:
                raise SpaceError(
                    f"Two settings are called {min(inner & taken)!r}: rename one, as all stand side by side."
                )
            taken |= inner

    @staticmethod
    def _setting(key: str, value: Any) -> Any:
        options = value.options if isinstance(value, Choice) else (value,)
        return (
            value if any(isinstance(option, Settings) for option in options) else plain(value, f"the setting {key!r}")
        )

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


def _names_inside(value: Any) -> set[str]:
    """Return the names of the settings that stand inside an option of a setting."""
    inside = [s for s in (value.options if isinstance(value, Choice) else (value,)) if isinstance(s, Settings)]
    return {name for s in inside for name in s.values}.union(
        *(_names_inside(v) for s in inside for v in s.values.values())
    )
