"""A task is read back as it was written, and what is no task is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archwise.errors import DataError
from archwise.tasks.load import make_task
from archwise.tasks.task import Task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task("diabetes", folder=tmp_path / "task", seed=9)


def test_round_trip_and_moving(task: Task, tmp_path: Path) -> None:
    assert Task.load(task.folder) == Task.load(str(task.folder)) == task
    moved = task.folder.rename(tmp_path / "elsewhere")
    again = Task.load(moved)
    assert again.folder == moved and again.to_json() == task.to_json() and again.seed == 9
    assert len(again.arrays("train")[0]) == again.sizes["train"]


def test_arrays_are_mapped_and_read_only(task: Task) -> None:
    x, y = task.arrays("train")
    assert isinstance(x, np.memmap) and isinstance(y, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 0


def test_the_target_can_be_had_back(task: Task) -> None:
    from sklearn.datasets import load_diabetes

    rows = np.load(task.folder / "splits.npz")["test"]
    given = task.open_test()[1] * task.target_scale + task.target_mean
    np.testing.assert_allclose(given, load_diabetes().target[rows], rtol=1e-4)


def test_what_is_no_task(task: Task, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no task in"):
        Task.load(tmp_path / "nothing")
    meta = json.loads((task.folder / "task.json").read_text())
    for content, said in (
        ("{", "cannot be read as a task"),
        ("[]", "cannot be read as a task"),
        (json.dumps({k: v for k, v in meta.items() if k != "classes"}), "classes"),
        (json.dumps(meta | {"format": 99}), "newer archwise"),
    ):
        (task.folder / "task.json").write_text(content)
        with pytest.raises(DataError, match=said):
            Task.load(task.folder)


def test_a_worker_that_loads_a_task_imports_neither_pandas_nor_scikit_learn(task: Task) -> None:
    program = (
        "import sys; from archwise.tasks.task import Task; Task.load(sys.argv[1]).arrays('train')\n"
        "print([name for name in ('torch', 'pandas', 'sklearn') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(task.folder)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
