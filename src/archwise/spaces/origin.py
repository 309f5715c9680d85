"""Where the code of a layer comes from: its source text, the names it uses, and what is in a library."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import symtable
import sys
import sysconfig
import textwrap
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from archwise.errors import SpaceError
from archwise.spaces.layer_types import layer

LIBRARIES = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
FUTURE = "from __future__ import annotations\n"
"""Stands at the top of what is written out, so that annotations are never evaluated."""


@lru_cache(maxsize=1024)
def definition_of(name: str, value: Any) -> tuple[str, str]:
    """Return the name and text of the def or class statement that made a function or class.

    A decorator that makes it a layer of the language is left out.

    Raises:
        SpaceError: the text cannot be found, or is no such statement.
    """
    value = inspect.unwrap(value)
    try:
        text = textwrap.dedent(_class_text(value) if isinstance(value, type) else inspect.getsource(value))
        tree = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        raise SpaceError(
            f"The source of the layer {name!r} cannot be found: define it with def or class in a file or cell."
        ) from None
    if not isinstance(tree, ast.FunctionDef | ast.ClassDef) or tree.name != value.__name__:
        raise SpaceError(f"The layer {name!r} needs a def or class statement of its own, not a lambda.")
    scope = names_around(value)
    kept = [d for d in tree.decorator_list if not _is_layer_decorator(d, scope)]
    lines = text.splitlines()
    decorators = [lines[line] for d in kept for line in range(d.lineno - 1, (d.end_lineno or d.lineno))]
    return tree.name, "\n".join([*decorators, *lines[tree.lineno - 1 :]])


@lru_cache(maxsize=1024)
def names_used(text: str) -> frozenset[str]:
    """Return the names from around a def or class statement that running it needs; annotations need none."""

    def used(table: symtable.SymbolTable) -> set[str]:
        top = table.get_type() == "module"
        found = {s.get_name() for s in table.get_symbols() if s.is_global() and (s.is_referenced() or not top)}
        inside = [child for child in table.get_children() if "annotation" not in str(child.get_type())]
        return found.union(*(used(child) for child in inside))

    return frozenset(used(symtable.symtable(FUTURE + text, "layer", "exec")))


@lru_cache(maxsize=1024)
def names_in_annotations(text: str) -> frozenset[str]:
    """Return the names that annotations in a def or class statement use."""
    notes: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.arg | ast.AnnAssign):
            notes.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            notes.append(node.returns)
    used = (n.id for note in notes if note is not None for n in ast.walk(note) if isinstance(n, ast.Name))
    return frozenset(used)


def names_around(value: Any) -> dict[str, Any]:
    """Return the global and enclosing names that a function's or class's body can see, builtins aside."""
    value = inspect.unwrap(value)
    module = sys.modules.get(value.__module__)
    names = dict(vars(module)) if module is not None else {}
    for function in _functions(value):
        names |= function.__globals__ | dict(inspect.getclosurevars(function).nonlocals)
    nothing = object()
    return {n: v for n, v in names.items() if n != "__class__" and v is not getattr(builtins, n, nothing)}


def library_of(value: Any) -> tuple[str, str] | None:
    """Return the (module, name) from which a class or function of a library can be imported, or None."""
    name = getattr(value, "__name__", None)
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if name is None or module is None or not is_library(module) or getattr(module, name, None) is not value:
        return None
    return module.__name__, name


def is_library(module: ModuleType) -> bool:
    """Whether a module is installed wherever torch is: the standard library or a package, archwise aside."""
    top = module.__name__.split(".", maxsplit=1)[0]
    if top in ("archwise", "__main__"):
        return False
    if top in sys.stdlib_module_names or top == "torch":
        return True
    file = getattr(module, "__file__", None)
    return file is not None and any(folder in Path(file).resolve().parents for folder in LIBRARIES)


def written(value: Any) -> str | None:
    """Return a plain value as Python code; None where it is not plain."""
    if isinstance(value, torch.dtype) or value is None or type(value) in (str, bytes, int, bool, complex):
        return repr(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if type(value) is dict:
        pairs = [(written(key), written(item)) for key, item in value.items()]
        return None if any(None in pair for pair in pairs) else "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
    if type(value) not in (tuple, list, set, frozenset):
        return None
    items = [code for item in value if (code := written(item)) is not None]
    if len(items) < len(value):
        return None
    if type(value) in (set, frozenset):
        return f"{type(value).__name__}([{', '.join(sorted(items))}])"
    return f"[{', '.join(items)}]" if type(value) is list else f"({''.join(f'{item}, ' for item in items)})"


def _functions(value: Any) -> list[Any]:
    """Return the functions written in a class, or the function itself."""
    if not isinstance(value, type):
        return [value]
    found: list[Any] = []
    for member in vars(value).values():
        inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        function = inspect.unwrap(inner) if callable(inner) else None
        if inspect.isfunction(function) and function.__qualname__.startswith(value.__qualname__ + "."):
            found.append(function)
    return found


def _class_text(value: type) -> str:
    """Return a class's text, found through one of its functions: notebooks keep the source of these alone."""
    functions = _functions(value)
    if not functions:
        return inspect.getsource(value)
    lines, _ = inspect.findsource(functions[0])
    line = functions[0].__code__.co_firstlineno
    around = [
        node
        for node in ast.walk(ast.parse("".join(lines)))
        if isinstance(node, ast.ClassDef)
        and node.name == value.__name__
        and node.lineno <= line <= (node.end_lineno or 0)
    ]
    node = max(around, key=lambda node: node.lineno, default=None)
    if node is None:
        raise OSError
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "".join(lines[first - 1 : node.end_lineno])


def _is_layer_decorator(decorator: ast.expr, scope: Mapping[str, Any]) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    attributes: list[str] = []
    while isinstance(target, ast.Attribute):
        attributes.append(target.attr)
        target = target.value
    found = scope.get(target.id) if isinstance(target, ast.Name) else None
    for attribute in reversed(attributes):
        found = getattr(found, attribute, None)
    return found is layer
