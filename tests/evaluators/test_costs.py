from __future__ import annotations

import pytest
import torch
from torch import nn

from archwise.evaluators import costs
from archwise.evaluators.failures import TrainingError


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5)
    )


def test_parameters_and_arithmetic_are_those_of_the_formulas():
    assert costs.parameters(network()) == (3 * 9 * 8 + 8) + 2 * 8 + (8 * 36 * 5 + 5)
    assert costs.flops(network(), torch.zeros(1, 3, 6, 6), 5) == 2 * (36 * 8 * 27 + 8 * 36 * 5)


def test_shared_parameters_count_once():
    layer = nn.Linear(4, 4)
    assert costs.parameters(nn.Sequential(layer, nn.ReLU(), layer)) == 20


def test_looking_changes_nothing():
    model = network().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    costs.flops(model, torch.randn(1, 3, 6, 6), 5)
    assert costs.latency_ms(model, torch.randn(1, 3, 6, 6)) > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training


def test_larger_networks_take_longer():
    small, large = nn.Linear(8, 8), nn.Sequential(*(nn.Linear(1024, 1024) for _ in range(8)))
    assert costs.latency_ms(small, torch.zeros(1, 8)) < costs.latency_ms(large, torch.zeros(1, 1024))


@pytest.mark.parametrize("model", [nn.Linear(3, 4), nn.Flatten(0), nn.LSTM(3, 2)])
def test_outputs_of_the_wrong_shape_are_refused(model):
    with pytest.raises(TrainingError, match=r"instead of \(1, 2\)"):
        costs.flops(model, torch.zeros(1, 3), 2)


def test_memory_of_a_step_grows_with_the_batch_and_leaves_the_gradients_alone():
    taken, gradients = {}, {}
    for batch in (4, 8):
        torch.manual_seed(0)
        model, x = network(), torch.randn(batch, 3, 6, 6)
        memory = costs.ActivationMemory(model)
        with memory.watch():
            loss = model(x).sum()
        loss.backward()
        taken[batch], gradients[batch] = memory.bytes, model[0].weight.grad
    # Kept for the backward pass: the input, three feature maps of which two may share memory.
    assert 4 * 36 * 4 * (3 + 2 * 8) <= taken[4] <= 4 * 36 * 4 * (3 + 3 * 8) + 1000
    assert 1.9 < taken[8] / taken[4] <= 2
    torch.manual_seed(0)
    model = network()
    model(torch.randn(8, 3, 6, 6)).sum().backward()
    assert torch.equal(model[0].weight.grad, gradients[8])
