"""Data that nothing can be learned from."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Refuses = Callable[..., None]
ON_IRIS = ("search", "iris.csv", "--target", "target")
QUICK = ("--trials", "1", "--epochs", "1", "--workers", "1", "--run", "run", "--experience", "experience.sqlite")


@pytest.mark.parametrize(
    ("change", "target", "named"),
    [
        (lambda t: t, "Target", "did you mean 'target'"),
        (lambda t: t, None, "'petal width (cm)'"),
        (lambda t: t.assign(target="setosa"), "target", "'setosa'"),
        (lambda t: t.assign(target=None), "target", "target"),
        (lambda t: t.assign(empty=None), "target", "'empty'"),
        (lambda t: t.replace({"sepal length (cm)": {5.1: np.inf}}), "target", "'sepal length (cm)'"),
        (lambda t: t.replace({"sepal length (cm)": {5.1: -np.inf}}), "sepal length (cm)", "'sepal length (cm)'"),
        (lambda t: t.head(3), "target", "3 rows"),
        (lambda t: t.head(0), "target", "rows"),
        (lambda t: t[["target"]], "target", "column"),
    ],
)
def test_tables_that_nothing_can_be_learned_from(
    refuses: Refuses,
    iris: pd.DataFrame,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    target: str | None,
    named: str,
) -> None:
    change(iris).to_csv("data.csv", index=False)
    refuses(["search", "data.csv", *(["--target", target] if target else []), *QUICK], named)


GARBAGE = np.random.default_rng(0).bytes(4000)
CONTENTS = {
    "missing.csv": None,
    "empty.csv": b"",
    "blank.csv": b"\n\n\n",
    "garbage.csv": GARBAGE,
    "ragged.csv": b"a,b,y\n" + b"1,2,x\n1,2,3,4,x\n" * 20,
    "garbage.csv.gz": GARBAGE,
    "cut.csv.gz": gzip.compress(b"a,b,y\n" + b"1,2,x\n" * 5000)[:60],
    "table.xlsx": b"PK",
    "digit": None,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_files_that_are_no_tables(refuses: Refuses, tmp_path: Path, name: str) -> None:
    content = CONTENTS[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refuses(["search", name, "--target", "y", *QUICK], name)


@pytest.mark.parametrize("name", ["folder", "folder.csv", "folder.npz"])
def test_a_folder_is_no_data(refuses: Refuses, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    refuses(["search", name, *(["--target", "y"] if name.endswith("csv") else []), *QUICK], name)


X, Y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 3
ARRAYS = {
    "x_train": {"a": X},
    "60 rows": {"x": X, "y": Y[:50]},
    "inf": {"x": np.where(X[0, 0] == X, np.inf, X), "y": Y},
    "position 0": {"x": X, "y": np.where(np.arange(60) == 0, np.nan, Y)},
    "(60, 2, 2, 2, 2)": {"x": np.zeros((60, 2, 2, 2, 2)), "y": Y},
    "Python objects": {"x": np.array([object()] * 60), "y": Y},
}


@pytest.mark.parametrize("named", ARRAYS)
def test_arrays_that_nothing_can_be_learned_from(refuses: Refuses, tmp_path: Path, named: str) -> None:
    np.savez(tmp_path / "data.npz", **ARRAYS[named])
    refuses(["search", "data.npz", *QUICK], named)
