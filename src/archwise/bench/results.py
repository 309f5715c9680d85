"""The file that a benchmark's results go to: one line for each run, added as it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from archwise.bench.curves import Change, regret_curve, regret_in_time
from archwise.errors import DataError

Key = tuple[str, str, str, str, int, str, str, str, int, int | None]
"""Table, its fingerprint, task, strategy, seed, version, settings, history, simulated workers, and length where it
matters."""

BEGINNING = '{"table": '
"""Of each line, so that what a kill left half-written is told from what belongs to somebody else."""


@dataclass(frozen=True)
class Run:
    """One simulated search, and what came of it.

    Args:
        table: the table's name.
        fingerprint: of the table's content.
        task: one of its tasks.
        strategy: the name of the strategy or peer.
        seed: the search's seed.
        version: the library that the strategy comes from, and its version.
        settings: what the strategy or peer is set to.
        simulated_workers: how many trials it evaluated at a time.
        evaluations: full trainings that it could spend.
        changes: the incumbent's regret.
        drawn: the regret that is expected of a candidate drawn at random.
        training_seconds: what a training of the table takes on average; None if the table does not say.
        seconds_per_proposal: processor seconds that the strategy thought for a proposal, on average.
        history: what it knew of the table's other tasks; empty if nothing.
    """

    table: str
    fingerprint: str
    task: str
    strategy: str
    seed: int
    version: str
    settings: str
    simulated_workers: int
    evaluations: int
    changes: tuple[Change, ...]
    drawn: float
    training_seconds: float | None
    seconds_per_proposal: float
    history: str = ""

    @cached_property
    def regret(self) -> list[float]:
        """The incumbent's regret after 1, 2, ... evaluations."""
        return regret_curve(self.changes, self.evaluations)

    @cached_property
    def regret_in_time(self) -> list[float] | None:
        """The incumbent's regret when 1, 2, ... times `pace` have passed; None if the table has no times.

        While no trial has ended, it is that of a candidate drawn at random.
        """
        return None if self.pace is None else regret_in_time(self.changes, self.evaluations, self.pace, self.drawn)

    @property
    def pace(self) -> float | None:
        """The seconds in which all workers together do an average training; None if the table has no times."""
        return None if self.training_seconds is None else self.training_seconds / self.simulated_workers

    @property
    def key(self) -> Key:
        """What tells runs apart; of equal ones the longest counts."""
        what = self.table, self.fingerprint, self.task, self.strategy, self.seed, self.version, self.settings
        # The beginning of a longer search is the shorter one, but where workers have trials under way at its end.
        return *what, self.history, self.simulated_workers, self.evaluations if self.simulated_workers > 1 else None


class ResultsFile:
    """Runs in a file that later calls extend; a half-written last line, from a kill, is left out.

    Args:
        path: the file; made when the first run is added.
    """

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> list[Run]:
        """Return the runs, each once: the longest of those with one key.

        Raises:
            DataError: the file is no results file, or cannot be read.
        """
        runs: dict[Key, Run] = {}
        for number, line in enumerate(self._lines(), 1):
            try:
                run = _run(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise DataError(
                    f"Line {number} of {self.path} is no benchmark result ({error}): move the file away."
                ) from error
            if run.key not in runs or run.evaluations >= runs[run.key].evaluations:
                runs[run.key] = run
        return list(runs.values())

    def add(self, run: Run) -> None:
        """Write a run at the end of the file, in the place of a last line that a kill left half-written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            if not self._ends_whole(file):
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
            file.write(json.dumps(asdict(run)).encode() + b"\n")

    @staticmethod
    def _ends_whole(file: BinaryIO) -> bool:
        """Whether a file is empty or ends with a whole line; only then need its lines not be looked at."""
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"

    def _lines(self) -> Sequence[str]:
        if not self.path.exists():
            return []
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.path} cannot be read as benchmark results: {error}.") from error
        *whole, last = text.split("\n")
        if not (last.startswith(BEGINNING) or BEGINNING.startswith(last)):
            raise DataError(f"The last line of {self.path} is no benchmark result: move the file away.")
        return whole


def _run(data: dict[str, Any]) -> Run:
    """Return the run that a line holds.

    Raises:
        ValueError: one of its values is not of the kind that belongs there.
    """
    changes = tuple(Change(*map(float, change)) for change in data["changes"])
    run = Run(**data | {"changes": changes})
    texts = run.table, run.fingerprint, run.task, run.strategy, run.version, run.settings, run.history
    counts = run.seed, run.simulated_workers, run.evaluations
    numbers = run.drawn, run.seconds_per_proposal, *([] if run.training_seconds is None else [run.training_seconds])
    if not all(isinstance(text, str) for text in texts) or not all(type(count) is int for count in counts):
        raise ValueError("a name or a count is of another kind")
    if not all(isinstance(number, int | float) and isfinite(number) for number in numbers):
        raise ValueError("a figure is no number")
    if min(run.simulated_workers, run.evaluations) < 1 or not all(map(isfinite, chain(*changes))):
        raise ValueError("a figure cannot be")
    return run
