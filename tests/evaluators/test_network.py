from __future__ import annotations

import inspect

import pytest
import torch

from archwise.evaluators.failures import TrainingError, describe
from archwise.evaluators.network import build_network

LAYERED = """
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Width:
    value: int = 5


class Doubling(nn.Module):
    def forward(self, x):
        return 2 * x


def build_model():
    return nn.Sequential(nn.Linear(3, Width().value), Doubling())
"""


def test_a_seed_decides_the_weights_whatever_ran_before():
    first = build_network(LAYERED, 1)
    torch.rand(100)
    again, other = build_network(LAYERED, 1), build_network(LAYERED, 2)
    assert torch.equal(first[0].weight, again[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)


def test_source_works_as_in_a_file():
    layer = build_network(LAYERED, 0)[1]
    assert layer(torch.ones(1)).item() == 2
    assert "return 2 * x" in inspect.getsource(type(layer))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def build_model(): return 1 / 0", "ZeroDivisionError"),
        ("def build_model(:", "SyntaxError"),
        ("x = 1", "build_model"),
        ("def build_model(): return 3", "returned int"),
        ("import no_such_library", "no_such_library"),
    ],
)
def test_source_that_cannot_be_built_is_refused_with_the_reason(source, reason):
    with pytest.raises(TrainingError, match="cannot be built") as caught:
        build_network(source, 0)
    assert reason in str(caught.value)


def test_the_traceback_shows_the_line_at_fault():
    source = "def build_model():\n    width = 0\n    return 8 // width\n"
    with pytest.raises(TrainingError) as caught:
        build_network(source, 0)
    assert "return 8 // width" in describe(caught.value)[1]


def test_memory_that_ran_out_while_building_is_told_apart():
    source = "import torch\ndef build_model(): return torch.nn.Linear(10**9, 10**9)"
    with pytest.raises(RuntimeError) as caught:
        build_network(source, 0)
    assert describe(caught.value)[0].startswith("out of memory")
