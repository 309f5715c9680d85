"""Costs are counted layer by layer; together they are those of the network."""

from __future__ import annotations

import torch
from hypothesis import assume, given, settings
from torch.utils.flop_counter import FlopCounterMode

from archwise.signature import Signature
from archwise.spaces import Architecture, Chain, Repeat, Space
from archwise.spaces.cell import nasbench201
from archwise.spaces.parts import dense, head

from .random_spaces import TABLE, members


def counted(space: Space, architecture: Architecture, signature: Signature) -> tuple[int, int]:
    """Count parameters and FLOPs of the built network for one example."""
    model = space.build(architecture, signature).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.ones(1, *signature.input))
    return sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops()


@given(members(buildable=True))
@settings(max_examples=60, deadline=None)
def test_random_networks(member: tuple[Space, Architecture]) -> None:
    space, architecture = member
    assume(space.check(architecture, TABLE) is None)
    cost = space.cost(architecture, TABLE)
    assert (cost.parameters, cost.flops) == counted(space, architecture, TABLE)


def test_a_large_cell_network() -> None:
    space, signature = nasbench201(), Signature((3, 16, 16), 10, "image")
    for seed in range(6):
        architecture = space.sample(seed)
        if space.check(architecture, signature) is None:
            cost = space.cost(architecture, signature)
            assert (cost.parameters, cost.flops) == counted(space, architecture, signature)


def test_shared_weights_count_once_and_compute_each_time() -> None:
    costs = {
        share: Space(Chain(dense(10), Repeat(dense(10), 3, share_weights=share), head())).cost(Architecture({}), TABLE)
        for share in (True, False)
    }
    assert costs[True].flops == costs[False].flops
    assert costs[False].parameters - costs[True].parameters == 2 * 110
