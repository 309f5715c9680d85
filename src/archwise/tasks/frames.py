"""Tables with named columns: data frames and CSV files."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from archwise.errors import DataError
from archwise.tasks.frame_inputs import as_truths, as_words
from archwise.tasks.source import Part, Source

SPLIT_WORDS = {"train", "training", "test", "testing", "validation", "valid", "val", "dev"}


def from_frame(frame: pd.DataFrame, target: str | None, ignore: Sequence[str], name: str, label: str) -> Source:
    """Take inputs, target and, where the table tells it, its own test split out of a data frame.

    A column `is_test` (true or false, 1 or 0), or `split` (train, test, validation), tells the test rows.

    Args:
        frame: the table.
        target: name of the target column; rows where it is missing are dropped, and that is noted.
        ignore: columns to leave out.
        name: what to call the task.
        label: what errors call the table.

    Raises:
        DataError: a column is not there, twice there, or empty.
    """
    frame = _with_text_names(frame, label)
    columns = list(frame.columns)
    if target is None:
        raise DataError(f"Which column of {label} is the target is not said: name one of {_listed(columns)}.")
    target, ignored = str(target), tuple(str(column) for column in ignore)
    for wanted in (target, *ignored):
        if wanted not in columns:
            near = difflib.get_close_matches(wanted, columns, n=3, cutoff=0.4)
            hint = f"did you mean {_listed(near)}?" if near else f"there are {_listed(columns)}."
            raise DataError(f"There is no column {wanted!r} in {label}: {hint}")
    if target in ignored:
        raise DataError(f"Column {target!r} is both the target and ignored: name another target or keep it.")
    x, y = frame.drop(columns=target), frame[target]
    notes = []
    is_test = _own_split(x.drop(columns=list(ignored)))
    test: np.ndarray | None = None
    if is_test is not None:
        column, test = is_test
        x = x.drop(columns=column)
        notes.append(f"Column {column!r} tells the test rows ({test.sum():,}) and is no input.")
    source = from_inputs((x, y), None, ignored, name, label)
    if test is not None:
        everything = source.train
        chosen = test[everything.rows]
        if not chosen.any():
            raise DataError(f"No test row of {label} has a target: fill {target!r} in or ignore {column!r}.")
        source.train, source.test = _take(everything, ~chosen), _take(everything, chosen)
    source.notes = notes + source.notes
    return source


def from_inputs(
    train: tuple[pd.DataFrame, pd.Series[Any]],
    test: tuple[pd.DataFrame, pd.Series[Any]] | None,
    ignored: tuple[str, ...],
    name: str,
    label: str,
) -> Source:
    """The same for inputs and targets that are apart already, with or without a test split of their own.

    Raises:
        DataError: a column is empty, or missing in the test split.
    """
    x, y = _with_text_names(train[0], label), train[1]
    source = Source(name, _complete(x, y, label), ignored=ignored)
    dropped = len(y) - len(source.train.rows)
    if test is not None:
        x_test, y_test = _with_text_names(test[0], label), test[1]
        lost = next((column for column in x.columns if column not in x_test.columns), None)
        if lost is not None:
            raise DataError(f"The test split of {label} has no column {lost!r}: add it, or ignore it.")
        source.test = _complete(x_test[list(x.columns)], y_test, label)
        dropped += len(y_test) - len(source.test.rows)
    if dropped:
        source.notes.append(f"{dropped:,} rows without a target are dropped.")
    return source


def refuse_empty_columns(x: pd.DataFrame, ignored: Sequence[str]) -> None:
    """Refuse a table with columns that have no value in any row; the DataError names them and the remedy."""
    empty = [column for column in x.columns if column not in ignored and _empty(x[column])]
    if empty:
        remedy = " ".join(f"--ignore {shlex.quote(column)}" for column in empty)
        are = f"Column {empty[0]!r} has" if len(empty) == 1 else f"Columns {_listed(empty)} have"
        raise DataError(f"{are} no value in any row: leave it out with {remedy}.")


def _with_text_names(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(f"The columns of {label} have several levels: give each column one name.")
    named: pd.DataFrame = frame.set_axis([str(column).strip() for column in frame.columns], axis=1)
    twice = named.columns[named.columns.duplicated()]
    if len(twice):
        raise DataError(f"Two columns of {label} are called {twice[0]!r}: rename one.")
    return named


def _complete(x: pd.DataFrame, y: pd.Series[Any], label: str) -> Part:
    """The rows with a target; the index becomes the row number in the source, which errors then name."""
    if len(x) != len(y):
        raise DataError(f"There are {len(x)} rows of inputs but {len(y)} targets in {label}: they must be as many.")
    x, y = x.reset_index(drop=True), y.reset_index(drop=True)
    there = ~y.isna().to_numpy()
    if not pd.api.types.is_numeric_dtype(y.dtype) and not pd.api.types.is_datetime64_any_dtype(y.dtype):
        there &= np.array([word is not None for word in as_words(y)], dtype=bool)
    return Part(x[there], y[there], np.flatnonzero(there)) if not there.all() else Part(x, y, np.arange(len(y)))


def _take(part: Part, chosen: np.ndarray) -> Part:
    return Part(part.x[chosen], part.y[chosen], part.rows[chosen])


def _empty(column: pd.Series[Any]) -> bool:
    if not column.isna().all() and (column.dtype != object and not pd.api.types.is_string_dtype(column.dtype)):
        return False
    return all(word is None for word in as_words(column))


def _own_split(x: pd.DataFrame) -> tuple[str, np.ndarray] | None:
    for column in x.columns:
        if column.lower() == "is_test":
            values = as_truths(x[column])
            if set(values.tolist()) == {0.0, 1.0}:
                return column, values == 1
        if column.lower() == "split":
            words = [(word or "").lower() for word in as_words(x[column])]
            test = np.array([word.startswith("test") for word in words])
            if set(words) <= SPLIT_WORDS and test.any() and not test.all():
                return column, test
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
