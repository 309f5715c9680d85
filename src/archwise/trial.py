"""What passes between strategy, evaluator and search: proposals, outcomes and trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, NamedTuple

from archwise.spaces.architecture import Architecture, Candidate

Status = Literal["finished", "failed", "pruned"]
INHERITABLE = 30
"""Trials of one fidelity, the best ones, whose trained weights a search keeps for others to start from."""


@dataclass(frozen=True)
class Proposal:
    """Work for a worker: evaluate this candidate at this fidelity.

    Args:
        candidate: architecture and recipe.
        fidelity: share of the full training to spend, in (0, 1].
        parent: number of the trial whose training this one continues (same candidate, same seed, lower fidelity).
        origin: where the candidate came from, in words for people ("random", "mutation of trial 12").
        inherits: number of the trial of this search whose trained weights the training starts from, as far as they fit
            (another candidate, finished); None to start from scratch. A trial that continues another inherits what that
            one did. Searches keep the weights of the `INHERITABLE` best trials of each fidelity; a new trial whose
            weights are gone starts from scratch, and its record says so.
    """

    candidate: Candidate
    fidelity: float = 1.0
    parent: int | None = None
    origin: str = ""
    inherits: int | None = None


class Pending(NamedTuple):
    """A proposal that is being evaluated."""

    number: int
    proposal: Proposal


class CurvePoint(NamedTuple):
    """One point of a learning curve."""

    fidelity: float
    """Share of the full schedule that was done."""
    seconds: float
    """Training time so far, in seconds (of this trial and the trials it continues)."""
    train_loss: float
    """Mean training loss since the last point."""
    validation_loss: float
    score: float
    """The objective on the validation split, higher is better."""


@dataclass(frozen=True)
class Outcome:
    """What an evaluator returns; a failure is an outcome with a reason, never an exception.

    Args:
        status: "finished", "failed" or "pruned" (stopped early because it could not win).
        score: the objective on the validation split, higher is better (errors come negated); None unless finished.
        metrics: every validation metric by name, in its natural sign.
        costs: "parameters", "flops" (multiply-adds x 2, one example), "memory_bytes" (what training holds: weights,
            gradients, optimiser state and the activations of a batch), "latency_ms" (one example), "train_seconds".
        curve: the learning curve.
        reason: one sentence that says why the trial failed: "diverged", "out of memory", "time limit", ...
        traceback: the failure's traceback, where there is one.
    """

    status: Status
    score: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[CurvePoint, ...] = ()
    reason: str = ""
    traceback: str = ""

    def __post_init__(self) -> None:
        if self.status == "finished" and (self.score is None or not math.isfinite(self.score)):
            raise ValueError(f"A finished outcome needs a finite score, not {self.score!r}.")

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON data."""
        return asdict(self) | {"curve": [list(point) for point in self.curve]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outcome:
        """Rebuild an outcome from what `to_json` returned."""
        return cls(**{**data, "curve": tuple(CurvePoint(*point) for point in data["curve"])})


@dataclass(frozen=True)
class Trial:
    """One evaluation with everything worth knowing about it.

    Args:
        number: its place in the search, counted from 0 in the order of proposing; negative for another search's trial.
        candidate: architecture and recipe.
        fidelity: share of the full training that was spent.
        seed: the seed of initial weights, data order and dropout.
        outcome: what came of it.
        parent: the trial whose training it continued.
        origin: where the candidate came from, in words.
        purpose: "search" for the strategy's trials, "confirm" for the finalists' evaluations with fresh seeds.
        started: seconds since the epoch.
        seconds: wall time from proposal to record.
        inherits: the trial whose trained weights it started from.
    """

    number: int
    candidate: Candidate
    fidelity: float
    seed: int
    outcome: Outcome
    parent: int | None = None
    origin: str = ""
    purpose: Literal["search", "confirm"] = "search"
    started: float = 0.0
    seconds: float = 0.0
    inherits: int | None = None

    @property
    def score(self) -> float | None:
        """The objective, higher is better; None unless the trial finished."""
        return self.outcome.score if self.outcome.status == "finished" else None

    def to_json(self) -> dict[str, Any]:
        """Return the trial as plain JSON data."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("candidate", "outcome")}
        data["architecture"] = self.candidate.architecture.to_json()
        data["recipe"] = self.candidate.recipe.to_json()
        return data | {"outcome": self.outcome.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trial:
        """Rebuild a trial from what `to_json` returned."""
        data = dict(data)
        candidate = Candidate(
            Architecture.from_json(data.pop("architecture")), Architecture.from_json(data.pop("recipe"))
        )
        return cls(**data | {"candidate": candidate, "outcome": Outcome.from_json(data["outcome"])})
