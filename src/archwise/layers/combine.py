"""Modules with several paths from their input to their output."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Added(nn.Module):
    """Adds the outputs of several modules that get the same input."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.branches[0](x)
        for branch in list(self.branches)[1:]:
            total = total + branch(x)
        return total


class Concatenated(nn.Module):
    """Joins the outputs of several modules that get the same input along the channels."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class ResidualBlock(nn.Module):
    """Adds a module's output to its input, or to a projection of it."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def projection(shape: tuple[int, ...], to: tuple[int, ...]) -> nn.Module:
    """The linear map between two shapes: a 1x1 convolution with a stride, or a linear layer."""
    if len(shape) == 1:
        return nn.Linear(shape[0], to[0], bias=False)
    strides = tuple(-(-old // new) for old, new in zip(shape[1:], to[1:], strict=True))
    convolution = nn.Conv1d if len(shape) == 2 else nn.Conv2d
    return convolution(shape[0], to[0], 1, stride=strides, bias=False)  # type: ignore[arg-type]


class CellGraph(nn.Module):
    """A small directed graph of modules: node j is the sum of its incoming edges; the last node is the output."""

    def __init__(self, nodes: int, edges: dict[str, nn.Module]):
        super().__init__()
        self.nodes = nodes
        self.edges = nn.ModuleDict(edges)
        ends = [(name, *name.split("->")) for name in edges]
        self.wiring = [(int(i), int(j), name) for name, i, j in ends]

    def forward(self, x: Tensor) -> Tensor:
        values = {0: x}
        for i, j, name in self.wiring:
            value = self.edges[name](values[i])
            values[j] = values[j] + value if j in values else value
        return values[self.nodes - 1]


class Recurrent(nn.Module):
    """Applies one module several times."""

    def __init__(self, body: nn.Module, times: int):
        super().__init__()
        self.body = body
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.times):
            x = self.body(x)
        return x
