"""Numbers that describe a task, by which similar tasks are found; they come from its training split alone."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import numpy as np

from archwise.errors import DataError
from archwise.files import json_text, write_atomic
from archwise.signature import Signature
from archwise.tasks.landmarks import landmarks
from archwise.tasks.statistics import input_statistics, shape_statistics, target_statistics
from archwise.tasks.task import Task

VERSION = 1
"""Of what the numbers mean; descriptions of other versions are made again."""
ROWS = 1000
"""Most rows that are looked at, if they have few values."""
VALUES = 2**19
"""Most values that are looked at, if that leaves enough rows."""
LEAST_ROWS = 256
"""Rows that are enough."""
HASHED = 64
"""Values in the middle of a row that say whether it is among those."""


def describe_task(task: Task) -> dict[str, float]:
    """Return the numbers that describe a task, and keep them in its folder for the next time.

    They are simple statistics of the training split (see `statistics`), and how well fixed learners do on it (see
    `landmarks`). Equal data has equal numbers. Of many rows those are looked at whose hashes are smallest, so their
    order does not matter.

    Args:
        task: the task; of its data only the training split is read.

    Returns:
        Finite numbers by name; what only some kinds of tasks have is left out for others.

    Raises:
        DataError: the task's arrays cannot be read.

    Example:
        >>> import tempfile
        >>> from archwise.tasks.load import make_task
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numbers = describe_task(make_task("iris", folder=f"{folder}/iris"))
        >>> round(2 ** numbers["log_rows"]), numbers["class_entropy"], numbers["encoded_ridge"] > 0.8
        (96, 1.0, True)
    """
    path = task.folder / "descriptor.json"
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] == VERSION:
            return {str(name): float(value) for name, value in kept["numbers"].items()}
    x, y = task.arrays("train")
    numbers = describe(x, y, task.signature, regression=task.problem == "regression") | _columns(task)
    with suppress(OSError):  # it is worked out again where the folder cannot be written
        write_atomic(path, json_text({"version": VERSION, "numbers": numbers}))
    return numbers


def describe(x: np.ndarray, y: np.ndarray, signature: Signature, *, regression: bool) -> dict[str, float]:
    """Return the numbers that describe training data.

    Args:
        x: inputs, shape (rows, *signature.input), standardised.
        y: numbers of the classes, or standardised targets.
        signature: shapes and kind.
        regression: whether targets are numeric.
    """
    chosen = _chosen(x, y)
    inputs, targets = np.asarray(x[chosen]), np.asarray(y[chosen])
    numbers = shape_statistics(len(y), signature)
    numbers |= target_statistics(np.asarray(y), signature.outputs, regression=regression)
    numbers |= input_statistics(inputs, targets, regression=regression)
    numbers |= landmarks(inputs, targets, regression=regression)
    return {name: round(value, 6) if math.isfinite(value) else 0.0 for name, value in numbers.items()}


def _chosen(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rows of the smallest hashes, in the order of these."""
    width = int(np.prod(x.shape[1:]))
    first = max(0, (width - HASHED) // 2)
    seen = x.reshape(len(x), width)[:, first : first + HASHED]
    weights = np.random.default_rng(0).integers(1, 2**63, size=seen.shape[1] + 1, dtype=np.uint64) | np.uint64(1)
    bits = np.ascontiguousarray(seen, dtype="<f4").view("<u4").astype(np.uint64)
    targets = np.asarray(y, dtype=np.float32).view("<u4").astype(np.uint64)
    hashes = (bits * weights[:-1]).sum(axis=1, dtype=np.uint64) + targets * weights[-1]
    order: np.ndarray = np.argsort(hashes, kind="stable")
    return order[: min(ROWS, max(LEAST_ROWS, VALUES // width))]


def _columns(task: Task) -> dict[str, float]:
    """Return the shares of a table's columns that have gaps and that hold words, where that is known."""
    if task.signature.kind != "table":
        return {}
    try:
        settings = json.loads((task.folder / "preprocessing.json").read_text(encoding="utf-8"))
        with np.load(task.folder / "preprocessing.npz", allow_pickle=False) as arrays:
            gaps, numeric = len(arrays["indicated"]), len(arrays["center"])
        words = sum(column["type"] == "words" for column in settings.get("columns", ()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The preprocessing in {task.folder} cannot be read ({error}): make the task again.") from error
    return {"gap_columns": gaps / (numeric + words), "word_columns": words / (numeric + words)}
