"""Children that start from their parents' weights: the same function where that can be, a better start elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.evaluators.test_continuing import essence, stations, straight
from torch import Tensor, nn

from archwise.evaluators.inheritance import Inheritance, inherit
from archwise.evaluators.training import train
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, Concat, Space, Sum, zero
from archwise.spaces.architecture import Architecture
from archwise.spaces.parts import conv, conv_norm, dense, flatten, global_pool, head, max_pool, relu
from archwise.spaces.ready import ready_space

SIGNATURES = {
    "mlp": Signature((20,), 4, "table"),
    "cnn": Signature((3, 16, 16), 5, "image"),
    "conv1d": Signature((3, 40), 5, "series"),
    "cell": Signature((3, 8, 8), 5, "image"),
}


def trained(network: nn.Module) -> nn.Module:
    """Give a network weights and statistics as a trained one has them."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor, least, most in ((module.running_mean, -0.5, 0.5), (module.running_var, 0.5, 2.0)):
                nn.init.uniform_(tensor, least, most)
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return network


def heir(
    space: Space, signature: Signature, before: Architecture, after: Architecture
) -> tuple[Inheritance, float, nn.Module]:
    """Let one architecture inherit from another; return what it got, how far the outputs are apart, and the child."""
    torch.manual_seed(0)
    parent, child = trained(space.build(before, signature)), space.build(after, signature)
    x = torch.randn(64, *signature.input)
    found = inherit(child, parent, x)
    return found, distance(parent, child, x), child


@torch.no_grad()
def distance(parent: nn.Module, child: nn.Module, x: Tensor) -> float:
    return float((parent.eval()(x) - child.eval()(x)).abs().max())


def default_with(space: Space, choices: dict[str, Any]) -> Architecture:
    return space.fix(choices).default


PLAIN = {"dropout": "none"}
PRESERVING = [
    ("mlp", {"depth": 1}, {"0/width": 512}),
    ("mlp", {"0/width": 64, "1/width": 64}, {"0/width": 128}),
    ("mlp", {"0/width": 32, "normalisation": "layer"}, {"0/width": 64}),
    ("mlp", {"residual": True}, {"0/width": 256}),
    ("mlp", {"depth": 2}, {"depth": 3}),
    ("mlp", {"depth": 2, "normalisation": "none"}, {"depth": 4}),
    ("mlp", {"residual": True, "activation": "gelu"}, {"depth": 3, "2/width": 256}),
    ("mlp", {"normalisation": "none"}, {"normalisation": "batch"}),
    ("mlp", {"dropout": "none"}, {"dropout": "0.3"}),
    ("cnn", {"stage1/block=conv/kernel": 3}, {"stage1/block=conv/kernel": 5}),
    ("cnn", {"stem/width": 16}, {"stem/width": 48}),
    ("cnn", {"skip": True}, {"stage2/block=conv/width": 96}),
    ("cnn", {"attention": "squeeze_excitation"}, {"stage1/block=conv/width": 64}),
    ("cnn", {"block": "bottleneck", "expansion": 2}, {"expansion": 4}),
    ("cnn", {"block": "bottleneck", "stage1/block=bottleneck/kernel": 3}, {"stage1/block=bottleneck/kernel": 5}),
    ("cnn", {"stage1/depth": 1}, {"stage1/depth": 3}),
    ("cnn", {"stage1/depth": 1, "skip": True}, {"stage1/depth": 2}),
    ("cnn", {"block": "bottleneck", "skip": True, "stage2/depth": 1}, {"stage2/depth": 2}),
    ("cnn", {"global_pool": "mean"}, {"global_pool": "both"}),
    ("conv1d", {"stage1/block=conv/kernel": 3}, {"stage1/block=conv/kernel": 15}),
    ("conv1d", {"stage1/depth": 1}, {"stage1/depth": 2, "stem/width": 64}),
    ("cell", {"width": 8}, {"width": 32}),
]
CHANGING = [
    ("mlp", {"0/width": 64}, {"0/width": 32}),
    ("mlp", {"depth": 3}, {"depth": 2}),
    ("mlp", {"depth": 0}, {"depth": 1}),
    ("mlp", {"activation": "relu"}, {"activation": "gelu"}),
    ("mlp", {"0/width": 32, "1/width": 32, "residual": False}, {"residual": True}),
    ("mlp", {"0/width": 64, "normalisation": "layer"}, {"normalisation": "batch"}),
    ("cnn", {"stage1/block=conv/kernel": 5}, {"stage1/block=conv/kernel": 3}),
    ("cnn", {"pool1": "max"}, {"pool1": "mean"}),
    ("cnn", {"stem/stride": 1}, {"stem/stride": 2}),
    ("cnn", {"stage1/block": "conv"}, {"stage1/block": "bottleneck"}),
    ("cnn", {"stage2/attention": "none"}, {"stage2/attention": "squeeze_excitation"}),
]


