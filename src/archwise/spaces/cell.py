"""The ready-made spaces whose networks stack one searched cell."""

from __future__ import annotations

from collections.abc import Sequence

from archwise.layers import basic
from archwise.spaces.branches import Cell, Residual
from archwise.spaces.choice import Choice
from archwise.spaces.layer_types import identity, layer, zero
from archwise.spaces.nodes import Chain, Node, Part, Repeat, Shared
from archwise.spaces.parts import batch_norm, conv, global_pool, head, relu, same_conv, smooth
from archwise.spaces.space import Space

doubling_conv = layer(basic.doubling_conv)


def cell(
    nodes: int = 4,
    operations: Sequence[Node] | None = None,
    width: int | Choice | None = None,
    depth: int | Choice | None = None,
    stages: int = 3,
    name: str = "cell",
) -> Space:
    """Return the space of networks that stack one searched cell in stages, as NAS-Bench-201 does.

    A stage is `depth` copies of the cell, the same in all stages; between stages a residual block halves the image and
    doubles the width.

    Args:
        nodes: nodes of the cell, its input's included.
        operations: what an edge may be; NAS-Bench-201's five if None.
        width: channels of the first stage; a choice among 8, 16 and 32 if None.
        depth: cells a stage; a choice among 1, 2 and 3 if None.
        stages: how many stages.
        name: the space's name.

    Example:
        >>> cell(nodes=3, width=8, depth=1).size
        125
    """
    edge = Choice("op", operations or nasbench201_operations(), level="cell")
    start = width if width is not None else Choice("width", [8, 16, 32], default=16, level="macro")
    times = depth if depth is not None else Choice("depth", [1, 2, 3], level="macro")
    stage = Shared(Repeat(Cell(nodes, edge), times), "stage")
    body: list[Part] = [stage]
    for _ in range(stages - 1):
        body += [_reduction(), stage]
    return Space(Chain(conv(start, 3), batch_norm(), *body, batch_norm(), relu(), global_pool("mean"), head()), name)


def nasbench201() -> Space:
    """Return NAS-Bench-201's space (Dong & Yang 2020): 15,625 cells of 4 nodes in 3 stages of 5, 16 channels at first.

    Example:
        >>> nasbench201().size
        15625
    """
    return cell(nodes=4, width=16, depth=5, stages=3, name="nasbench201")


def nasbench201_operations() -> list[Node]:
    """Return NAS-Bench-201's operations: none, skip, 1x1 and 3x3 convolution, 3x3 average pooling."""
    return [
        Chain(relu(), same_conv(3), batch_norm(), name="conv3x3"),
        Chain(relu(), same_conv(1), batch_norm(), name="conv1x1"),
        smooth(3, called="avg_pool3x3"),
        identity(called="skip"),
        zero(called="none"),
    ]


def _reduction() -> Node:
    """The residual block that halves the image and doubles the width."""
    return Residual(Chain(doubling_conv(3), batch_norm(), relu(), same_conv(3), batch_norm()))
