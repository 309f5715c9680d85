"""The ready-made space of multi-layer perceptrons, for tables."""

from __future__ import annotations

from archwise.spaces.branches import Residual
from archwise.spaces.choice import Choice
from archwise.spaces.layer_types import identity
from archwise.spaces.nodes import Chain, Repeat
from archwise.spaces.parts import activation, batch_norm, dense, dropout, flatten, head, layer_norm
from archwise.spaces.space import Space


def mlp() -> Space:
    """Return the space of perceptrons: depth, a width for each layer, and one normalisation, activation, dropout rate
    and residual switch for all layers; depth 0 is a linear model.

    Example:
        >>> mlp().default
        Architecture({'depth': 2, ..., '0/width': 128, ...})
    """
    normalisation = Choice(
        "normalisation",
        [identity(called="none"), batch_norm(called="batch"), layer_norm(called="layer")],
        default="batch",
        shared=True,
    )
    block = Chain(
        dense(Choice("width", [16, 32, 64, 128, 256, 512], default=128)),
        normalisation,
        activation(Choice("activation", ["relu", "gelu", "silu", "tanh"], shared=True)),
        Choice(
            "dropout",
            [identity(called="none"), *(dropout(rate, called=str(rate)) for rate in (0.1, 0.2, 0.3, 0.5))],
            default="0.1",
            shared=True,
        ),
    )
    layers = Repeat(
        Residual(block, when=Choice("residual", [False, True], shared=True)),
        Choice("depth", [0, 1, 2, 3, 4], default=2),
        tied=False,
    )
    return Space(Chain(flatten(), layers, head()), "mlp")
