"""Networks: what can be built is built with the signature's shapes, and what cannot is refused with the reason."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from archwise.errors import SpaceError, Unbuildable
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
    Settings,
    Shared,
    Space,
    Sum,
    identity,
    layer,
    zero,
)
from archwise.spaces.parts import conv, dense, dropout, expand, flatten, global_pool, head, max_pool, relu
from archwise.spaces.ready import READY, ready_space, suggested_space

from .random_spaces import TABLE, members, spaces

READY_SIGNATURES = [
    ("mlp", Signature((1,), 1, "table")),
    ("mlp", Signature((30,), 2, "table")),
    ("mlp", Signature((1, 8, 8), 10, "image")),
    ("mlp", Signature((2, 20), 3, "series")),
    ("cnn", Signature((1, 8, 8), 10, "image")),
    ("cnn", Signature((3, 32, 20), 5, "image")),
    ("conv1d", Signature((1, 24), 2, "series")),
    ("conv1d", Signature((3, 100), 1, "series")),
    ("cell", Signature((1, 8, 8), 10, "image")),
    ("cell", Signature((2, 16), 3, "series")),
    ("nasbench201", Signature((3, 8, 8), 10, "image")),
]


def train_once(model: nn.Module, signature: Signature) -> None:
    """One forward and one backward pass; every parameter must take part."""
    torch.manual_seed(0)
    x = torch.randn(4, *signature.input)
    y = model.train()(x)
    assert y.shape == (4, signature.outputs) and y.dtype == torch.float32 and bool(y.isfinite().all())
    y.square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.shape == parameter.shape, name
    assert model.eval()(x[:1]).shape == (1, signature.outputs)


@given(members(most=10**9, depth=4))
@settings(max_examples=120, deadline=None)
def test_random_architectures_build_or_are_refused(drawn: tuple[Space, Architecture]) -> None:
    space, architecture = drawn
    reason = space.check(architecture, TABLE)
    if reason is None:
        model = space.build(architecture, TABLE)
        train_once(model, TABLE)
        assert space.cost(architecture, TABLE).parameters == sum(p.numel() for p in model.parameters())
        kinds = {vertex.kind for vertex in space.graph(architecture).vertices}
        assert "input" in kinds
    else:
        assert len(reason) > 10 and reason[0].isupper()
        for view in (space.build, space.plan, space.source, space.cost):
            with pytest.raises(Unbuildable) as refused:
                view(architecture, TABLE)
            assert str(refused.value) == reason


@given(spaces(most=40, buildable=True))
@settings(max_examples=80, deadline=None)
def test_equal_hashes_are_equal_networks_of_equal_cost_and_features(space: Space) -> None:
    """All weights of one shape are set to the same numbers, so that equal functions give equal numbers."""
    torch.manual_seed(0)
    x = torch.randn(4, 3)
    seen: dict[str, tuple[int, Tensor, list[float]]] = {}
    for architecture in space.enumerate():
        if space.check(architecture, TABLE) is not None:
            assert space.key(architecture) == Space(zero()).key(Architecture({}))
            continue
        model = space.build(architecture, TABLE).eval().double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.linspace(-0.7, 0.9, parameter.numel()).reshape(parameter.shape))
            y = model(x.double())
        parameters = space.cost(architecture, TABLE).parameters
        features = list(space.features(architecture, TABLE))
        before = seen.setdefault(space.key(architecture), (parameters, y, features))
        assert before[0] == parameters and torch.allclose(before[1], y, rtol=1e-9, atol=1e-9)
        assert before[2] == pytest.approx(features, abs=1e-9)


@pytest.mark.parametrize(("name", "signature"), READY_SIGNATURES)
def test_ready_made_spaces_build(name: str, signature: Signature) -> None:
    space = ready_space(name)
    drawn = [space.default, *(space.sample(seed) for seed in range(5 if name != "nasbench201" else 2))]
    reasons = [space.check(architecture, signature) for architecture in drawn]
    assert reasons[0] is None and sum(reason is None for reason in reasons) >= len(drawn) // 2
    for architecture, reason in zip(drawn, reasons, strict=True):
        if reason is None:
            train_once(space.build(architecture, signature), signature)
        else:
            assert "cannot take an input of shape" in reason or "No path leads" in reason
            with pytest.raises(Unbuildable):
                space.build(architecture, signature)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 20), (3, 64, 64)])
def test_the_default_for_larger_images_halves_them_early_and_is_deeper(shape: tuple[int, ...]) -> None:
    signature = Signature(shape, 10, "image")
    space, small = ready_space("cnn", signature), ready_space("cnn", Signature((3, 8, 8), 10, "image"))
    assert space.default["stem/stride"] == 2 and small.default["stem/stride"] == 1
    assert space.default["stage2/depth"] == 2 and small.default["stage2/depth"] == 1
    assert space.check(space.default, signature) is None
    train_once(space.build(space.default, signature), signature)
    assert (space.hash, space.size) == (small.hash, small.size)
    assert small.default in space


def test_the_suggested_space_suits_the_kind_of_data() -> None:
    for signature, name in (
        (Signature((9,), 2, "table"), "mlp"),
        (Signature((3, 16, 16), 4, "image"), "cnn"),
        (Signature((2, 50), 4, "series"), "conv1d"),
    ):
        space = ready_space(suggested_space(signature), signature)
        assert space.name == name and space.check(space.default, signature) is None
        assert space.hash == READY[name]().hash
    with pytest.raises(SpaceError, match="no ready-made space 'vgg': take one of mlp, cnn"):
        ready_space("vgg")


IMAGE = Signature((3, 8, 8), 5, "image")


@pytest.mark.parametrize(
    ("root", "signature", "reason"),
    [
        (Chain(zero(), head()), TABLE, "No path leads from the network's input to its output."),
        (Cell(3, zero()), TABLE, "No path leads"),
        (dense(7), TABLE, r"returns the shape \(7,\), but the task asks for \(2,\)"),
        (Chain(conv(8, 3), global_pool("mean"), head()), TABLE, r"'conv' cannot take an input of shape \(3,\)"),
        (Chain(*[max_pool(2)] * 4, flatten(), head()), IMAGE, r"'max_pool' cannot take an input of shape \(3, 1, 1\)"),
        (Chain(Sum(dense(3), dense(4)), head()), TABLE, r"branches of a Sum have different shapes: \[\(3,\), \(4,\)\]"),
        (Chain(Concat(conv(8, 3), max_pool(2)), head()), IMAGE, "branches of a Concat have shapes that do not fit"),
        (Chain(Residual(flatten()), head()), IMAGE, r"No shortcut leads from the shape \(3, 8, 8\) to \(192,\)"),
        (Chain(Residual(layer(nn.Conv2d)(3, 4, 3)), head()), IMAGE, r"No shortcut leads .* to \(4, 6, 6\)"),
        (Chain(Repeat(expand(2), 2, share_weights=True)), IMAGE, "turns .* the shapes must agree"),
        (Chain(dropout(1.5), head()), TABLE, "dropout probability has to be between 0 and 1"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(root: Node, signature: Signature, reason: str) -> None:
    space = Space(root)
    found = space.check(space.default, signature)
    assert found is not None
    with pytest.raises(Unbuildable, match=reason):
        space.build(space.default, signature)


def test_shortcuts_project_where_the_shape_changes() -> None:
    space = Space(Chain(Residual(conv(8, 3, Choice("stride", [1, 2]))), global_pool("mean"), head()))
    plain = Space(Chain(conv(8, 3, Choice("stride", [1, 2])), global_pool("mean"), head()))
    for stride in (1, 2):
        one = Architecture({"stride": stride})
        assert space.cost(one, IMAGE).parameters - plain.cost(one, IMAGE).parameters == 3 * 8
        train_once(space.build(one, IMAGE), IMAGE)
    same = Space(Chain(Residual(conv(3, 3)), global_pool("mean"), head()))
    assert same.cost(same.default, IMAGE).parameters == 3 * 3 * 9 + 3 * 5 + 5


def test_places_of_a_shared_part_have_weights_of_their_own() -> None:
    part = Shared(dense(Choice("width", [3, 4])), "part")
    space = Space(Chain(part, relu(), part, head()))
    assert space.size == 2
    assert space.cost(Architecture({"/part/width": 4}), TABLE).parameters == (3 + 1) * 4 + (4 + 1) * 4 + (4 + 1) * 2


def test_fresh_weights_come_from_the_generator_of_torch_whatever_was_asked_before() -> None:
    space = READY["mlp"]()
    signature = Signature((6,), 3, "table")
    torch.manual_seed(3)
    first = space.build(space.default, signature).state_dict()
    torch.manual_seed(3)
    fresh = READY["mlp"]()
    (
        fresh.check(fresh.default, signature),
        fresh.cost(fresh.default, signature),
        fresh.features(fresh.default, signature),
    )
    second = fresh.build(fresh.default, signature).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


class Looking(nn.Module):
    """A layer that shapes alone cannot run: it looks at values, and holds an array of its own."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape))
        self.table = torch.frombuffer(bytearray(4 * shape[0]), dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.table if float(x.sum()) > 0 else x - self.weight


def test_layers_that_look_at_values_are_run_on_numbers() -> None:
    space = Space(Chain(layer(Looking)(), head()))
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    assert space.check(space.default, TABLE) is None
    assert space.cost(space.default, TABLE).parameters == 3 + 8
    assert torch.equal(state, torch.random.get_rng_state())
    train_once(space.build(space.default, TABLE), TABLE)


def test_parts_that_are_none_are_refused_where_the_space_is_made() -> None:
    for wrong in (nn.ReLU(), nn.ReLU, relu, 3, Choice("width", [1, 2]), Choice("op", [relu(), 3])):
        for make in (Chain, Sum, Residual, lambda part: Repeat(part, 2), lambda part: Cell(3, part)):
            with pytest.raises(SpaceError, match="is no part of a network: make a module's class"):
                make(wrong)
    for call, message in (
        (lambda: dense(), r"The layer 'dense' takes \(width: .*\): missing a required argument"),
        (lambda: dense(3, 4), "too many positional arguments"),
        (lambda: dense(nn.ReLU), "as the attribute 'width' of the layer 'dense': it takes finite numbers"),
        (
            lambda: dense(Choice("width", [relu()])),
            "as the attribute 'width' of the layer 'dense': it takes finite numbers",
        ),
        (lambda: Repeat(relu(), -1), "whole numbers from 0 up"),
        (lambda: Repeat(relu(), Choice("n", [1, 2.0])), "whole numbers from 0 up"),
        (lambda: Repeat(relu(), 2, tied=False, share_weights=True), "needs tied=True"),
        (lambda: Cell(Choice("n", [1, 2]), relu()), "at least 2 nodes"),
        (lambda: Residual(relu(), when="no"), "True, False or a Choice among them"),
        (lambda: Choice("op", []), "needs at least one option"),
        (lambda: Choice("a/b", [1]), "needs a name without"),
        (lambda: Choice("op", [relu(), relu()]), r"Two options of the choice 'op' are called 'activation\(relu\)'"),
        (lambda: Choice("op", [1, True]), "are called True"),
        (lambda: Choice("op", [0.5, float("inf")]), "finite numbers"),
        (lambda: Choice("op", [1, 2], default=3), r"has no option 3: take one of \[1, 2\]"),
        (lambda: Choice("op", [Chain(Choice("x", [relu()]))]), "needs a name"),
        (lambda: layer(partial(nn.ReLU)), "A layer needs a callable, and a name"),
        (lambda: layer(3, name="three"), "A layer needs a callable"),
        (lambda: Space(nn.ReLU()), "A space is made of parts"),
        (lambda: Space(Settings(a=1)).plan(Architecture({}), TABLE), "Settings are no network"),
        (lambda: Space(relu()).values(Architecture({})), "describes a network, which has no values"),
    ):
        with pytest.raises(SpaceError, match=message):
            call()


def test_clashes_of_paths_are_refused_with_the_remedy() -> None:
    width = Choice("width", [1, 2])
    for root in (
        Chain(dense(width), dense(width)),
        Chain(dense(width, called="a"), Chain(dense(Choice("width", [3, 4])), name="a")),
        Sum(dense(width), Chain(dense(width), dense(width))),
        Shared(Chain(dense(width), dense(width)), "part"),
        Chain(Repeat(dense(width), 2, tied=False), Chain(dense(width), name="0")),
    ):
        with pytest.raises(SpaceError, match=r"Two choices have the path .* give the parts around them names .* share"):
            Space(root)
    with pytest.raises(SpaceError, match="Two different things are shared as '/act'"):
        Space(Chain(*(dense(Choice("act", [1, 2], shared=True)) for _ in range(2))))
    with pytest.raises(SpaceError, match="Two different things are shared as '/part/'"):
        Space(Chain(Shared(dense(Choice("a", [1, 2])), "part"), Shared(dense(Choice("b", [1, 2])), "part")))
    with pytest.raises(SpaceError, match="A part needs a name without"):
        Space(Chain(dense(width), name="a/b"))
    assert Space(Chain(Chain(dense(width), name="a"), Chain(dense(width), name="b"))).size == 4
    assert Space(Chain(identity(), Shared(dense(width), "s"), Shared(dense(width), "t"))).size == 4
