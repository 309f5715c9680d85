"""The source view: a network as plain PyTorch code that needs nothing but torch."""

from __future__ import annotations

import ast
import builtins
import inspect
import sysconfig
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from archwise.errors import SpaceError
from archwise.spaces.nodes import layer
from archwise.spaces.plan import Call

WIDTH = 100
LIBRARIES = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]


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
    parts = ["from __future__ import annotations", "\n".join(sorted(code.imports)), "\n".join(code.constants)]
    parts += [*code.definitions.values(), f"def build_model() -> nn.Module:\n    return {body}"]
    return "\n\n\n".join(part for part in parts if part) + "\n"


class _Code:
    """The pieces of a source file, collected on the way through a call."""

    def __init__(self) -> None:
        self.imports = {"import torch", "from torch import nn"}
        self.constants: list[str] = []
        self.definitions: dict[str, str] = {}
        self._known: dict[str, Any] = {}

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
        if isinstance(value, Mapping):
            indent = "    " * (depth + 1)
            lines = [f"{indent}{key!r}: {self._value(inner, depth + 1)},\n" for key, inner in value.items()]
            return "{\n" + "".join(lines) + "    " * depth + "}"
        return repr(value)

    def _reference(self, factory: Callable[..., Any]) -> str:
        if factory.__module__.startswith("torch.nn.modules"):
            return f"nn.{factory.__qualname__}"
        self._include(factory.__name__, factory)
        return factory.__name__

    def _include(self, name: str, value: Any) -> None:
        """Make `name` mean `value` in the file."""
        if name in self._known:
            if self._known[name] is not value:
                raise SpaceError(f"Two different things are called {name!r} in the layers of one network: rename one.")
            return
        self._known[name] = value
        if isinstance(value, ModuleType):
            self.imports.add(f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"))
        elif isinstance(value, type) or inspect.isroutine(value):
            self._include_definition(name, value)
        elif _is_constant(value):
            self.constants.append(f"{name} = {value!r}")
        else:
            raise SpaceError(
                f"A layer uses {name!r}, a {type(value).__name__}, which cannot be written into its source: "
                "make it an attribute of the layer or a plain constant."
            )

    def _include_definition(self, name: str, value: Any) -> None:
        module = inspect.getmodule(value)
        if module is not None and _is_library(module):
            same = value.__name__ == name
            self.imports.add(f"from {module.__name__} import {value.__name__}" + ("" if same else f" as {name}"))
            return
        try:
            text = textwrap.dedent(inspect.getsource(value))
            tree = ast.parse(text).body[0]
        except (OSError, TypeError, SyntaxError, IndexError):
            raise SpaceError(
                f"The source of the layer {name!r} cannot be found: define it with def or class in a file or cell."
            ) from None
        if not isinstance(tree, ast.FunctionDef | ast.ClassDef) or tree.name != name:
            raise SpaceError(f"The layer {name!r} needs a def or class statement of that name.")
        scope = _names_around(value)
        kept = [d for d in tree.decorator_list if not _is_layer_decorator(d, scope)]
        for node in ast.walk(tree):
            used = node.id if isinstance(node, ast.Name) else None
            if used and used in scope and used != name and not _inside(node, tree.decorator_list, kept):
                self._include(used, scope[used])
        lines = text.splitlines()
        decorators = [lines[line] for d in kept for line in range(d.lineno - 1, (d.end_lineno or d.lineno))]
        self.definitions[name] = "\n".join([*decorators, *lines[tree.lineno - 1 :]])


def _inside(node: ast.AST, decorators: list[ast.expr], kept: list[ast.expr]) -> bool:
    """Whether a name stands in a decorator that is left out."""
    return any(node in ast.walk(decorator) for decorator in decorators if decorator not in kept)


def _names_around(value: Any) -> dict[str, Any]:
    """Return the global and enclosing names that a function's or class's body can see."""
    functions = [value] if not isinstance(value, type) else [f for f in vars(value).values() if inspect.isfunction(f)]
    module = inspect.getmodule(value)
    names = dict(vars(module)) if module is not None else {}
    for function in functions:
        names |= function.__globals__ | dict(inspect.getclosurevars(function).nonlocals)
    return {name: found for name, found in names.items() if not hasattr(builtins, name) and name != "__class__"}


def _is_layer_decorator(decorator: ast.expr, scope: Mapping[str, Any]) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(target, ast.Name) and scope.get(target.id) is layer


def _is_library(module: ModuleType) -> bool:
    """Whether a module is installed wherever torch is: the standard library or a package, archwise aside."""
    if module.__name__.split(".", maxsplit=1)[0] in ("archwise", "__main__"):
        return False
    file = getattr(module, "__file__", None)
    return file is None or any(folder in Path(file).resolve().parents for folder in LIBRARIES)


def _is_constant(value: Any) -> bool:
    if isinstance(value, tuple | list | set | frozenset):
        return all(_is_constant(item) for item in value)
    if isinstance(value, dict):
        return all(_is_constant(item) for pair in value.items() for item in pair)
    return value is None or isinstance(value, str | bytes | int | float | complex)