@pytest.mark.parametrize(("name", "before", "change"), PRESERVING)
def test_these_edits_preserve_the_function(name: str, before: dict[str, Any], change: dict[str, Any]) -> None:
    space = ready_space(name, SIGNATURES[name])
    parent, child = default_with(space, before), default_with(space, {**before, **change})
    assert parent != child
    found, apart, network = heir(space, SIGNATURES[name], parent, child)
    assert found.preserved and apart < 1e-5
    assert 0 < found.share <= 1
    assert all(torch.isfinite(weight).all() for weight in network.state_dict().values())


@pytest.mark.parametrize(("name", "before", "change"), CHANGING)
def test_what_cannot_preserve_the_function_says_so(name: str, before: dict[str, Any], change: dict[str, Any]) -> None:
    space = ready_space(name, SIGNATURES[name])
    parent, child = default_with(space, before), default_with(space, {**before, **change})
    found, apart, _ = heir(space, SIGNATURES[name], parent, child)
    assert not found.preserved and apart > 1e-3
    assert found.share > 0


@pytest.mark.parametrize("name", SIGNATURES)
def test_any_edit_of_any_network_says_truly_whether_it_preserves(name: str) -> None:
    space, signature = ready_space(name, SIGNATURES[name]), SIGNATURES[name]
    preserved = 0
    for seed in range(10):
        parent = space.sample(seed)
        child = space.mutate(parent, seed)
        if space.check(parent, signature) or space.check(child, signature):
            continue
        found, apart, _ = heir(space, signature, parent, child)
        assert not found.preserved or apart < 1e-4, (parent, child)
        preserved += found.preserved
    assert preserved


@pytest.mark.parametrize("name", SIGNATURES)
def test_two_networks_far_apart_still_have_something_in_common(name: str) -> None:
    space, signature = ready_space(name, SIGNATURES[name]), SIGNATURES[name]
    shares = []
    for seed in range(8):
        parent, child = space.sample(seed), space.sample(seed + 100)
        if not space.check(parent, signature) and not space.check(child, signature):
            found, _, network = heir(space, signature, parent, child)
            shares.append(found.share)
            assert all(torch.isfinite(weight).all() for weight in network.state_dict().values())
    assert shares and 0 < np.mean(shares) <= 1


def test_the_same_network_inherits_everything() -> None:
    for name, signature in SIGNATURES.items():
        space = ready_space(name, signature)
        found, apart, _ = heir(space, signature, space.default, space.default)
        assert found == (1.0, True) and apart < 1e-5


# ------------------------------------------------------------------ a space of one's own

IMAGES = Signature((1, 8, 8), 3, "image")


class Gate(nn.Module):
    """A layer of one's own, with weights."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.gate = nn.Linear(shape[0], shape[0])

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x))


class BothSides(nn.Module):
    """A layer of one's own without weights that changes the number of channels."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.relu(x), torch.relu(-x)], dim=1)


def own_space() -> Space:
    from archwise.spaces import layer

    branch = Choice("branch", [zero(called="none"), conv_norm(8, 3, name="conv")])
    tower = Choice("tower", [zero(called="none"), conv(4, 3, called="conv")])
    return Space(
        Chain(
            conv(Choice("first", [4, 8]), Choice("kernel", [1, 3])),
            layer(BothSides)(),
            Concat(conv(4, 3), tower),
            Sum(conv(8, 1), branch),
            max_pool(2),
            flatten(),
            dense(Choice("width", [8, 20])),
            layer(Gate)(),
            head(),
        ),
        "own",
    )


