"""What a search says of past tasks when it begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import archwise
from archwise.experience import Experience
from archwise.progress import Listener
from archwise.run import Run
from archwise.session import joint_space, register
from archwise.settings import SearchSettings
from archwise.tasks.load import make_task
from archwise.tasks.task import Task
from archwise.trial import Outcome, Trial


class Enough(Exception):
    """Raised in place of starting workers."""


class Beginning(Listener):
    """Keeps what is said when a search begins."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def began(self, run: Run, task: Task, trials: list[Trial]) -> None:
        self.said.append(task.name)

    def note(self, text: str) -> None:
        self.said.append(text)


def test_what_is_known_of_past_tasks_is_said_when_a_search_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "experience.sqlite"
    task = make_task("iris", folder=tmp_path / "task")
    settings = SearchSettings(None, 3, "random", "mlp", "accuracy", 0, 1, epochs=1.0)
    space = joint_space(task, settings, None)
    with Experience(place) as memory:
        search = register(memory, task, space, settings, tmp_path)
        for number in range(3):
            trial = Trial(number, space.sample(number), 1.0, 0, Outcome("finished", 0.5 + 0.1 * number))
            memory.add_trial(search, trial, *space.key(trial.candidate))

    def stop(*_: Any, **__: Any) -> None:
        raise Enough

    monkeypatch.setattr("archwise.session.WorkerPool", stop)

    def began(**options: Any) -> tuple[list[str], dict[str, Any]]:
        listener, run = Beginning(), tmp_path / f"{len(list(tmp_path.iterdir()))}"
        with pytest.raises(Enough):
            archwise.search("iris", trials=3, workers=1, experience=place, run=run, listener=listener, **options)
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
