"""Small searches that the tests of the loop share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archwise
from archwise.clock import Clock
from archwise.evaluators.recipe import training_recipe
from archwise.experience import Experience
from archwise.loop import Search
from archwise.progress import Listener
from archwise.result import Result
from archwise.run import Run
from archwise.session import register
from archwise.settings import SearchSettings
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.mlp import mlp
from archwise.strategies import RandomSearch
from archwise.tasks.load import make_task
from archwise.trial import CurvePoint, Outcome, Trial

Searcher = Callable[..., Result]
Maker = Callable[..., Search]


@pytest.fixture
def small_search(tmp_path: Path) -> Searcher:
    """A search on iris with one worker and few epochs, which knows of no other; every option can be overridden."""

    def run(data: Any = "iris", **options: Any) -> Result:
        number = len(list(tmp_path.glob("run-*")))
        defaults = {"trials": 6, "epochs": 5, "workers": 1, "experience": tmp_path / f"known-{number}.sqlite"}
        return archwise.search(data, **{"run": tmp_path / f"run-{number}", **defaults, **options})

    return run


def trial_facts(result: Result) -> list[tuple[Any, ...]]:
    """What must be equal in equal searches: everything but seconds."""
    columns = ["number", "purpose", "architecture", "recipe", "fidelity", "seed", "status", "score", "parent", "origin"]
    frame = result.trials[columns].astype(object)
    return [tuple(row) for row in frame.where(frame.notna(), None).itertuples(index=False)]


@pytest.fixture
def make_search(tmp_path: Path) -> Iterator[Maker]:
    """A search on iris in which nothing has been tried."""
    task = make_task("iris", folder=tmp_path / "run" / "task")
    space = JointSpace(mlp(), training_recipe("table"), task.signature)
    with Experience(tmp_path / "experience.sqlite") as memory:

        def make(minutes: float | None = None, epochs: float = 150.0, workers: int = 2) -> Search:
            settings = SearchSettings(minutes, None, "random", "mlp", "accuracy", 0, workers, epochs=epochs)
            identity = register(memory, task, space, settings, tmp_path / "run")
            run = Run.create(tmp_path / "run", settings, identity, memory.location, {})
            return Search(run, task, space, space.default, RandomSearch(), memory, Clock(minutes), Listener())

        yield make


def add_trial(
    search: Search,
    candidate: Candidate,
    score: float | None,
    *,
    seed: int = 0,
    fidelity: float = 1.0,
    full: float = 1.0,
) -> None:
    """Add a trial as if it had been made.

    A `seed` above 0 makes it one of the finalists' evaluations; `full` is the seconds of a full training.
    """
    curve = (CurvePoint(fidelity, full * fidelity, 0.5, 0.5, score or 0.0),)
    costs = {"best_fidelity": 1.0, "parameters": 10.0}
    outcome = Outcome("failed", reason="diverged")
    if score is not None:
        outcome = Outcome("finished", score, {"accuracy": score}, costs, curve)
    group = search.confirmations if seed else search.trials
    trial = Trial(len(group), candidate, fidelity, seed, outcome)
    group.append(replace(trial, purpose="confirm") if seed else trial)
    search._learn_seconds(trial)


def candidates(search: Search, count: int) -> list[Candidate]:
    found = {search.space.key(c): c for c in (search.space.sample(i) for i in range(100))}
    return list(found.values())[:count]
