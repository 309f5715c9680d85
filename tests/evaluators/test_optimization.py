from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from archwise.evaluators.optimization import CLIP_NORM, Optimizer


def data(scale=1.0):
    generator = torch.Generator().manual_seed(0)
    return scale * torch.randn(16, 4, generator=generator), torch.randn(16, 2, generator=generator)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def learn(model, optimizer, steps, scale=1.0):
    x, y = data(scale)
    for step in range(steps):
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step(1 / (step + 1))


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_step_is_that_of_torch_with_decay_on_matrices_alone(name):
    mine, theirs = network(), network()
    learn(mine, Optimizer(mine, {"optimizer": name, "learning_rate": 0.05, "weight_decay": 0.1}), 5)
    groups = [
        {"params": [theirs[0].weight, theirs[2].weight], "weight_decay": 0.1},
        {"params": [theirs[0].bias, theirs[2].bias], "weight_decay": 0.0},
    ]
    reference = (
        torch.optim.AdamW(groups, lr=0.05)
        if name == "adamw"
        else torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True)
    )
    x, y = data()
    for step in range(5):
        for group in reference.param_groups:
            group["lr"] = 0.05 / (step + 1)
        reference.zero_grad()
        nn.functional.mse_loss(theirs(x), y).backward()
        reference.step()
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_restored_state_goes_on_bit_for_bit(name):
    settings = {"optimizer": name, "learning_rate": 0.05}
    model = network()
    optimizer = Optimizer(model, settings)
    learn(model, optimizer, 3)
    twin = copy.deepcopy(model)
    restored = Optimizer(twin, settings)
    restored.load_state({key: tensor.clone() for key, tensor in optimizer.state().items()})
    learn(model, optimizer, 3)
    learn(twin, restored, 3)
    forgetful = copy.deepcopy(network())
    learn(forgetful, Optimizer(forgetful, settings), 3)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
    assert not torch.equal(forgetful[0].weight, model[0].weight)


def test_long_gradients_are_shortened():
    model = network()
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = Optimizer(model, {"optimizer": "sgd", "learning_rate": 1.0})
    x, y = data(scale=1e4)
    (1e4 * nn.functional.mse_loss(model(x), y)).backward()
    optimizer.step(1.0)
    moved = torch.cat([(a - b).flatten() for a, b in zip(model.parameters(), before, strict=True)])
    # The first Nesterov step is (1 + 0.9) times the gradient.
    assert moved.norm().item() == pytest.approx(1.9 * CLIP_NORM, rel=1e-3)


def test_frozen_parameters_stay():
    model = network()
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    learn(model, Optimizer(model, {"weight_decay": 0.5}), 2)
    assert torch.equal(model[0].weight, before)


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match="'adam' is unknown: choose adamw or sgd"):
        Optimizer(network(), {"optimizer": "adam"})
