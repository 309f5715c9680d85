"""Small searches that the tests of the loop share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import archwise
from archwise.result import Result

Searcher = Callable[..., Result]


@pytest.fixture
def small_search(tmp_path: Path) -> Searcher:
    """A search on iris with one worker and few epochs; every option can be overridden."""

    def run(data: Any = "iris", **options: Any) -> Result:
        number = len(list(tmp_path.glob("run-*")))
        defaults = {"trials": 6, "epochs": 5, "workers": 1, "experience": tmp_path / "experience.sqlite"}
        return archwise.search(data, **{"run": tmp_path / f"run-{number}", **defaults, **options})

    return run


def trial_facts(result: Result) -> list[tuple[Any, ...]]:
    """What must be equal in equal searches: everything but seconds."""
    columns = ["number", "purpose", "architecture", "recipe", "fidelity", "seed", "status", "score", "parent", "origin"]
    frame = result.trials[columns].astype(object)
    return [tuple(row) for row in frame.where(frame.notna(), None).itertuples(index=False)]
