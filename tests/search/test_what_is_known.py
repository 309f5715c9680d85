"""What a search says of past tasks when it begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import archwise
from archwise.progress import Listener
from archwise.run import Run
from archwise.tasks.task import Task
from archwise.trial import Trial

from .conftest import Searcher


class Enough(Exception):
    """Raised where the first stage begins."""


class Beginning(Listener):
    """Keeps what is said when a search begins, and stops it then."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def began(self, run: Run, task: Task, trials: list[Trial]) -> None:
        self.said.append(task.name)

    def note(self, text: str) -> None:
        self.said.append(text)

    def stage(self, name: str, expected: int | None) -> None:
        raise Enough


def test_what_is_known_of_past_tasks_is_said_when_a_search_begins(small_search: Searcher, tmp_path: Path) -> None:
    memory = tmp_path / "experience.sqlite"
    small_search(trials=3, epochs=1, strategy="random", experience=memory)

    def began(**options: Any) -> tuple[list[str], dict[str, Any]]:
        listener, run = Beginning(), tmp_path / f"{len(list(tmp_path.iterdir()))}"
        with pytest.raises(Enough):
            archwise.search("iris", trials=3, workers=1, experience=memory, run=run, listener=listener, **options)
        return listener.said, json.loads((run / "run.json").read_text())

    said, run = began(strategy="rgpe")
    assert said == [
        "iris",
        "It knows a past task in this space (iris).",
        "The same data was searched before (iris), perhaps with other splits, so the test figure may flatter a little.",
    ]
    assert not run["leave_out_same_data"]
    said, run = began(leave_out_same_data=True)
    assert said == ["iris", "Past tasks with some of the same data were left out (iris)."]
    assert run["leave_out_same_data"] and run["strategy"]["name"] == "bayesian"
    said, run = began(leave_out_same_data=True, minimise=["parameters"])
    words = "o past task had to be left out for holding the same data, as this search is shown none"
    assert said == ["iris", f"N{words}."]
    assert run["leave_out_same_data"] and run["strategy"]["why"].endswith(f"; n{words}")
