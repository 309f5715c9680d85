"""From inputs and targets as they are to the files of a task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archwise.errors import DataError
from archwise.signature import Kind, Signature
from archwise.tasks.fingerprint import fingerprint, row_hashes
from archwise.tasks.fit import fit_array, fit_frame
from archwise.tasks.frames import refuse_empty_columns
from archwise.tasks.layout import Layout, recognise_layout, refuse_empty
from archwise.tasks.preprocessing import Preprocessing
from archwise.tasks.recognise import recognise_target
from archwise.tasks.sketch import RowHashes, content_hashes, sketch
from archwise.tasks.source import Part, Source
from archwise.tasks.split import refuse_too_few, split_rows
from archwise.tasks.task import Task
from archwise.tasks.writing import write_array

IMBALANCE = 3
"""Classes are imbalanced where the largest has this many times the training rows of the smallest."""


def build_task(
    source: Source,
    folder: Path,
    *,
    seed: int,
    test_share: float,
    validation_share: float | None,
    kind: Kind | None,
    problem: str | None,
    objective: str | None,
) -> Task:
    """Recognise, split, fit and write; the arguments are those of `load.make_task`.

    Args:
        source: inputs and targets.
        folder: an empty folder that the task's files are written to.

    Raises:
        DataError, InputError: the data cannot be made into a task.
        OSError: the folder cannot be written.
    """
    refuse_too_few(len(source.train.y))
    if source.test and not len(source.test.y):
        raise DataError("The data's own test split has no rows with a target: fill it, or leave it out.")
    layout = _layout(source, kind)
    fewest = 2 if source.test else 3
    target = recognise_target(source.train.y, problem, fewest=fewest, labels=layout.kind != "table")
    labels = target.values if target.classes else None
    chosen = split_rows(
        labels,
        len(target.values),
        seed=seed,
        test_share=test_share,
        validation_share=validation_share,
        own_test=source.test is not None,
    )
    # Each split is a part of the source, the positions of its rows there, and its targets.
    splits = {name: (source.train, positions, target.values[positions]) for name, positions in chosen.items()}
    if source.test:
        splits["test"] = (source.test, np.arange(len(source.test.y)), target.encode(source.test.y))
    preprocessing, fitted = _fit(source, chosen["train"], layout)
    mean, scale = _scale(splits["train"][2]) if not target.classes else (0.0, 1.0)
    counts = np.bincount(splits["train"][2], minlength=len(target.classes)) if target.classes else np.zeros(0, int)
    imbalanced = bool(len(counts) and counts.max() >= IMBALANCE * counts.min())

    (folder / "sealed").mkdir()
    shape: tuple[int, ...] = ()
    for name, (part, positions, values) in splits.items():
        place = folder / ("sealed" if name == "test" else "")
        shape = _write_inputs(place / f"x_{name}.npy", preprocessing, part, positions)
        if target.classes:
            np.save(place / f"y_{name}.npy", values.astype(np.int64))
        else:
            np.save(place / f"y_{name}.npy", _scaled(values, mean, scale))
    rows: dict[str, Any] = {name: part.rows[positions] for name, (part, positions, _) in splits.items()}
    np.savez(folder / "splits.npz", **rows)
    (folder / "preprocessing.json").write_text(json.dumps(preprocessing.settings, indent=1), encoding="utf-8")
    arrays: dict[str, Any] = preprocessing.arrays
    np.savez(folder / "preprocessing.npz", **arrays)

    parts = [_row_hashes(part, source.ignored, preprocessing) for part in (source.train, source.test) if part]
    hashes = [part.rows for part in parts]
    sizes = {name: len(splits[name][1]) for name in ("train", "validation", "test")}
    default = "rmse" if not target.classes else "balanced_accuracy" if imbalanced else "accuracy"
    notes = [*source.notes, layout.note, *fitted, target.note]
    notes += _notes_on_classes(target.classes, counts, default, imbalanced)
    notes += _notes_on_rows(sizes, source, hashes, bool(target.classes))
    task = Task(
        folder=folder,
        name=source.name,
        problem=target.problem,
        signature=Signature(shape, max(1, len(target.classes)), layout.kind),
        classes=target.classes,
        target_mean=mean,
        target_scale=scale,
        sizes=sizes,
        class_counts=tuple(counts.tolist()),
        imbalanced=imbalanced,
        objective=objective or default,
        fingerprint=fingerprint(*hashes),
        seed=seed,
        target=str(source.train.y.name),
        notes=tuple(note for note in notes if note),
        sketch=sketch(RowHashes(*map(np.concatenate, zip(*parts, strict=True)))),
    )
    (folder / "task.json").write_text(json.dumps(task.to_json(), indent=1), encoding="utf-8")
    return task


def _layout(source: Source, kind: Kind | None) -> Layout:
    x = source.train.x
    if isinstance(x, pd.DataFrame):
        if kind not in (None, "table"):
            raise DataError(f"A table with named columns cannot be of the kind {kind!r}: give its values as an array.")
        if not set(source.ignored) <= set(x.columns):
            raise DataError(
                f"There is no column {min(set(source.ignored) - set(x.columns))!r} to ignore: check the name."
            )
        refuse_empty_columns(x, source.ignored)
        return Layout("table", "none", "")
    layout = recognise_layout(x, kind, tensors=source.tensors)
    if source.ignored and layout.kind != "table":
        raise DataError(f"Only columns of a table can be ignored, not {source.ignored[0]!r} of inputs of {x.shape}.")
    refuse_empty(x, layout, source.ignored)
    unknown = set(source.ignored) - {str(j) for j in range(int(np.prod(x.shape[1:])))}
    if unknown:
        raise DataError(f"There is no feature {min(unknown)!r} to ignore: features are numbered from 0.")
    return layout


def _fit(source: Source, train: np.ndarray, layout: Layout) -> tuple[Preprocessing, list[str]]:
    x, rows, name = source.train.x, source.train.rows, str(source.train.y.name)
    if isinstance(x, pd.DataFrame):
        return fit_frame(x.iloc[train], rows[train], name, source.ignored)
    return fit_array(x, train, layout.kind, layout.channels, source.ignored)


def _scale(values: np.ndarray) -> tuple[float, float]:
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = float(values.mean()), float(values.std()) or 1.0
    if not np.isfinite([mean, scale]).all():
        raise DataError(f"The target holds values up to {np.abs(values).max():.3g}, too large to scale: divide them.")
    return mean, scale


def _scaled(values: np.ndarray, mean: float, scale: float) -> np.ndarray:
    with np.errstate(over="ignore"):
        scaled = (values - mean) / scale
    if np.abs(scaled).max() > 1e15:  # float32 could not square it
        far = values[np.abs(scaled).argmax()]
        raise DataError(f"The target holds {far:.3g}, too far from the training rows' values: correct or remove it.")
    result: np.ndarray = scaled.astype(np.float32)
    return result


def _write_inputs(path: Path, preprocessing: Preprocessing, part: Part, positions: np.ndarray) -> tuple[int, ...]:
    """Transform and write the inputs of a split; return the shape of one."""
    blocks = _blocks(preprocessing, part, positions)
    first = next(blocks)
    shape = first.shape[1:]

    def every() -> Iterator[np.ndarray]:
        yield first
        yield from blocks

    write_array(path, (len(positions), *shape), "float32", every())
    return shape


def _blocks(preprocessing: Preprocessing, part: Part, positions: np.ndarray) -> Iterator[np.ndarray]:
    if isinstance(part.x, pd.DataFrame):
        yield preprocessing.transform(part.x.iloc[positions])
        return
    rows_at_once = max(1, 2**24 // max(1, int(np.prod(part.x.shape[1:]))))
    for start in range(0, len(positions), rows_at_once):
        yield preprocessing.transform(part.x[positions[start : start + rows_at_once]])


def _row_hashes(part: Part, ignored: tuple[str, ...], preprocessing: Preprocessing) -> RowHashes:
    x = learned = part.x
    settings, arrays = preprocessing.settings, preprocessing.arrays
    if isinstance(x, pd.DataFrame):
        learned = x[[column["name"] for column in settings["columns"]]]
        x = x.drop(columns=list(ignored))
    elif settings["kind"] == "table":
        learned = x.reshape(len(x), -1)[:, arrays["kept"]]
        x = np.delete(x, [int(j) for j in ignored], 1) if ignored else x
    return RowHashes(row_hashes(x, part.y), *content_hashes(learned, part.y))


def _notes_on_classes(
    classes: tuple[str | int | float | bool, ...], counts: np.ndarray, objective: str, imbalanced: bool
) -> list[str]:
    if not imbalanced:
        return []
    most, least = int(counts.argmax()), int(counts.argmin())
    return [
        f"The classes are imbalanced: {counts[most]:,} training rows of {classes[most]!r}, {counts[least]:,} of"
        f" {classes[least]!r}, so the objective is {objective} unless another is chosen."
    ]


def _notes_on_rows(sizes: dict[str, int], source: Source, hashes: list[np.ndarray], stratified: bool) -> list[str]:
    numbers = ", ".join(f"{sizes[name]:,} {name}" for name in ("train", "validation", "test"))
    how = "drawn with equal shares of every class" if stratified else "drawn at random"
    own = "; the test rows are the data's own" if source.test else ""
    notes = [f"Rows: {numbers} ({how}{own})."]
    everything = np.concatenate(hashes)
    copies = len(everything) - len(np.unique(everything))
    if copies:
        notes.append(f"Exact copies of other rows: {copies:,}; copies may lie in different splits.")
    return notes
