"""The ready-made spaces by their names."""

from __future__ import annotations

from archwise.errors import SpaceError
from archwise.signature import Signature
from archwise.spaces.cell import cell, nasbench201
from archwise.spaces.cnn import cnn, conv1d
from archwise.spaces.mlp import mlp
from archwise.spaces.space import Space
from archwise.spaces.transnas101 import transnas101_micro

READY = {
    "mlp": mlp,
    "cnn": cnn,
    "conv1d": conv1d,
    "cell": cell,
    "nasbench201": nasbench201,
    "transnas101_micro": transnas101_micro,
}


def ready_space(name: str, signature: Signature | None = None) -> Space:
    """Return the ready-made space of a name: mlp, cnn, conv1d, cell, nasbench201 or transnas101_micro.

    Args:
        name: the space's name.
        signature: what the networks are for; the default architecture suits its size. The space itself is the same.

    Raises:
        SpaceError: no space has that name.
    """
    if name not in READY:
        raise SpaceError(f"There is no ready-made space {name!r}: take one of {', '.join(READY)}.")
    if name == "cnn" and signature is not None and signature.kind == "image":
        return cnn(side=min(signature.input[1:]))
    return READY[name]()


def suggested_space(signature: Signature) -> str:
    """Return the name of the ready-made space for a kind of data: mlp for tables, cnn for images, conv1d for series."""
    return {"table": "mlp", "image": "cnn", "series": "conv1d"}[signature.kind]
