"""Published benchmarks: tables of what training each architecture of a space came to."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from archwise.errors import DataError
from archwise.spaces.architecture import is_label

CHEAP_FIDELITY = 12 / 200
"""The share of a full training that `cheap` scores are of where a table does not say: 12 of 200 epochs."""
NEEDED = ("decisions", "architectures", "tasks", "select", "report")
"""Arrays that a table's file must hold."""
PERHAPS = ("cheap", "cheap_fidelity", "cost_seconds")
"""Arrays that it may hold."""
COSTS = {"params_millions": ("parameters", 1e6), "flops_millions": ("flops", 2e6)}
"""Array of a table's file -> the cost that it holds, and its unit; tables count a multiply-add as one operation."""


class TableDecision(NamedTuple):
    """A choice of a table's space: its name, and its options in the order in which the table numbers them."""

    name: str
    options: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """What training each architecture of a space on some tasks came to; higher scores are better.

    Args:
        name: what the table is called.
        decisions: the choices of its space.
        architectures: (rows, decisions), the option that is taken at each.
        tasks: names of the tasks.
        select: (rows, tasks), the score that a search may see; NaN where it was not measured, or training failed.
        report: (rows, tasks), the score by which a search is judged.
        cheap: (rows, tasks), a score at low fidelity, if there is one.
        cost_seconds: (rows, tasks), what training in full took, if it is known; NaN where it was not measured.
        costs: name -> (rows, tasks), what else it cost ("parameters", "flops", ...); NaN where it was not measured.
        cheap_fidelity: the share of a full training that `cheap` scores are of.

    Raises:
        DataError: the arrays do not fit together, or what they hold cannot be.
    """

    name: str
    decisions: tuple[TableDecision, ...]
    architectures: np.ndarray
    tasks: tuple[str, ...]
    select: np.ndarray
    report: np.ndarray
    cheap: np.ndarray | None = None
    cost_seconds: np.ndarray | None = None
    costs: Mapping[str, np.ndarray] = field(default_factory=dict)
    cheap_fidelity: float = CHEAP_FIDELITY

    def __post_init__(self) -> None:
        self._check_shapes()
        for what, names in {"decision": [d.name for d in self.decisions], "task": self.tasks}.items():
            if twice := [name for name in names if list(names).count(name) > 1]:
                raise DataError(f"The table {self.name!r} has the {what} {twice[0]!r} twice: rename one.")
        if unknown := [task for task, column in zip(self.tasks, self.select.T, strict=True) if np.isnan(column).all()]:
            raise DataError(f"select of the table {self.name!r} has no score for the task {unknown[0]!r}.")
        for column in ("select", "report", "cheap"):
            if (values := getattr(self, column)) is not None and np.isinf(values).any():
                raise DataError(
                    f"{column} of the table {self.name!r} has infinite scores: write NaN for a training that failed."
                )
        if not 0 < self.cheap_fidelity < 1:
            raise DataError(
                f"cheap_fidelity of the table {self.name!r} must lie between 0 and 1, not be {self.cheap_fidelity:g}."
            )
        if self.cost_seconds is not None and (np.isinf(self.cost_seconds).any() or (self.cost_seconds < 0).any()):
            raise DataError(f"cost_seconds of the table {self.name!r} must be 0 or more, or NaN where it is not known.")
        for place, decision in enumerate(self.decisions):
            if int(self.architectures[:, place].max()) >= len(decision.options):
                raise DataError(
                    f"The table {self.name!r} takes an option of {decision.name!r} beyond the last of "
                    f"{len(decision.options)}: its decisions and architectures do not belong together."
                )

        _, first, places = np.unique(self.architectures, axis=0, return_index=True, return_inverse=True)
        if len(first) < len(self.architectures):
            row = int(np.flatnonzero(first[places.ravel()] != np.arange(len(self.architectures)))[0])
            raise DataError(
                f"The rows {first[places.ravel()[row]]} and {row} of the table {self.name!r} take the same options: "
                "leave one of them out."
            )

    def _check_shapes(self) -> None:
        rows, tasks = len(self.architectures), len(self.tasks)
        fits = self.architectures.shape == (rows, len(self.decisions))
        if not fits or not rows or not tasks or not self.decisions:
            raise DataError(
                f"The table {self.name!r} has architectures of shape {self.architectures.shape} for "
                f"{len(self.decisions)} decisions: it needs (rows, decisions), one of each or more, and a task or more."
            )
        columns = {name: getattr(self, name) for name in ("select", "report", "cheap", "cost_seconds")}
        for column, values in {**columns, **self.costs}.items():
            if values is not None and values.shape != (rows, tasks):
                raise DataError(f"{column} of the table {self.name!r} is {values.shape}, not {(rows, tasks)}.")
            if values is not None and values.dtype.kind not in "fiub":
                raise DataError(f"{column} of the table {self.name!r} holds no numbers.")
        if not np.issubdtype(self.architectures.dtype, np.integer) or self.architectures.min() < 0:
            raise DataError(f"The table {self.name!r} needs architectures that are whole numbers from 0, its options.")

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that the table says."""
        digest = hashlib.sha256(json.dumps([self.decisions, self.tasks]).encode())
        for values in (self.architectures, self.select, self.report, self.cheap, self.cost_seconds):
            digest.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
        for name, values in sorted(self.costs.items()):
            digest.update(name.encode() + np.ascontiguousarray(values).tobytes())
        digest.update(b"" if self.cheap is None else str(self.cheap_fidelity).encode())
        return digest.hexdigest()[:16]

    def task_number(self, name: str) -> int:
        """Return the column of a task.

        Raises:
            DataError: the table has no such task.
        """
        if name not in self.tasks:
            raise DataError(f"The table {self.name!r} has no task {name!r}: take one of {', '.join(self.tasks)}.")
        return self.tasks.index(name)

    def regret(self, rows: Sequence[int], task: str) -> np.ndarray:
        """Return how far rows fall behind the best: 0 is the best `report` of the table, 1 its median.

        Where the median is the best, 1 is the worst.
        """
        report = self.report[:, self.task_number(task)].astype(float)
        best, median = np.nanmax(report), np.nanmedian(report)
        regret: np.ndarray = (best - report[list(rows)]) / (best - median or best - np.nanmin(report) or 1.0)
        return regret

    def training_seconds(self, task: str) -> float | None:
        """Return what a full training took on average; None if the table does not say."""
        return self._training_seconds[self.task_number(task)]

    @cached_property
    def _training_seconds(self) -> list[float | None]:
        """What a full training took on average, for each task."""
        if self.cost_seconds is None:
            return [None] * len(self.tasks)
        known = [column[~np.isnan(column)] for column in self.cost_seconds.T.astype(float)]
        return [float(values.mean()) if values.any() else None for values in known]

    def seconds(self, row: int, task: str) -> float:
        """Return what a full training of a row took: the average where that is not known, a second if nothing is."""
        average = self.training_seconds(task)
        if average is None or self.cost_seconds is None:
            return 1.0
        seconds = float(self.cost_seconds[row, self.task_number(task)])
        return average if np.isnan(seconds) else seconds


def read_table(path: str | Path) -> Table:
    """Read a table from a .npz file; nothing in it is run.

    Args:
        path: the file, with the arrays `decisions` (JSON: a list of {"name", "options"}), `architectures`, `tasks`,
            `select` and `report`, perhaps `cheap`, `cheap_fidelity`, `cost_seconds`, `params_millions` and
            `flops_millions`; see docs/strategies.md.

    Raises:
        DataError: the file cannot be read, or is no such table; the text names what is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            missing = [name for name in NEEDED if name not in data.files]
            if missing:
                raise DataError(f"{path} is no benchmark table: it has no array {missing[0]!r}.")
            arrays = {name: data[name] for name in (*NEEDED, *PERHAPS) if name in data.files}
            costs = {name: unit * data[array] for array, (name, unit) in COSTS.items() if array in data.files}
        decisions: list[dict[str, Any]] = json.loads(str(arrays.pop("decisions")))
        named = tuple(TableDecision(str(d["name"]), tuple(d["options"])) for d in decisions)
        cheap_fidelity = float(arrays.pop("cheap_fidelity", CHEAP_FIDELITY))
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = error if zipfile.is_zipfile(path) else "it is no .npz file, or not the whole of one"
        raise DataError(f"{path} cannot be read as a benchmark table: {reason}.") from error
    for decision in named:
        if not decision.options or not all(map(is_label, decision.options)):
            raise DataError(f"The options of {decision.name!r} in {path} must be words, numbers or truth values.")
    tasks = tuple(map(str, arrays.pop("tasks").ravel()))
    table = Table(Path(path).stem, named, tasks=tasks, costs=costs, cheap_fidelity=cheap_fidelity, **arrays)
    if unknown := [task for task, column in zip(tasks, table.report.T, strict=True) if np.isnan(column).all()]:
        raise DataError(f"report of the table {table.name!r} has no score for the task {unknown[0]!r}.")
    return table
