"""archwise finds a neural network for your data, and gets better at it with every search it runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archwise.api import load, resume, search
    from archwise.errors import ArchwiseError
    from archwise.result import Result

__version__ = "0.1.0"

_MODULES = {"load": "api", "resume": "api", "search": "api", "ArchwiseError": "errors", "Result": "result"}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that `archwise --help` need not wait for PyTorch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


__all__ = ["ArchwiseError", "Result", "__version__", "load", "resume", "search"]
