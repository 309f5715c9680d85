"""Arrays: images, series and tables of numbers, from Python or from .npz files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archwise.errors import DataError
from archwise.tasks.array_inputs import read_arrays, refuse_infinite
from archwise.tasks.frame_inputs import as_truths, as_words
from archwise.tasks.frames import from_inputs
from archwise.tasks.source import Part, Source


def from_npz(path: Path, ignore: Sequence[str], name: str) -> Source:
    """Read an .npz file with x and y (and is_test, which tells test rows), or x_train, y_train, x_test, y_test.

    Raises:
        DataError, InputError: the file cannot be read, or has no such arrays.
    """
    stored = read_arrays(path)
    names = next((n for n in (("x", "y"), ("x_train", "y_train")) if n[0] in stored and n[1] in stored), None)
    if names is None:
        held = ", ".join(stored) or "nothing"
        raise DataError(f"{path} holds {held}: name the arrays x and y, or x_train, y_train, x_test and y_test.")
    used = [*names]
    if names == ("x_train", "y_train") and "x_test" in stored and "y_test" in stored:
        used += ["x_test", "y_test"]
    data = tuple(stored.pop(n) for n in used)
    if names == ("x", "y") and "is_test" in stored:
        x, y = data
        flags = as_truths(pd.Series(stored.pop("is_test").ravel()))
        if len(flags) != len(x) or len(y) != len(x) or set(flags.tolist()) != {0.0, 1.0}:
            raise DataError(
                f"The array is_test of {path} must hold 0 or 1 (both) for each of {len(x)} rows of x and y."
            )
        data = (x[flags == 0], y[flags == 0], x[flags == 1], y[flags == 1])
    source = from_arrays(data, ignore, name, f"the file {path}")
    if stored:
        source.notes.append(f"Other arrays of the file are not used: {', '.join(stored)}.")
    return source


def from_arrays(data: Sequence[Any], ignore: Sequence[str], name: str, label: str, target: str = "y") -> Source:
    """Take inputs and targets as NumPy arrays, tensors, lists or data frames: (x, y) or (x, y, x_test, y_test).

    Raises:
        DataError: lengths or shapes do not fit, or a value is missing or infinite where it must not.
    """
    names = ("x", "y", "x_test", "y_test") if len(data) == 2 else ("x_train", "y_train", "x_test", "y_test")
    ignored = tuple(str(column) for column in ignore)
    inputs, targets = list(data[::2]), [_target(y, n, target) for y, n in zip(data[1::2], names[1::2], strict=False)]
    if isinstance(inputs[0], pd.DataFrame):
        frames = [x if isinstance(x, pd.DataFrame) else pd.DataFrame(x) for x in inputs]
        test = (frames[1], targets[1]) if len(frames) > 1 else None
        return from_inputs((frames[0], targets[0]), test, ignored, name, label)
    arrays = [as_plain_array(x, n) for x, n in zip(inputs, names[::2], strict=False)]
    for x, y, n in zip(arrays, targets, names[::2], strict=False):
        if x.ndim < 2:
            raise DataError(f"{n} has shape {x.shape}, but rows of inputs are needed: give {n}.reshape(-1, 1) for one.")
        if len(x) != len(y):
            raise DataError(f"{n} has {len(x)} rows but its target {len(y)}: they must be as many.")
    if arrays[0].shape[1:] != arrays[-1].shape[1:]:
        raise DataError(f"Rows of x_train have shape {arrays[0].shape[1:]}, of x_test {arrays[-1].shape[1:]}: reshape.")
    if arrays[0].dtype.kind in "UO" and arrays[0].ndim == 2:
        frames = [pd.DataFrame(x.astype(object)).infer_objects() for x in arrays]
        test = (frames[1], targets[1]) if len(frames) > 1 else None
        return from_inputs((frames[0], targets[0]), test, ignored, name, label)
    for x, n in zip(arrays, names[::2], strict=False):
        if x.dtype.kind not in "biuf":
            raise DataError(f"{n} holds {x.dtype}, no real numbers: convert it with astype(float).")
        refuse_infinite(x, missing_allowed=True, what=n)
    for y, n in zip(targets, names[1::2], strict=False):
        _refuse_missing(y, n)
    parts = [Part(x, y, np.arange(len(y))) for x, y in zip(arrays, targets, strict=True)]
    tensors = hasattr(data[0], "detach")
    return Source(name, parts[0], parts[1] if len(parts) > 1 else None, ignored, tensors)


def as_plain_array(values: Any, name: str) -> np.ndarray:
    """A NumPy array from an array, a tensor or nested lists; bytes become text.

    Raises:
        DataError: the rows have different shapes.
    """
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} is no array ({error}): give all rows one shape, series padded with NaN.") from error
    if array.dtype.kind == "O" and array.ndim != 2:
        raise DataError(f"{name} holds Python objects: give all rows one shape, series padded with NaN.")
    return array.astype(str) if array.dtype.kind == "S" else array


def _target(values: Any, array: str, name: str) -> pd.Series[Any]:
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return values.rename(name if values.name is None else str(values.name))
    plain = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if plain.dtype.kind == "S":
        plain = plain.astype(str)
    if plain.ndim == 2 and plain.shape[1] == 1:
        plain = plain[:, 0]
    if plain.ndim != 1:
        shape = plain.shape
        raise DataError(f"{array} has shape {shape}, but one target a row is needed: use argmax(1) on one-hot labels.")
    return pd.Series(plain, name=name)


def _refuse_missing(y: pd.Series[Any], array: str) -> None:
    missing = y.isna().to_numpy()
    if not pd.api.types.is_numeric_dtype(y.dtype) and not pd.api.types.is_datetime64_any_dtype(y.dtype):
        missing = np.array([word is None for word in as_words(y)], dtype=bool)
    if missing.any():
        raise DataError(f"{array} has no value at position {int(missing.argmax())}: remove such rows from both arrays.")
    if y.dtype.kind == "f" and np.isinf(y).any():
        place = int(np.isinf(y).to_numpy().argmax())
        raise DataError(f"{array} holds {y.iloc[place]} at position {place}: replace it or remove the row.")
