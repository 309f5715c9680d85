"""A task: what must be learned, as a folder that is made once and never changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from archwise.errors import DataError
from archwise.signature import Signature

FORMAT = 1
"""Version of the folder's layout; a newer one is refused."""

Problem = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Task:
    """Data with fixed training, validation and test splits, already in a network's input form.

    The test split is sealed: it lies in files of its own, which only `open_test` reads.

    Args:
        folder: where the task lies.
        name: what people call it.
        problem: "binary" (two outputs, softmax), "multiclass" or "regression" (one output).
        signature: the shapes a network must accept and return.
        classes: the labels as the training source writes them, in the order of the outputs; none for regression.
        target_mean: what a regression target was reduced by before it was divided by `target_scale`; 0 for classes.
        target_scale: see `target_mean`; 1 for classes.
        sizes: rows of each split: "train", "validation", "test".
        class_counts: training rows of each class, in the order of `classes`.
        imbalanced: whether the largest class has at least three times the rows of the smallest.
        objective: name of the metric that a search improves on the validation split.
        fingerprint: a hash of the data; the order of rows does not matter, and no data can be read from it.
        seed: the seed of the splits.
        target: what the source calls the target.
        notes: what was recognised and decided, as sentences for the user.
        sketch: numbers by which nearly the same data is recognised, see `sketch.sketch`; None in tasks of older
            versions.
    """

    folder: Path
    name: str
    problem: Problem
    signature: Signature
    classes: tuple[str | int | float | bool, ...]
    target_mean: float
    target_scale: float
    sizes: dict[str, int]
    class_counts: tuple[int, ...]
    imbalanced: bool
    objective: str
    fingerprint: str
    seed: int
    target: str
    notes: tuple[str, ...]
    sketch: tuple[int, ...] | None = field(default=None, repr=False)

    @classmethod
    def load(cls, folder: str | Path) -> Task:
        """Read a task from its folder.

        Raises:
            DataError: the folder holds no task, or one of a newer archwise.
        """
        path = Path(folder) / "task.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["format"] > FORMAT:
                raise DataError(f"The task in {folder} was made by a newer archwise: install that version.")
            data["signature"] = Signature.from_json(data["signature"])
            lists = {name: tuple(data[name]) for name in ("classes", "class_counts", "notes")}
            if data.setdefault("sketch", None) is not None:
                lists["sketch"] = tuple(data["sketch"])
            return cls(folder=Path(folder), **{f.name: data[f.name] for f in fields(cls)[1:]} | lists)
        except FileNotFoundError:
            raise DataError(f"There is no task in {folder}: make one with make_task.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} cannot be read as a task ({error}): make the task again.") from error

    def to_json(self) -> dict[str, Any]:
        """Return all but the folder as plain JSON data."""
        data = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        return {"format": FORMAT} | data | {"signature": self.signature.to_json()}

    def arrays(self, split: Literal["train", "validation"]) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of a split as memory-mapped, read-only arrays.

        Args:
            split: "train" or "validation"; the test split is sealed.

        Returns:
            x: float32, shape (rows, *signature.input); y: int64 class numbers, or the float32 standardised target.
        """
        if split not in ("train", "validation"):
            raise ValueError(f"A task gives its 'train' and 'validation' arrays, not {split!r}: see open_test.")
        return self._read(f"x_{split}"), self._read(f"y_{split}")

    def open_test(self) -> tuple[np.ndarray, np.ndarray]:
        """Break the seal: return inputs and targets of the test split, for the last step of a search alone."""
        return self._read("sealed/x_test"), self._read("sealed/y_test")

    def _read(self, name: str) -> np.ndarray:
        path = self.folder / f"{name}.npy"
        try:
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path} cannot be read ({error}): make the task again.") from error
        return array
