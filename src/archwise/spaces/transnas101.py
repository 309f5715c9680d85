"""The micro space of TransNAS-Bench-101: a NAS-Bench-201 cell without pooling, some of whose copies halve the image."""

from __future__ import annotations

from archwise.layers import basic
from archwise.spaces.branches import Cell
from archwise.spaces.choice import Choice
from archwise.spaces.layer_types import identity, layer, zero
from archwise.spaces.nodes import Chain, Node, Part, Shared
from archwise.spaces.parts import batch_norm, conv, global_pool, head, relu, same_conv
from archwise.spaces.space import Space

factorized_reduction = layer(basic.FactorizedReduction, name="factorized_reduction")


def transnas101_micro(width: int = 64) -> Space:
    """Return TransNAS-Bench-101's micro space (Duan et al. 2021): 4,096 cells of 4 nodes, 10 cells a network.

    The image shrinks by four before the first cell. Cells 1, 5 and 9 halve it once more and double the width; there
    the edges from the input do so, a skip connection by a factorised reduction. The benchmark's other tasks than
    classification put decoders of their own in the place of the head.

    Args:
        width: channels before the first cell; even.

    Example:
        >>> transnas101_micro().size
        4096
    """
    normal = Choice("op", _operations(None), level="cell")
    body: list[Part] = []
    start = width
    for halves in [True, False, True, False, True]:
        if halves:
            width *= 2
            halving = Choice("op", _operations(width), level="cell")
            body.append(Shared(Cell(4, normal, entry=halving), "cell"))
        body += [Shared(Cell(4, normal), "cell")] * (1 if halves else 2)
    stem = [conv(start // 2, 3, 2), batch_norm(), relu(), conv(start, 3, 2), batch_norm()]
    return Space(Chain(*stem, *body, global_pool("mean"), head()), "transnas101_micro")


def _operations(width: int | None) -> list[Node]:
    """Return the operations of an edge, or of one that halves the image to so many channels."""
    kernels = {"conv3x3": 3, "conv1x1": 1}
    if width is None:
        convolutions = [Chain(relu(), same_conv(k), batch_norm(), name=name) for name, k in kernels.items()]
        return [*convolutions, identity(called="skip"), zero(called="none")]
    convolutions = [Chain(relu(), conv(width, k, 2), batch_norm(), name=name) for name, k in kernels.items()]
    return [*convolutions, factorized_reduction(width, called="skip"), zero(called="none")]
