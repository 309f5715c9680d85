"""Making a task from whatever form a user's data has."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from archwise.errors import DataError
from archwise.signature import Kind
from archwise.tasks.arrays import from_arrays, from_npz
from archwise.tasks.build import build_task
from archwise.tasks.frame_inputs import read_table
from archwise.tasks.frames import from_frame
from archwise.tasks.scaling import InputError
from archwise.tasks.source import Source
from archwise.tasks.task import Task
from archwise.tasks.writing import new_folder

BUNDLED = {
    "digits": "load_digits",
    "iris": "load_iris",
    "wine": "load_wine",
    "breast-cancer": "load_breast_cancer",
    "diabetes": "load_diabetes",
}
TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


def make_task(
    data: Any,
    target: str | None = None,
    *,
    folder: str | Path,
    name: str | None = None,
    seed: int = 0,
    test_share: float = 0.2,
    validation_share: float | None = None,
    objective: str | None = None,
    kind: Kind | None = None,
    problem: Literal["classification", "regression"] | None = None,
    ignore: Sequence[str] = (),
) -> Task:
    """Split data once, fit the preprocessing on the training split, and write all of it as a task's folder.

    Args:
        data: the name of a set that scikit-learn brings (digits, iris, wine, breast-cancer, diabetes); the path of a
            .csv or .tsv file (also .gz) or of an .npz file with x and y, or x_train, y_train, x_test, y_test; a
            data frame; or a tuple of arrays or tensors, (x, y) or (x_train, y_train, x_test, y_test).
        target: the column to predict, for tables with named columns.
        folder: where the task is written; it must not exist or be empty.
        name: what to call the task; the file's name where left out.
        seed: the same seed draws the same splits.
        test_share: share of the rows that is sealed as test split, unless the data has its own.
        validation_share: share of the other rows that is the validation split; a fifth, 6,000 rows at most, if None.
        objective: the metric that a search improves; accuracy (balanced_accuracy where classes are imbalanced) or
            rmse where left out.
        kind: "table", "image" or "series", where the rules of `layout.recognise_layout` would be wrong.
        problem: "classification" or "regression", where the rules of `recognise.recognise_target` would be wrong.
        ignore: columns to leave out (of an array table: their numbers).

    Raises:
        DataError: the data cannot be made into a task, or the folder cannot be written; nothing is left behind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     task = make_task("iris", folder=folder)
        >>> task.signature, task.classes, task.sizes
        (Signature(input=(4,), outputs=3, kind='table'), ('setosa', 'versicolor', 'virginica'),
         {'train': 96, 'validation': 24, 'test': 30})
    """
    try:
        with new_folder(folder) as staging:
            source = read_source(data, target, ignore)
            source.name = name or source.name
            shares: dict[str, Any] = {"test_share": test_share, "validation_share": validation_share}
            task = build_task(source, staging, seed=seed, kind=kind, problem=problem, objective=objective, **shares)
    except InputError as error:
        raise DataError(str(error)) from error
    return replace(task, folder=Path(folder))


def read_source(data: Any, target: str | None, ignore: Sequence[str]) -> Source:
    """Bring any accepted form of data to inputs and targets; the arguments are those of `make_task`.

    Raises:
        DataError, InputError: the data cannot be read or is not what it must be.
    """
    if isinstance(data, pd.DataFrame):
        return from_frame(data, target, ignore, "data", "the data frame")
    if isinstance(data, str | Path):
        path, lowered = Path(data), str(data).lower()
        name = path.name.split(".")[0] or "data"
        if is_bundled(data):
            _no_target(target, f"the bundled set {lowered}")
            return _bundled(lowered, ignore)
        if lowered.endswith(TABLE_ENDINGS):
            frame = read_table(path, [] if target is None else [str(target)])
            return from_frame(frame, target, ignore, name, f"the file {path}")
        if lowered.endswith(".npz"):
            _no_target(target, f"the file {path}")
            return from_npz(path, ignore, name)
        if path.exists():
            raise DataError(f"The form of {path} is not known: give a .csv, .tsv (or .gz of these) or .npz file.")
        close = difflib.get_close_matches(lowered, BUNDLED, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"give a file or one of {', '.join(BUNDLED)}."
        raise DataError(f"There is no file {path} and no bundled set of this name: {hint}")
    if isinstance(data, tuple | list) and len(data) in (2, 4):
        _no_target(target, "a tuple of arrays")
        return from_arrays(data, ignore, "data", "the arrays")
    given = f"{type(data).__name__} of {len(data)}" if isinstance(data, tuple | list) else type(data).__name__
    raise DataError(f"Data given as {given} cannot be read: give a file, a data frame and its target, or (x, y).")


def _no_target(target: str | None, what: str) -> None:
    if target is not None:
        raise DataError(f"The target {target!r} was named, but {what} brings its own: leave the target out.")


def is_bundled(data: Any) -> bool:
    """Whether data is the name of a set that scikit-learn brings, in whichever case."""
    return isinstance(data, str | Path) and str(data).lower() in BUNDLED


def bundled_data(name: str) -> tuple[Any, np.ndarray]:
    """Return (inputs, targets) of a set that scikit-learn brings: images, or a data frame.

    Args:
        name: one of `BUNDLED`, in whichever case.
    """
    name = name.lower()
    from sklearn import datasets  # here, because it takes a second to import

    bunch = getattr(datasets, BUNDLED[name])(**({} if name == "digits" else {"as_frame": True}))
    if name == "digits":
        return bunch.images, bunch.target
    return bunch.data, bunch.target.to_numpy() if name == "diabetes" else np.asarray(bunch.target_names)[bunch.target]


def _bundled(name: str, ignore: Sequence[str]) -> Source:
    x, y = bundled_data(name)
    if name == "digits":
        return from_arrays((x, y), ignore, name, "the bundled set digits", "digit")
    return from_frame(x.assign(target=y), "target", ignore, name, f"the bundled set {name}")