@pytest.mark.parametrize(
    ("before", "change", "preserved"),
    [
        ({"first": 4}, {"first": 8}, True),
        ({"kernel": 1}, {"kernel": 3}, True),
        ({"tower": "none"}, {}, True),
        ({"branch": "none"}, {"first": 8}, True),
        ({"width": 8}, {"width": 20}, False),
        ({"branch": "none"}, {"branch": "conv"}, False),
    ],
)
def test_layers_of_ones_own(before: dict[str, Any], change: dict[str, Any], preserved: bool) -> None:
    space = own_space()
    found, apart, _ = heir(space, IMAGES, default_with(space, before), default_with(space, {**before, **change}))
    assert found.preserved == preserved == (apart < 1e-5)


def test_new_branches_begin_at_nothing_and_can_learn() -> None:
    branches = [conv(8, 3), Choice("second", [zero(called="none"), conv_norm(8, 3, name="conv")])]
    for joined in (Sum(conv(8, 1), *branches), Concat(conv(8, 1), *branches)):
        space = Space(Chain(joined, relu(), global_pool("mean"), head()))
        found, apart, child = heir(
            space, IMAGES, default_with(space, {"second": "none"}), default_with(space, {"second": "conv"})
        )
        assert found.preserved and apart < 1e-5
        optimizer = torch.optim.Adam(child.train().parameters(), 0.01)
        before = [weight.clone() for weight in child.parameters()]
        for _ in range(5):
            optimizer.zero_grad()
            nn.functional.cross_entropy(child(torch.randn(32, 1, 8, 8)), torch.arange(32) % 3).backward()
            optimizer.step()
        assert all((now - was).abs().max() > 1e-4 for now, was in zip(child.parameters(), before, strict=True))


def test_copies_of_a_unit_learn_different_things() -> None:
    torch.manual_seed(0)
    parent = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    child = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = torch.randn(64, 5), torch.randint(3, (64,))
    assert inherit(child, parent, x).preserved
    assert torch.equal(child[0].weight[:4], child[0].weight[4:])
    optimizer = torch.optim.Adam(child.parameters(), 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(child(x), y).backward()
        optimizer.step()
    assert (child[0].weight[:4] - child[0].weight[4:]).abs().amax(1).min() > 1e-3


def test_a_new_normalisation_changes_little_in_training_too() -> None:
    space = ready_space("mlp")
    before = default_with(space, {**PLAIN, "normalisation": "none"})
    after = default_with(space, {**PLAIN, "normalisation": "batch"})
    torch.manual_seed(0)
    signature = SIGNATURES["mlp"]
    parent, child = space.build(before, signature), space.build(after, signature)
    x = torch.randn(512, 20)
    inherit(child, parent, x)
    with torch.no_grad():
        assert torch.allclose(child.train()(x), parent.train()(x), atol=1e-3)


def test_what_is_drawn_follows_from_the_seed() -> None:
    parent, made = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), []
    for seed in (1, 1, 2):
        torch.manual_seed(0)
        child = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
        before = torch.get_rng_state()
        inherit(child, parent, torch.ones(4, 5), seed)
        assert torch.equal(torch.get_rng_state(), before)
        made.append(child[2].weight)
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_modes_and_the_parent_stay_as_they_were() -> None:
    parent, child = trained(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))), nn.Sequential(nn.Linear(3, 4))
    before = {name: value.clone() for name, value in parent.state_dict().items()}
    inherit(child.train(), parent.eval(), torch.ones(2, 3))
    assert child.training and not parent.training
    assert all(torch.equal(before[name], value) for name, value in parent.state_dict().items())


# ------------------------------------------------------------------ jobs

MLP = """
import torch.nn as nn


def build_model():
    layers = nn.Linear({inputs}, {width}), nn.BatchNorm1d({width}), nn.ReLU(), nn.Linear({width}, {outputs})
    return nn.Sequential(*layers)
"""
WINE = {"inputs": 13, "outputs": 3}


@pytest.fixture
def child_job(job, path):
    """A job that starts from the weights of a smaller network, trained."""
    parent = replace(job("wine"), source=MLP.format(width=16, **WINE), weights_to=path("parent.safetensors"))
    assert train(parent).status == "finished"
    source = MLP.format(width=48, **WINE)
    return replace(
        job("wine", source=source, seed=5), inherit_source=parent.source, inherit_weights=path("parent.safetensors")
    )


