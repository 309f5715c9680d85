"""Real tasks and small networks that the tests of the evaluators train."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archwise.evaluators.job import TrainingJob
from archwise.tasks.load import make_task

NETWORKS = {
    "mlp": """
import torch.nn as nn


def build_model():
    return nn.Sequential(
        nn.Linear({inputs}, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, {outputs})
    )
""",
    "conv": """
import torch.nn as nn


def block(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def build_model():
    return nn.Sequential(
        *block(1, 16), *block(16, 32), nn.MaxPool2d(2), *block(32, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(0.1), nn.Linear(64, 10),
    )
""",
}

SHAPES = {
    "wine": (13, 3, "accuracy"),
    "breast-cancer": (30, 2, "accuracy"),
    "diabetes": (10, 1, "rmse"),
    "digits": (64, 10, "accuracy"),
}


@pytest.fixture(scope="session")
def task_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Make a bundled set's task once and return its folder."""
    made: dict[str, str] = {}

    def folder(name: str) -> str:
        if name not in made:
            path = tmp_path_factory.mktemp("tasks") / name
            made[name] = str(make_task(name, folder=path).folder)
        return made[name]

    return folder


@pytest.fixture(scope="session")
def job(task_folder: Callable[[str], str]) -> Callable[..., TrainingJob]:
    """Make a training job for a bundled set: a small network, its objective, and what else is named."""

    def make(name: str, **changes: Any) -> TrainingJob:
        inputs, outputs, objective = SHAPES[name]
        network = "conv" if name == "digits" else "mlp"
        source = NETWORKS[network].replace("{inputs}", str(inputs)).replace("{outputs}", str(outputs))
        facts: dict[str, Any] = {
            "source": source,
            "task": task_folder(name),
            "objective": objective,
            "epochs": 10,
            "settings": {"learning_rate": 3e-3, "weight_decay": 1e-2, "warmup": 0.1, "batch_size": 32},
            "measure_latency": False,
        }
        return TrainingJob(**facts | changes)

    return make


@pytest.fixture
def path(tmp_path: Path) -> Callable[[str], str]:
    """Name a file in this test's own folder."""
    return lambda name: str(tmp_path / name)
