"""Fitting the preprocessing, on the training split alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from archwise.errors import DataError
from archwise.tasks.array_inputs import with_channels
from archwise.tasks.frame_inputs import number_features
from archwise.tasks.preprocessing import Preprocessing
from archwise.tasks.recognise import recognise_column
from archwise.tasks.scaling import squash

SMALLEST_SCALE = 0.25
"""A feature that nearly always has one value is not blown up until its few others dwarf everything else."""


def fit_frame(
    frame: pd.DataFrame, rows: np.ndarray, target: str, ignored: Sequence[str] = ()
) -> tuple[Preprocessing, list[str]]:
    """Fit the preprocessing of a table with named columns.

    Args:
        frame: the training split, without the target.
        rows: the row numbers of these rows in the source.
        target: name of the target column.
        ignored: columns to leave out.

    Returns:
        The preprocessing, and notes on what was recognised.

    Raises:
        DataError: no column tells anything.
    """
    columns, notes = [], []
    for name in frame.columns[~frame.columns.isin(list(ignored))]:
        settings, note = recognise_column(frame[name], rows)
        columns += [settings] if settings else []
        notes += [note] if note else []
    if not columns:
        raise DataError("No column is left to learn from, each holds one value or names the rows: add other columns.")
    counts = pd.Series([column["type"] for column in columns]).value_counts()
    said = {"number": "numbers", "words": "words", "boolean": "truth values", "date": "dates"}
    notes.insert(0, "Columns: " + ", ".join(f"{n} of {said[str(kind)]}" for kind, n in counts.items()) + ".")
    settings = {
        "form": "frame",
        "kind": "table",
        "target": target,
        "source_columns": [str(name) for name in frame.columns],
        "columns": columns,
    }
    return Preprocessing(settings, _fit_numbers(number_features(frame, columns).T)), notes


def fit_array(
    values: np.ndarray, rows: np.ndarray, kind: str, layout: str, ignored: Sequence[str] = ()
) -> tuple[Preprocessing, list[str]]:
    """Fit the preprocessing of an array.

    Args:
        values: all inputs, shape (rows, ...); only `rows` are looked at.
        rows: the training split.
        kind: "table", "image" or "series".
        layout: where an image's or series' channels are: "first", "last", or "none" (there is one).
        ignored: numbers of a table's features to leave out.
    """
    settings: dict[str, Any] = {"form": "array", "kind": kind, "layout": layout, "shape": list(values.shape[1:])}
    if kind != "table":
        return Preprocessing(settings, _fit_channels(values, rows, layout)), []
    table = values.reshape(len(values), -1)
    kept = []
    candidates = [j for j in range(table.shape[1]) if str(j) not in ignored]
    for j in candidates:
        column = table[rows, j].astype(np.float64)
        missing = np.isnan(column)
        if not missing.all() and (missing.any() or column.min() < column.max()):
            kept.append(j)
    if not kept:
        raise DataError("No feature is left to learn from, each holds one value only: give other inputs.")
    left_out = len(candidates) - len(kept)
    notes = [f"{left_out} of {len(candidates)} features hold one value only and are left out."] if left_out else []
    arrays = _fit_numbers(table[rows, j].astype(np.float64) for j in kept)
    return Preprocessing(settings, {"kept": np.array(kept), **arrays}), notes


def _fit_numbers(columns: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Statistics for `scaling.scale_numbers`, one entry a column; equal gaps share one indicator."""
    statistics, indicated, gaps = [], [], set()
    for j, column in enumerate(columns):
        missing = np.isnan(column)
        present = np.clip(column[~missing], -1e150, 1e150) if not missing.all() else np.zeros(1)
        low, center, high = np.quantile(present, [0.25, 0.5, 0.75])
        spread = np.float64((high - low) or (present.max() - present.min()) / 2 or 1.0)
        squashed = squash(present, center, spread)
        statistics.append((center, spread, squashed.mean(), max(squashed.std(), SMALLEST_SCALE)))
        if missing.any() and missing.tobytes() not in gaps:
            gaps.add(missing.tobytes())
            indicated.append(j)
    table = np.array(statistics, dtype=np.float64).reshape(-1, 4)
    named = {name: table[:, i].copy() for i, name in enumerate(("center", "spread", "mean", "scale"))}
    return named | {"indicated": np.array(indicated, dtype=np.int64)}


@np.errstate(over="ignore", invalid="ignore")
def _fit_channels(values: np.ndarray, rows: np.ndarray, layout: str) -> dict[str, np.ndarray]:
    """Mean and standard deviation of each channel, over what is not NaN, in blocks (Chan et al. 1979)."""
    rows_at_once = max(1, 2**22 // max(1, int(np.prod(values.shape[1:]))))
    count, mean, squares = np.zeros(1), np.zeros(1), np.zeros(1)
    for start in range(0, len(rows), rows_at_once):
        block = with_channels(values[rows[start : start + rows_at_once]], layout).astype(np.float64)
        over = (0, *range(2, block.ndim))
        present = ~np.isnan(block)
        n = present.sum(axis=over)
        block_mean = np.where(present, block, 0).sum(axis=over) / np.maximum(n, 1)
        centered = np.where(present, block - block_mean.reshape(1, -1, *[1] * (block.ndim - 2)), 0)
        total = np.maximum(count + n, 1)
        squares = squares + (centered**2).sum(axis=over) + (block_mean - mean) ** 2 * count * n / total
        mean = mean + (block_mean - mean) * n / total
        count = count + n
    deviation = np.sqrt(squares / np.maximum(count, 1))
    if not np.isfinite(deviation).all():
        raise DataError("The inputs hold values too large to scale: divide them by their usual size.")
    return {"mean": mean, "scale": np.where(deviation > 0, deviation, 1.0)}
