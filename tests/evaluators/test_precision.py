from __future__ import annotations

import pytest
import torch
from torch import nn

from archwise.evaluators import precision


class Strict(nn.Module):
    """A user's layer that was only ever tried in float32."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)

    def forward(self, x):
        total = torch.zeros(len(x), 4)
        return total.index_add_(1, torch.arange(4), self.conv(x).mean((2, 3)))


@pytest.fixture
def bfloat16(monkeypatch):
    """A processor that has bfloat16, whether this one does or not: torch can emulate it."""
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)


def type_within(chosen, model, x):
    with chosen():
        return model(x).dtype


def test_images_are_learned_in_mixed_precision(bfloat16):
    model, x = nn.Conv2d(1, 4, 3).train(), torch.randn(1, 1, 8, 8)
    assert type_within(precision.choose_precision(model, x), model, x) == torch.bfloat16
    assert model.training


def test_a_layer_that_cannot_mix_types_works_in_float32(bfloat16):
    model, x = Strict().train(), torch.randn(1, 1, 8, 8)
    chosen = precision.choose_precision(model, x)
    assert type_within(chosen, model, x) == torch.float32
    assert model.training


def test_the_processor_stays_in_float32_whatever_it_has(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    model, x = nn.Conv2d(1, 4, 3), torch.randn(1, 1, 8, 8)
    assert type_within(precision.choose_precision(model, x), model, x) == torch.float32
