"""An experience with one task and two spaces, and what the tests put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import CurvePoint, Outcome, Trial


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "experience.sqlite"


@pytest.fixture
def experience(file: Path) -> Iterator[Experience]:
    with Experience(file) as opened:
        yield opened


@pytest.fixture
def begin() -> Callable[..., str]:
    """Begin a search, adding its task and spaces."""

    def begin_search(experience: Experience, task: str = "digits", space: str = "cnn", **changes: Any) -> str:
        signature = Signature((1, 8, 8), 10, "image")
        sizes = {"train": 1149, "validation": 288, "test": 360}
        record = TaskRecord(f"print of {task}", task, "multiclass", signature, "accuracy", sizes)
        fields = {
            "task": experience.add_task(record),
            "space": experience.add_space(SpaceRecord(f"hash of {space}", space, {"choices": ["op", "depth"]})),
            "recipe_space": experience.add_space(SpaceRecord("hash of recipe", "recipe", {"choices": []})),
            "strategy": "random",
            "seed": 0,
            "objective": "accuracy",
            "versions": {"python": "3.11"},
            "hardware": {"cores": 2},
        }
        return experience.begin_search(SearchRecord(**fields | changes))

    return begin_search


@pytest.fixture
def make_trial() -> Callable[..., Trial]:
    """Make a finished trial, different for each number."""

    def make(number: int, **changes: Any) -> Trial:
        candidate = Candidate(Architecture({"op": "conv", "depth": number}), Architecture({"learning_rate": 1e-3}))
        score = 1 - 1 / (number + 2)
        curve = (CurvePoint(0.5, 1.5, 2.0, 1.0, score / 2), CurvePoint(1.0, 3.0, 1.0, 0.5, score))
        outcome = Outcome("finished", score, {"accuracy": score}, {"parameters": 1000 + number}, curve)
        fields = {"number": number, "candidate": candidate, "fidelity": 1.0, "seed": number, "outcome": outcome}
        return Trial(**fields | changes)

    return make
