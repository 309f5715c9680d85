"""A Gaussian process with a meta-trained kernel, and what its networks share with others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import foreign
from tests.meta.conftest import known, like_tasks
from tests.meta.model_contract import NetworkContract, gains

from archwise.errors import ArchwiseError
from archwise.meta import learned_model
from archwise.meta.deep_kernel import DeepKernel
from archwise.meta.descent import descend
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.strategies import Strategy
from archwise.strategies.strategy import Situation


class TestDeepKernel(NetworkContract):
    def make(self) -> Strategy:
        return DeepKernel(like_tasks(), steps=3, tuning=1)


def test_it_is_better_than_from_scratch(hpobench_mlp):
    gained = gains(lambda past: DeepKernel(past, steps=100, tuning=10), hpobench_mlp, ("car", "phoneme"), 12)
    assert gained.mean() > 0.05


def test_past_tasks_teach_the_kernel(nasbench201):
    """Few trials of a new task predict the others better by a kernel that was meta-trained."""
    space, past = nasbench201.space, known(nasbench201, "cifar100")
    new = known(nasbench201, "cifar10", seed=3)[0]
    assert new.name == "cifar100"
    errors = []
    for steps in (1, 200):
        model = DeepKernel(past, steps=steps).learn(Sources(past, space))
        observed = model.observed(new.trials)
        rows, values = observed.some(np.arange(100))
        mean, deviation = model.kernel.predict(model.meta_train(), rows[:15], values[:15], rows[15:])
        errors.append(np.mean(((mean - values[15:]) / deviation) ** 2 / 2 + np.log(deviation)))
    assert errors[1] < errors[0] - 0.1


def test_predictions_are_those_of_a_gaussian_process():
    space = toys.layers()
    model = DeepKernel(like_tasks(), steps=3).learn(Sources(like_tasks(), space))
    parameters = model.meta_train()
    rows = model.rows([space.sample(seed) for seed in range(8)])
    values = np.linspace(-1, 1, 5)
    seen = model.kernel._seen(parameters, torch.from_numpy(rows)).numpy()
    length, scale, noise = np.exp(parameters[-3:].numpy() * [1, 2, 1])
    r = 5**0.5 * np.linalg.norm(seen[:, None] - seen[None], axis=2) / length
    kernel = scale * (1 + r + r**2 / 3) * np.exp(-r)
    inverse = np.linalg.inv(kernel[:5, :5] + noise * np.eye(5))
    mean, deviation = model.kernel.predict(parameters, rows[:5], values, rows[5:])
    assert np.allclose(mean, kernel[5:, :5] @ inverse @ values, atol=1e-4)
    variance = np.diag(kernel[5:, 5:] - kernel[5:, :5] @ inverse @ kernel[:5, 5:])
    assert np.allclose(deviation**2, variance, atol=1e-4)


def test_missing_trials_of_a_stack_change_no_likelihood():
    model = DeepKernel(like_tasks(), steps=3).learn(Sources(like_tasks(), toys.layers()))
    parameters = model.meta_train()
    rows, values = torch.from_numpy(model.tasks[0].rows[None, :6]), torch.linspace(-1, 1, 6).double()[None]
    whole = model.kernel.loss(parameters, rows[:, :4], values[:, :4], torch.ones(1, 4).double())
    known = torch.tensor([[1.0, 1, 1, 1, 0, 0]]).double()
    assert torch.isclose(model.kernel.loss(parameters, rows, values * known, known), whole)


def test_tuning_makes_the_trials_likelier():
    trials = foreign(toys.layers(), 12, seed=3)
    model = DeepKernel(like_tasks(), steps=20).learn(Sources(like_tasks(), toys.layers()))
    now = Situation(toys.layers(), [replace(trial, number=12 + trial.number) for trial in trials], [], set(), 12, 0)
    rows, values = model.observed(now.own).some(np.arange(12))
    stack = torch.from_numpy(rows)[None], torch.from_numpy(values)[None], torch.ones(1, 12).double()
    assert model.kernel.loss(model.tuned(now), *stack) < model.kernel.loss(model.meta_train(), *stack) - 0.02


def test_descent_stops_where_what_is_held_out_is_best():
    seen: list[float] = []

    def held_out(vector: torch.Tensor) -> torch.Tensor:
        seen.append(float(vector))
        return (vector - 1).abs().sum()

    found = descend(lambda x: ((x - 3) ** 2).sum(), torch.zeros(1), 400, 0.03, held_out)
    assert float(found) == min(seen, key=lambda value: abs(value - 1))
    assert seen[-1] > 2 and abs(float(found) - 1) < 0.4


def test_where_past_tasks_have_no_trials_of_the_space_it_goes_on_from_scratch(monkeypatch):
    """So it is where they were searched in a space that shares layers with this one."""
    sources = Sources(like_tasks(), toys.cells())
    sources.used = [PastTask("elsewhere", foreign(toys.layers(), 20))] * len(sources.used)
    monkeypatch.setattr(learned_model, "Sources", lambda past, space: sources)
    trials = simulate(lambda: DeepKernel(like_tasks()), toys.cells(), 8)
    assert trials[0].origin == "promised by past tasks"
    assert {trial.origin for trial in trials[5:]} == {"largest expected improvement"}


def test_settings_that_make_no_sense_are_refused():
    for settings in ({"steps": 0}, {"tuning": -1}):
        with pytest.raises(ArchwiseError, match="1 step of meta-training"):
            DeepKernel([], **settings)
