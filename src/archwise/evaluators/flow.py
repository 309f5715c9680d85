"""How values in one network are related to values in another, channel by channel."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

PROBED = 64
"""Numbers of each channel by which the channels of two values are told apart."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Flow:
    """How a value in the child is related to the value at the same place in the parent.

    Args:
        source: for each channel of the child's value the channel of the parent's that it equals, -1 for none.
        channels: how many channels the parent's has.
        exact: whether it truly equals it; if not, the relation only says which weights belong together.
        nonnegative: whether the child's value is never below zero.
    """

    source: Tensor
    channels: int
    exact: bool = True
    nonnegative: bool = False

    @staticmethod
    def usual(count: int, channels: int, exact: bool, nonnegative: bool = False) -> Flow:
        """Return the relation between `count` channels and the parent's: each, then each again."""
        return Flow(torch.arange(count) % max(1, channels), channels, exact, nonnegative)

    @property
    def complete(self) -> bool:
        """Whether every channel of the parent's value is somewhere in the child's."""
        return len(torch.unique(self.source[self.source >= 0])) == self.channels

    def inexact(self) -> Flow:
        """Return the relation where nothing is equal any more."""
        return replace(self, exact=False)


@torch.no_grad()
def does_nothing(layer: nn.Module, shape: Shape, flow: Flow, generator: torch.Generator) -> bool:
    """Whether a layer returns its input as it is, of inputs as the relation allows them."""
    given = torch.randn(max(2, PROBED // math.prod(shape)), *shape, generator=generator, dtype=torch.float64)
    given = given.abs() if flow.nonnegative else given
    result = layer(given)
    return result.shape == given.shape and torch.equal(result, given)


@torch.no_grad()
def routed(
    child: nn.Module, parent: nn.Module | None, flow: Flow, shapes: tuple[Shape, Shape], generator: torch.Generator
) -> Flow | None:
    """Return how the outputs of two layers without weights are related: both are tried on numbers.

    Args:
        child, parent: the layers; None for a parent without such a layer, as if it had one that does nothing.
        flow: how their inputs are related.
        shapes: of the child's and the parent's input, without the batch.
        generator: draws the numbers.

    Returns:
        The relation, None if no channel of the child's is one of the parent's.
    """
    (count, *place), (channels, *old_place) = shapes
    if place != old_place or count != len(flow.source) or channels != flow.channels:
        return None
    batch = max(2, PROBED // math.prod(place))
    given = torch.randn(batch, channels, *place, generator=generator, dtype=torch.float64)
    other = torch.randn(batch, count, *place, generator=generator, dtype=torch.float64)
    known = (flow.source >= 0).reshape(1, -1, *[1] * len(place))
    taken = torch.where(known, given[:, flow.source.clamp_min(0)], other)
    if flow.nonnegative:
        given, taken = given.abs(), taken.abs()
    before = given if parent is None else parent(given)
    after = child(taken)
    number_of: dict[bytes, int] = {}
    for number, channel in enumerate(_channels(before)):
        number_of.setdefault(channel, number)
    source = torch.tensor([number_of.get(channel, -1) for channel in _channels(after)])
    if (source < 0).all():
        return None
    return Flow(source, before.shape[1], flow.exact, bool((after >= 0).all()))


def _channels(values: Tensor) -> list[bytes]:
    rounded = np.round(values.transpose(0, 1).reshape(values.shape[1], -1).numpy(), 6) + 0.0  # no negative zero
    return [channel.tobytes() for channel in rounded]
