"""Fixtures of the report's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .run_folders import build_run

Builder = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> Builder:
    """A function that leaves a run folder under `tmp_path` and returns its path; see `build_run`."""

    def make(**settings: Any) -> Path:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return build_run(folder, **settings)

    return make
