"""The source view: a network as plain PyTorch code that needs nothing but torch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import torch
from torch import nn

from archwise.errors import SpaceError
from archwise.spaces.origin import (
    FUTURE,
    definition_of,
    is_library,
    library_of,
    names_around,
    names_in_annotations,
    names_used,
    written,
)
from archwise.spaces.plan import Call

WIDTH = 100


def source_of(call: Call) -> str:
    """Return Python code that defines `build_model()`, which makes the network of a call.

    Layers of torch are imported; all other layers are written out, with the functions and constants they use.

    Args:
        call: the network's constructor call.

    Raises:
        SpaceError: a layer's source cannot be found, or uses something that cannot be written down.
    """
    code = _Code()
    body = code.call(call, 1)
    imports = sorted(code.imports, key=lambda line: (line.startswith("from"), line))
    parts = [FUTURE.strip(), "\n".join(imports), "\n".join(code.constants)]
    parts += [*code.definitions, f"def build_model() -> nn.Module:\n    return {body}"]
    return "\n\n\n".join(part for part in parts if part) + "\n"


class _Code:
    """The pieces of a source file, collected on the way through a call."""

    def __init__(self) -> None:
        self.imports = {"import torch", "from torch import nn"}
        self.constants: list[str] = []
        self.definitions: list[str] = []
        self._known: dict[str, Any] = {"torch": torch, "nn": nn, "build_model": source_of}

    def call(self, call: Call, depth: int) -> str:
        """Write a call down; `depth` is the indentation of its line."""
        name = self._reference(call.factory)
        arguments = [("", value) for value in call.arguments] + [(f"{k}=", v) for k, v in call.keywords.items()]
        inline = f"{name}({', '.join(prefix + self._value(value, depth) for prefix, value in arguments)})"
        if "\n" not in inline and len(inline) + 4 * depth <= WIDTH:
            return inline
        indent = "    " * (depth + 1)
        lines = [f"{indent}{prefix}{self._value(value, depth + 1)},\n" for prefix, value in arguments]
        return f"{name}(\n{''.join(lines)}{'    ' * depth})"

    def _value(self, value: Any, depth: int) -> str:
        if isinstance(value, Call):
            return self.call(value, depth)
        if isinstance(value, Mapping) and any(isinstance(inner, Call) for inner in value.values()):
            indent = "    " * (depth + 1)
            lines = [f"{indent}{key!r}: {self._value(inner, depth + 1)},\n" for key, inner in value.items()]
            return "{\n" + "".join(lines) + "    " * depth + "}"
        return repr(value)

    def _reference(self, factory: Callable[..., Any]) -> str:
        name = getattr(factory, "__name__", None)
        if name is None:
            raise SpaceError(f"A layer is made by {factory!r}, which cannot be written down: write a def around it.")
        if getattr(nn, name, None) is factory:
            return f"nn.{name}"
        self._include(name, factory)
        return str(name)

    def _include(self, name: str, value: Any) -> None:
        """Make `name` mean `value` in the file."""
        constant = written(value)
        if name in self._known:
            same = self._known[name] is value or (constant is not None and written(self._known[name]) == constant)
            if not same:
                raise SpaceError(f"Two different things are called {name!r} in the layers of one network: rename one.")
            return
        self._known[name] = value
        library = library_of(value)
        if isinstance(value, ModuleType) and is_library(value):
            self.imports.add(f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"))
        elif library is not None:
            self.imports.add(f"from {library[0]} import {library[1]}" + ("" if library[1] == name else f" as {name}"))
        elif constant is not None:
            self.constants.append(f"{name} = {constant}")
        elif isinstance(value, type) or inspect.isroutine(value):
            self._define(name, value)
        else:
            what = f"the module {value.__name__!r}" if isinstance(value, ModuleType) else f"a {type(value).__name__}"
            raise SpaceError(
                f"A layer uses {name!r}, {what}, which cannot be written into its source: "
                "use functions, classes and plain constants by their own names, or make it an attribute of the layer."
            )

    def _define(self, name: str, value: Any) -> None:
        """Write out a function or class under its own name, after what it uses."""
        own, text = definition_of(name, value)
        if own != name:
            self._include(own, value)
            self.definitions.append(f"{name} = {own}")
            return
        scope = names_around(value)
        for used in sorted(names_used(text) & scope.keys() - {own}):
            self._include(used, scope[used])
        for used in sorted(names_in_annotations(text) & scope.keys() - self._known.keys()):
            if library_of(scope[used]) is not None or (isinstance(scope[used], ModuleType) and is_library(scope[used])):
                self._include(used, scope[used])
        self.definitions.append(text)
