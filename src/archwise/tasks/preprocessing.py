"""The fitted preprocessing of a task: stored as plain data, applied to whatever is to be predicted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archwise.tasks.array_inputs import transform_array
from archwise.tasks.frame_inputs import transform_frame


@dataclass(frozen=True)
class Preprocessing:
    """A fitted transformation: what a user has -> float32 array of shape (rows, *input) for the network.

    Args:
        settings: plain JSON data: the form of the source, its columns, the kind of input.
        arrays: the statistics of the training split, by name.
    """

    settings: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def transform(self, data: Any) -> np.ndarray:
        """Transform data in the training source's form; see `transform_frame` and `transform_array`.

        Raises:
            InputError: a column is missing, a shape or a value does not fit.
        """
        transform = transform_frame if self.settings["form"] == "frame" else transform_array
        return transform(data, self.settings, self.arrays)


def load_preprocessing(folder: str | Path) -> Preprocessing:
    """Read a fitted transformation from the folder that holds preprocessing.json and preprocessing.npz."""
    settings = json.loads((Path(folder) / "preprocessing.json").read_text(encoding="utf-8"))
    with np.load(Path(folder) / "preprocessing.npz", allow_pickle=False) as stored:
        return Preprocessing(settings, {name: stored[name] for name in stored.files})


def preprocess(data: Any, folder: str | Path = ".") -> np.ndarray:
    """Turn data in the training source's form into the network's input: float32 of shape (rows, *input).

    Args:
        data: where the source was a table with columns: a data frame or the path of a CSV/TSV file, the target may
            be absent; otherwise an array, a tensor, or the path of an .npz file with an array `x` (or `x_test`).
        folder: where preprocessing.json and preprocessing.npz lie.

    Raises:
        InputError: the data cannot be read, a column is missing, a shape or a value does not fit.
    """
    return load_preprocessing(folder).transform(data)
