from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from archwise.evaluators.checkpoint import (
    Progress,
    load_checkpoint,
    save_checkpoint,
    save_weights,
    training_key,
)
from archwise.evaluators.job import TrainingJob
from archwise.trial import CurvePoint


@pytest.fixture
def saved(path):
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4))
    model = model.to(memory_format=torch.channels_last)
    progress = Progress(
        interval=2,
        curve=[CurvePoint(0.1, 1 / 3, 2.0, 1.9, 0.4), CurvePoint(0.2, 0.7, 1.0, float("nan"), 0.1 + 0.2)],
        best=1,
        improved=1,
        best_weights={"0.bias": torch.rand(4)},
        best_outputs=torch.rand(7, 3),
        memory_bytes=99,
    )
    optimizer = {"0/exp_avg": torch.rand(4, 2, 3, 3), "0/step": torch.tensor(12.0)}
    save_checkpoint(path("c.safetensors"), "key", progress, model.state_dict(), optimizer)
    return path("c.safetensors"), progress, model, optimizer


def test_everything_comes_back_bit_for_bit(saved):
    file, progress, model, optimizer = saved
    found, weights, state = load_checkpoint(file, "key", latest=2)
    assert repr(found.curve) == repr(progress.curve)  # repr, since NaN differs from itself
    for name in ("interval", "best", "improved", "memory_bytes"):
        assert getattr(found, name) == getattr(progress, name)
    assert torch.equal(found.best_outputs, progress.best_outputs)
    for mine, theirs in (
        (weights, model.state_dict()),
        (state, optimizer),
        (found.best_weights, progress.best_weights),
    ):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], tensor) for name, tensor in theirs.items())


def test_what_does_not_fit_is_no_checkpoint(saved, path):
    file, *_ = saved
    assert load_checkpoint(path("missing"), "key", 9) is None
    assert load_checkpoint(file, "another key", 9) is None
    assert load_checkpoint(file, "key", latest=1) is None


def test_a_damaged_file_is_no_checkpoint(saved, path):
    content = Path(saved[0]).read_bytes()
    for length in range(0, len(content), 37):
        Path(path("damaged")).write_bytes(content[:length])
        assert load_checkpoint(path("damaged"), "key", 9) is None
    Path(path("damaged")).write_bytes(content.replace(b"improved", b"imbroved"))
    assert load_checkpoint(path("damaged"), "key", 9) is None


def test_the_key_sees_what_changes_a_training_and_nothing_else():
    job = TrainingJob("source", "folder", "accuracy", 3, {"learning_rate": 0.1}, seed=1)
    key = training_key(job, "print")
    for same in (
        {"fidelity": 0.5},
        {"resume_from": "a"},
        {"checkpoint_to": "b"},
        {"weights_to": "c"},
        {"seconds": 9.0},
        {"time_limit": 9.0},
        {"threads": 2},
        {"task": "elsewhere"},
        {"measure_latency": False},
    ):
        assert training_key(replace(job, **same), "print") == key
    for other in (
        {"source": "s"},
        {"objective": "f1"},
        {"epochs": 4},
        {"settings": {}},
        {"seed": 2},
        {"device": "cuda"},
        {"on": "train+validation"},
    ):
        assert training_key(replace(job, **other), "print") != key
    assert training_key(job, "another print") != key


def test_tied_weights_can_be_saved(path):
    layer = torch.nn.Linear(3, 3)
    model = torch.nn.Sequential(layer, layer)
    save_weights(path("w.safetensors"), model.state_dict())
    copy = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    copy.load_state_dict(load_file(path("w.safetensors")))
    assert torch.equal(copy[1].weight, layer.weight)
