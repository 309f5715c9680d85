"""A real task and real training jobs, well behaved and badly, for the tests of the runtime."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from archwise.evaluators.job import TrainingJob
from archwise.tasks.load import make_task

MakeJob = Callable[..., TrainingJob]


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a task: Fisher's iris flowers."""
    return make_task("iris", folder=tmp_path_factory.mktemp("tasks") / "iris").folder


@pytest.fixture(scope="session")
def make_job(iris: Path) -> MakeJob:
    """Make a job that trains a small network on iris, after `first` was executed in `build_model`."""

    def make(first: str = "", **changes: Any) -> TrainingJob:
        source = "import os, signal, subprocess, sys, time\nimport torch\ndef build_model():\n"
        source += textwrap.indent(textwrap.dedent(first), "    ")
        source += "\n    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))\n"
        settings = {"learning_rate": 0.02, "batch_size": 16}
        job = {"source": source, "task": str(iris), "objective": "accuracy", "epochs": 6, "settings": settings}
        return TrainingJob(**{**job, "measure_latency": False, **changes})

    return make


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
