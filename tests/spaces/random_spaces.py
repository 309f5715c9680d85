"""Random search spaces, nested a few parts deep, for the property tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from archwise.signature import Signature
from archwise.spaces import (
    Architecture,
    Cell,
    Chain,
    Choice,
    Concat,
    Node,
    Repeat,
    Residual,
    Shared,
    Space,
    Sum,
    identity,
    layer,
    zero,
)
from archwise.spaces.parts import activation, batch_norm, dense, dropout, head

TABLE = Signature((3,), 2, "table")
SEEDS = st.integers(0, 2**32 - 1)


class Scale(nn.Module):
    """A layer of the tests' own: every feature times a learned number."""

    def __init__(self, shape: tuple[int, ...], start: float = 1.5):
        super().__init__()
        self.factor = nn.Parameter(torch.full(shape, start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


@layer(pure=True)
class Wave(nn.Module):
    """A pure layer of the tests' own."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


scale = layer(Scale)


class _Maker:
    """Draws the parts of one space; every name is new, so no two paths clash by chance."""

    def __init__(self, draw: Callable[[Any], Any], buildable: bool):
        self.draw = draw
        self.buildable = buildable
        self.numbers: Iterator[int] = count()
        self.activation = Choice("activation", ["relu", "tanh"], shared=True)
        self.copies = Choice("copies", [1, 2], shared=True)
        self.parts: list[Shared] = []
        self.choices: list[Choice] = []

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def leaf(self) -> Node:
        width = self.draw(st.sampled_from([3, 3, 4, Choice(self.name("w"), [2, 3])]))
        named = {"called": self.name("l")}
        leaves: list[Callable[[], Node]] = [
            lambda: identity(**named),
            lambda: zero(**named),
            lambda: scale(**named),
            lambda: Wave(**named),
            lambda: activation(self.activation, **named),
            lambda: activation("relu", **named),
            lambda: batch_norm(**named),
            lambda: dropout(0.5, **named),
            lambda: scale(Choice("start", [1.5, 2.5]), **named),
            lambda: dense(3 if self.buildable else width, **named),
        ]
        return self.draw(st.sampled_from(leaves))()

    def part(self, depth: int) -> Any:
        if depth == 0 or self.draw(st.integers(0, 4)) == 0:
            return self.leaf()
        kinds = [self.chain, self.repeat, self.sum, self.residual, self.cell, self.choice, self.choice, self.shared]
        return self.draw(st.sampled_from([*kinds, *([] if self.buildable else [self.concat])]))(depth - 1)

    def several(self, depth: int) -> list[Any]:
        return [self.part(depth) for _ in range(self.draw(st.integers(1, 3)))]

    def times(self, fewest: int) -> Any:
        drawn = Choice(self.name("t"), [fewest, fewest + 1])
        return self.draw(st.sampled_from([fewest, fewest + 1, drawn, *([self.copies] if fewest == 1 else [])]))

    def chain(self, depth: int) -> Node:
        return Chain(*self.several(depth), name=self.name("chain"))

    def repeat(self, depth: int) -> Node:
        fewest = self.draw(st.integers(0, 1))
        tied, share = self.draw(st.sampled_from([(True, False), (False, False), (True, True)]))
        name = self.name("repeat")
        return Repeat(self.part(depth), self.times(fewest), tied=tied, share_weights=share, name=name)

    def sum(self, depth: int) -> Node:
        return Sum(*self.several(depth), name=self.name("sum"))

    def concat(self, depth: int) -> Node:
        return Concat(*self.several(depth), name=self.name("concat"))

    def residual(self, depth: int) -> Node:
        when = self.draw(st.sampled_from([True, False, Choice("skip", [True, False])]))
        return Residual(self.part(depth), when=when, name=self.name("residual"))

    def cell(self, depth: int) -> Node:
        tied = self.draw(st.booleans())
        return Cell(self.times(2), self.part(min(depth, 1)), tied=tied, name=self.name("cell"))

    def choice(self, depth: int) -> Choice:
        if self.choices and self.draw(st.booleans()):
            return self.draw(st.sampled_from(self.choices))
        shared = self.draw(st.integers(0, 3)) == 0
        options = [self.option(depth) for _ in range(self.draw(st.integers(1, 3)))]
        level = self.draw(st.sampled_from(["macro", "cell"]))
        made = Choice(self.name("c"), options, shared=shared, level=level)
        if shared:
            self.choices.append(made)
        return made

    def option(self, depth: int) -> Node:
        part = self.part(depth)
        return Chain(part, name=self.name("o")) if isinstance(part, Choice | Shared) else part

    def shared(self, depth: int) -> Node:
        if not self.parts or self.draw(st.booleans()):
            self.parts.append(Shared(self.part(depth), self.name("shared")))
        return self.draw(st.sampled_from(self.parts))


@st.composite
def spaces(draw: Any, most: int = 200, depth: int = 3, buildable: bool = False) -> Space:
    """Draw a space of at most `most` architectures.

    Args:
        most: the largest size.
        depth: how deep parts nest.
        buildable: whether all layers keep the shape, so that nearly everything can be built.
    """
    maker = _Maker(draw, buildable)
    space = Space(Chain(*maker.several(depth), head()), "random")
    return space if space.size <= most else Space(Chain(maker.leaf(), head()), "small")


@st.composite
def members(draw: Any, **settings: Any) -> tuple[Space, Architecture]:
    """Draw a space and a sample of it."""
    space = draw(spaces(**settings))
    return space, space.sample(draw(SEEDS))