def test_a_child_begins_where_its_parent_ended(job, child_job):
    parent = train(replace(job("wine"), source=str(child_job.inherit_source)))
    child, fresh = train(child_job), train(replace(child_job, inherit_weights=None))
    assert child.curve[0].validation_loss < 1.3 * min(point.validation_loss for point in parent.curve)
    assert child.curve[0].validation_loss < 0.7 * fresh.curve[0].validation_loss
    assert child.costs["inherited"] == 1 and "inherited" not in fresh.costs


def test_a_continued_child_equals_one_that_never_stopped(child_job, path):
    expected = straight(child_job, path)
    assert stations(child_job, path, [1 / 9, 1 / 3, 1]) == expected
    # Without its state it starts from the same weights again.
    assert essence(train(replace(child_job, resume_from=path("missing")))) == expected[0]


def test_a_state_is_enough_to_continue_without_the_parents_weights(child_job, path):
    expected = essence(train(child_job))
    train(replace(child_job, fidelity=0.5, checkpoint_to=path("state")))
    Path(str(child_job.inherit_weights)).unlink()
    assert essence(train(replace(child_job, resume_from=path("state")))) == expected


def test_a_state_of_other_beginnings_is_no_use(child_job, path):
    scratch = replace(child_job, inherit_source=None, inherit_weights=None)
    train(replace(scratch, fidelity=0.5, checkpoint_to=path("state")))
    assert essence(train(replace(child_job, resume_from=path("state")))) == essence(train(child_job))
    assert essence(train(child_job)) != essence(train(scratch))


def test_weights_that_are_gone_or_broken_are_a_reason(child_job, path):
    Path(path("broken")).write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    for weights in (path("missing"), path("broken")):
        outcome = train(replace(child_job, inherit_weights=weights))
        assert outcome.status == "failed" and "weights to start from cannot be read" in outcome.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "before", "change"),
    [
        ("mlp", {}, {"0/width": 512}),
        ("mlp", {}, {"depth": 3}),
        ("mlp", {"depth": 3}, {"depth": 2}),
        ("mlp", {}, {"activation": "gelu"}),
        ("cnn", {}, {"stage1/depth": 2}),
        ("cnn", {}, {"stage1/block": "bottleneck"}),
        ("cnn", {}, {"attention": "squeeze_excitation"}),
        ("cell", {"depth": 1, "width": 8}, {"/stage/0->3/op": "skip"}),
    ],
)
def test_on_digits_a_child_starts_better_than_from_scratch(job, path, space, before, change):
    signature = Signature((1, 8, 8), 10, "image")
    network = ready_space(space, signature)
    settings = {"learning_rate": 3e-3, "weight_decay": 1e-2, "batch_size": 64}
    parent_source = network.source(default_with(network, before), signature)
    parent = replace(job("digits", epochs=3, settings=settings), source=parent_source)
    assert train(replace(parent, weights_to=path("parent"))).status == "finished"
    source = network.source(default_with(network, {**before, **change}), signature)
    starts, scratch = [], []
    for seed in (1, 2):
        fresh = replace(parent, source=source, epochs=1.0, seed=seed)
        child = replace(fresh, inherit_source=parent_source, inherit_weights=path("parent"))
        starts.append(train(child).score or 0.0)
        scratch.append(train(fresh).score or 0.0)
    assert np.mean(starts) > np.mean(scratch) + 0.01, (starts, scratch)


def test_the_evaluator_alone_has_no_weights_to_inherit(task_folder):
    from archwise.evaluators.evaluator import TrainingEvaluator
    from archwise.evaluators.recipe import training_recipe
    from archwise.spaces import JointSpace
    from archwise.tasks.task import Task
    from archwise.trial import Proposal

    space = JointSpace(ready_space("mlp"), training_recipe("table"))
    evaluator = TrainingEvaluator(space, "accuracy", 1.0)
    outcome = evaluator.evaluate(Proposal(space.default, inherits=3), Task.load(task_folder("wine")), 0)
    assert outcome.status == "failed" and "trial 3" in outcome.reason
