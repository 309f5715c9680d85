"""A run folder as the report reads it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from archwise.errors import RunError
from archwise.report.words import metric_name, percent

_COMPARABLE = 1e-6
"""Fidelities that differ by less are one."""


class Level(NamedTuple):
    """Fidelities that are drawn alike: those above the level before, up to this."""

    upper: float
    label: str


@dataclass(frozen=True)
class RunRecord:
    """What a search left behind.

    Args:
        folder: the run folder.
        metrics: the content of metrics.json.
        search: the content of run.json.
        architecture: the content of architecture.json.
        trials: the content of trials.parquet: the search's trials by number, then the evaluations with fresh seeds.
    """

    folder: Path
    metrics: dict[str, Any]
    search: dict[str, Any]
    architecture: dict[str, Any]
    trials: pd.DataFrame

    @classmethod
    def load(cls, folder: str | Path) -> RunRecord:
        """Read a run folder.

        Raises:
            RunError: a file of it is missing or unreadable.
        """
        folder = Path(folder)
        try:
            trials = pd.read_parquet(folder / "trials.parquet")
        except (OSError, ValueError) as error:
            raise _unreadable(folder, "trials.parquet") from error
        metrics, search, architecture = (_read(folder, f"{name}.json") for name in ("metrics", "run", "architecture"))
        return cls(
            folder,
            metrics,
            search,
            architecture,
            trials.sort_values(["purpose", "number"], ascending=[False, True], ignore_index=True),
        )

    @property
    def objective(self) -> str:
        """The metric that the search improved."""
        return str(self.metrics["objective"])

    @property
    def objective_name(self) -> str:
        """The objective in words."""
        return metric_name(self.objective)

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value of the objective is better."""
        return bool(self.metrics["higher_is_better"])

    def setting(self, name: str) -> Any:
        """Return a setting of the search by its name; None where run.json has none."""
        return self.search["settings"].get(name)

    def natural(self, score: float | None) -> float | None:
        """Return a score (higher is better) as the objective's value in its natural sign; None stays None."""
        if score is None or not math.isfinite(score):
            return None
        return score if self.higher_is_better else 0.0 - score

    @cached_property
    def searched(self) -> pd.DataFrame:
        """The strategy's trials, without the finalists' confirmations."""
        return self.trials[self.trials["purpose"] == "search"]

    @cached_property
    def finished(self) -> pd.DataFrame:
        """The strategy's trials that have a score."""
        return self.searched[self.searched["status"] == "finished"]

    @cached_property
    def levels(self) -> list[Level]:
        """The fidelities of the search from low to high: each one, or a few ranges where there are many."""
        uppers = sorted({round(float(f), 6) for f in self.searched["fidelity"]})
        if len(uppers) > 4:
            return [Level(upper, f"up to {percent(upper)}") for upper in (0.25, 0.5, 1 - _COMPARABLE)] + [
                Level(1.0, "full training")
            ]
        return [
            Level(u + _COMPARABLE, "full training" if u > 1 - _COMPARABLE else f"{percent(u)} of it") for u in uppers
        ]

    def level(self, fidelity: float) -> int:
        """Return the place of a fidelity's level in `levels`."""
        return next((i for i, level in enumerate(self.levels) if fidelity <= level.upper), len(self.levels) - 1)

    @cached_property
    def winner(self) -> int | None:
        """The number of the search's trial that won, where it is known."""
        chosen = [f["trial"] for f in self.metrics["finalists"] if f["chosen"]]
        return chosen[0] if chosen else self.trial_of(self.metrics["architecture"], self.metrics["recipe"])

    @property
    def deciding_seeds(self) -> int:
        """With how many fresh seeds the winner was compared with the others."""
        return next((f["deciding_seeds"] for f in self.metrics["finalists"] if f["chosen"]), 0)

    def trial_of(self, architecture: dict[str, Any], recipe: dict[str, Any]) -> int | None:
        """Return the number of the finished trial of a candidate that spent the largest fidelity, if there is one."""
        same = [
            (float(trial["fidelity"]), int(trial["number"]))
            for trial in records(self.finished)
            if json.loads(trial["architecture"]) == architecture and json.loads(trial["recipe"]) == recipe
        ]
        return max(same)[1] if same else None


def records(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what is needed of each trial to tell candidates and their scores apart."""
    names = ["number", "fidelity", "score", "architecture", "recipe"]
    return [dict(zip(names, row, strict=True)) for row in trials[names].itertuples(index=False)]


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(folder, name) from error
    return data


def _unreadable(folder: Path, name: str) -> RunError:
    return RunError(
        f"The run folder {str(folder)!r} has no readable {name}: give the folder that a finished search left."
    )
