"""The ready-made spaces by their names."""

from __future__ import annotations

from archwise.errors import SpaceError
from archwise.signature import Signature
from archwise.spaces.cell import cell, nasbench201
from archwise.spaces.cnn import cnn, conv1d
from archwise.spaces.mlp import mlp
from archwise.spaces.space import Space

READY = {"mlp": mlp, "cnn": cnn, "conv1d": conv1d, "cell": cell, "nasbench201": nasbench201}


def ready_space(name: str) -> Space:
    """Return the ready-made space of a name: mlp, cnn, conv1d, cell or nasbench201.

    Raises:
        SpaceError: no space has that name.
    """
    if name not in READY:
        raise SpaceError(f"There is no ready-made space {name!r}: take one of {', '.join(READY)}.")
    return READY[name]()


def suggested_space(signature: Signature) -> Space:
    """Return the ready-made space for a kind of data: mlp for tables, cnn for images, conv1d for series."""
    return {"table": mlp, "image": cnn, "series": conv1d}[signature.kind]()
