"""The test split is sealed: nothing but `open_test` reads it, and nothing that is fitted depends on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from archwise.errors import DataError
from archwise.tasks.load import make_task
from archwise.tasks.preprocessing import preprocess
from archwise.tasks.task import Task


def test_a_task_works_without_its_sealed_files_until_the_seal_is_broken(tmp_path: Path) -> None:
    folder = make_task("digits", folder=tmp_path / "task").folder
    files = sorted((folder / "sealed").iterdir())
    assert [file.name for file in files] == ["x_test.npy", "y_test.npy"]
    for file in files:
        file.write_bytes(b"garbage")
    task = Task.load(folder)
    assert len(task.arrays("train")[0]) == 1150 and len(task.arrays("validation")[1]) == 288
    assert preprocess(load_digits().images[:3], folder).shape == (3, 1, 8, 8)
    with pytest.raises(DataError, match=r"x_test\.npy cannot be read"):
        task.open_test()


def test_arrays_refuses_the_test_split(tmp_path: Path) -> None:
    task = make_task("iris", folder=tmp_path / "task")
    with pytest.raises(ValueError, match="open_test"):
        task.arrays("test")  # type: ignore[arg-type]


def test_the_sealed_rows_are_in_no_other_file(tmp_path: Path) -> None:
    x = np.arange(4000, dtype=np.float64).reshape(1000, 4)
    task = make_task((x, np.arange(1000) % 2), folder=tmp_path / "task")
    rows = np.load(task.folder / "splits.npz")
    seen = {row.tobytes() for split in ("train", "validation") for row in np.asarray(task.arrays(split)[0])}
    assert not seen & {row.tobytes() for row in np.asarray(task.open_test()[0])}
    assert not set(rows["test"]) & (set(rows["train"]) | set(rows["validation"]))


@pytest.mark.parametrize("form", ["array", "frame", "image"])
def test_other_test_rows_change_nothing_that_is_fitted(tmp_path: Path, form: str) -> None:
    data = load_breast_cancer()
    x, y = data.data.copy(), data.target
    shaped = {
        "array": lambda v: v,
        "frame": lambda v: pd.DataFrame(v).assign(y=y),
        "image": lambda v: v.reshape(-1, 6, 5),
    }
    target = "y" if form == "frame" else None
    options = {"kind": "image"} if form == "image" else {}

    def make(name: str) -> Task:
        given = shaped[form](x)
        return make_task(given if target else (given, y), target, folder=tmp_path / name, **options)

    before = make("before")
    x[np.load(before.folder / "splits.npz")["test"]] = 1e6
    after = make("after")
    names = ["preprocessing.json", "preprocessing.npz", "x_train.npy", "x_validation.npy", "splits.npz"]
    assert all((before.folder / n).read_bytes() == (after.folder / n).read_bytes() for n in names)
    assert not np.array_equal(before.open_test()[0], after.open_test()[0])
    assert before.fingerprint != after.fingerprint
