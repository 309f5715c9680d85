"""The language of search spaces: choices, parts, architectures and their views."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archwise.spaces.architecture import Architecture, Candidate, Label
    from archwise.spaces.branches import Cell, Concat, Residual, Sum
    from archwise.spaces.choice import Choice, Decision
    from archwise.spaces.joint import JointSpace, Key
    from archwise.spaces.layer_types import Layer, LayerType, identity, layer, zero
    from archwise.spaces.nodes import Chain, Node, Repeat, Shared
    from archwise.spaces.settings import Settings
    from archwise.spaces.space import Space

_WHERE = {
    "architecture": ["Architecture", "Candidate", "Label"],
    "branches": ["Cell", "Concat", "Residual", "Sum"],
    "choice": ["Choice", "Decision"],
    "joint": ["JointSpace", "Key"],
    "layer_types": ["Layer", "LayerType", "identity", "layer", "zero"],
    "nodes": ["Chain", "Node", "Repeat", "Shared"],
    "settings": ["Settings"],
    "space": ["Space"],
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: the parts of networks need torch, records of architectures do not."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


__all__ = [
    "Architecture",
    "Candidate",
    "Cell",
    "Chain",
    "Choice",
    "Concat",
    "Decision",
    "JointSpace",
    "Key",
    "Label",
    "Layer",
    "LayerType",
    "Node",
    "Repeat",
    "Residual",
    "Settings",
    "Shared",
    "Space",
    "Sum",
    "identity",
    "layer",
    "zero",
]
