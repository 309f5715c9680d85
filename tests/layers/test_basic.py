"""The common layers: shapes for tables, series and images, and what they compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from archwise.layers import basic, combine
from archwise.spaces.plan import Call, infer

SERIES, IMAGE = (4, 12), (4, 9, 7)


@pytest.mark.parametrize(
    ("factory", "settings", "series", "image"),
    [
        (basic.conv, {"width": 6, "kernel": 5}, (6, 12), (6, 9, 7)),
        (basic.conv, {"width": 6, "kernel": 3, "stride": 2}, (6, 6), (6, 5, 4)),
        (basic.same_conv, {"kernel": 3}, (4, 12), (4, 9, 7)),
        (basic.doubling_conv, {"kernel": 3}, (8, 6), (8, 5, 4)),
        (basic.depthwise_conv, {"kernel": 3, "stride": 2}, (4, 6), (4, 5, 4)),
        (basic.expand, {"factor": 3}, (12, 12), (12, 9, 7)),
        (basic.batch_norm, {}, (4, 12), (4, 9, 7)),
        (basic.layer_norm, {}, (4, 12), (4, 9, 7)),
        (basic.max_pool, {"size": 2}, (4, 6), (4, 4, 3)),
        (basic.avg_pool, {"size": 3}, (4, 4), (4, 3, 2)),
        (basic.smooth, {"size": 3}, (4, 12), (4, 9, 7)),
        (basic.SqueezeExcitation, {}, (4, 12), (4, 9, 7)),
    ],
)
def test_shapes_of_layers_with_positions(
    factory: Any, settings: dict[str, Any], series: tuple[int, ...], image: tuple[int, ...]
) -> None:
    for shape, expected in ((SERIES, series), (IMAGE, image)):
        call = Call(factory, (), {"shape": shape} | settings)
        assert infer(call, shape, "layer").shape == expected
        x = torch.randn(3, *shape, requires_grad=True)
        y = call.build()(x)
        assert y.shape == (3, *expected)
        y.square().sum().backward()
        assert x.grad is not None and bool(x.grad.abs().sum() > 0)


def test_parameters_are_those_of_the_layer() -> None:
    def parameters(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    assert parameters(basic.conv(IMAGE, 6, 5)) == 6 * 4 * 25
    assert parameters(basic.conv(SERIES, 6, 5)) == 6 * 4 * 5
    assert parameters(basic.depthwise_conv(IMAGE, 3)) == 4 * 9
    assert parameters(basic.dense((4,), 7)) == 35 and parameters(basic.head((4,), 3)) == 15
    assert parameters(basic.batch_norm((4,))) == parameters(basic.layer_norm((4,))) == 8


def test_norms_normalise_what_they_say() -> None:
    x = torch.randn(16, *IMAGE) * 3 + 2
    over_batch = basic.batch_norm(IMAGE).train()(x)
    assert torch.allclose(over_batch.mean((0, 2, 3)), torch.zeros(4), atol=1e-5)
    alone = basic.layer_norm(IMAGE)(x)
    assert torch.allclose(alone.flatten(1).mean(1), torch.zeros(16), atol=1e-5)
    assert torch.allclose(alone.flatten(1).std(1, unbiased=False), torch.ones(16), atol=1e-3)
    table = torch.randn(16, 5) * 3
    assert torch.allclose(basic.layer_norm((5,))(table).mean(1), torch.zeros(16), atol=1e-5)


def test_pools_compute_means_and_maxima() -> None:
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    assert basic.GlobalPool("mean")(x).tolist() == [[5.5, 17.5]]
    assert basic.GlobalPool("max")(x).tolist() == [[11.0, 23.0]]
    assert basic.GlobalPool("both")(x).tolist() == [[5.5, 17.5, 11.0, 23.0]]
    assert basic.max_pool((2, 3, 4))(x).tolist() == [[[[5.0, 7.0]], [[17.0, 19.0]]]]
    assert basic.avg_pool((2, 3, 4))(x).tolist() == [[[[2.5, 4.5]], [[14.5, 16.5]]]]
    ones = torch.ones(1, 2, 5)
    assert torch.equal(basic.smooth((2, 5))(ones), ones)  # the border counts the neighbours that there are


@pytest.mark.parametrize("name", ["relu", "gelu", "silu", "tanh", "leaky_relu"])
def test_activations_are_those_of_torch(name: str) -> None:
    x = torch.linspace(-3, 3, 13)
    expected = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    assert torch.allclose(basic.activation(name)(x), expected(x))
    with pytest.raises(KeyError):
        basic.activation("sign")


def test_squeeze_excitation_weighs_channels() -> None:
    module = basic.SqueezeExcitation((8, 5, 5))
    x = torch.rand(2, 8, 5, 5) + 0.5
    ratio = (module(x) / x).detach()
    assert torch.allclose(ratio, ratio[:, :, :1, :1].expand_as(ratio), atol=1e-6)
    assert bool((ratio > 0).all() and (ratio < 1).all()) and float(ratio.std()) > 1e-4


def test_combinations() -> None:
    x = torch.randn(3, 4)
    a, b = nn.Linear(4, 4), nn.Linear(4, 4)
    with torch.no_grad():
        assert torch.allclose(combine.Added(a, b, nn.Identity())(x), a(x) + b(x) + x)
        assert torch.allclose(combine.Concatenated(a, b)(x), torch.cat([a(x), b(x)], 1))
        assert torch.allclose(combine.ResidualBlock(a)(x), a(x) + x)
        assert torch.allclose(combine.ResidualBlock(a, b)(x), a(x) + b(x))
        assert torch.allclose(combine.Recurrent(a, 3)(x), a(a(a(x))))
        graph = combine.CellGraph(4, {"0->1": a, "0->3": b, "1->3": nn.ReLU()})
        assert torch.allclose(graph(x), b(x) + a(x).relu())


def test_projections_join_shapes() -> None:
    for shape, to in (((5,), (3,)), ((4, 12), (6, 6)), ((4, 9, 7), (8, 5, 4)), ((4, 9, 7), (2, 3, 3))):
        assert combine.projection(shape, to)(torch.randn(2, *shape)).shape == (2, *to)
