"""Trials and records as rows of the tables, and back."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from numbers import Integral
from typing import Any

from sqlalchemy import Row

from archwise.experience.records import SearchRecord, TaskRecord
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import CurvePoint, Outcome, Trial

TRACEBACK_CHARACTERS = 20_000
_HEAD = 4_000


def plain(value: Any) -> Any:
    """Return data as strict JSON can hold it: NaN becomes null, infinities become words.

    Example:
        >>> plain({"loss": float("nan"), "limit": float("inf"), "seen": (1, 2.5)})
        {'loss': None, 'limit': 'Infinity', 'seen': [1, 2.5]}
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Integral):
        return int(value)
    number = float(value)
    if math.isfinite(number):
        return number
    return None if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def number(value: float | str | None) -> float:
    """Return the number that `plain` made a value of; the words for infinities are those that float() reads."""
    return math.nan if value is None else float(value) if isinstance(value, str) else value


def shorten(traceback: str) -> str:
    """Return a traceback of at most `TRACEBACK_CHARACTERS`: where it began, and above all how it ended.

    Example:
        >>> len(shorten("deep recursion\\n" * 100_000)) <= TRACEBACK_CHARACTERS
        True
    """
    if len(traceback) <= TRACEBACK_CHARACTERS:
        return traceback
    gap = f"\n... {len(traceback)} characters, the middle is left out ...\n"
    tail = TRACEBACK_CHARACTERS - _HEAD - len(gap)
    return traceback[:_HEAD] + gap + traceback[-tail:]


def trial_row(trial: Trial, architecture_hash: str, recipe_hash: str) -> dict[str, Any]:
    """Return a trial as a row, without the search, the task and the space."""
    outcome = trial.outcome
    return {
        "number": trial.number,
        "purpose": trial.purpose,
        "architecture": trial.candidate.architecture.to_json(),
        "architecture_hash": architecture_hash,
        "recipe": trial.candidate.recipe.to_json(),
        "recipe_hash": recipe_hash,
        "fidelity": float(trial.fidelity),
        "seed": int(trial.seed),
        "status": outcome.status,
        "score": float(outcome.score) if outcome.score is not None and math.isfinite(outcome.score) else None,
        "reason": outcome.reason,
        "traceback": shorten(outcome.traceback),
        "curve": plain(outcome.curve),
        "metrics": plain(outcome.metrics),
        "costs": plain(outcome.costs),
        "parent": trial.parent,
        "inherits": trial.inherits,
        "origin": trial.origin,
        "started": float(trial.started),
        "seconds": float(trial.seconds),
        "created": time.time(),
    }


def trial_from(row: Row[Any]) -> Trial:
    """Return the trial of a row."""
    outcome = Outcome(
        status=row.status,
        score=row.score,
        metrics={name: number(value) for name, value in row.metrics.items()},
        costs={name: number(value) for name, value in row.costs.items()},
        curve=tuple(CurvePoint(*map(number, point)) for point in row.curve),
        reason=row.reason,
        traceback=row.traceback,
    )
    return Trial(
        number=row.number,
        candidate=Candidate(Architecture.from_json(row.architecture), Architecture.from_json(row.recipe)),
        fidelity=row.fidelity,
        seed=row.seed,
        outcome=outcome,
        parent=row.parent,
        origin=row.origin,
        purpose=row.purpose,
        started=row.started,
        seconds=row.seconds,
        inherits=row.inherits,
    )


def task_row(task: TaskRecord) -> dict[str, Any]:
    """Return a task's record as a row."""
    return {
        "fingerprint": task.fingerprint,
        "name": task.name,
        "problem": task.problem,
        "signature": task.signature.to_json(),
        "objective": task.objective,
        "sizes": plain(task.sizes),
        "descriptor": plain(task.descriptor),
        "sketch": plain(task.sketch),
    }


def task_from(row: Row[Any]) -> TaskRecord:
    """Return the task's record of a row."""
    return TaskRecord(
        row.fingerprint,
        row.name,
        row.problem,
        Signature.from_json(row.signature),
        row.objective,
        row.sizes,
        row.descriptor,
        row.sketch,
    )


def search_row(search: SearchRecord) -> dict[str, Any]:
    """Return a search's record as a row, without the task and the spaces."""
    return {
        "id": search.id,
        "strategy": search.strategy,
        "settings": plain(search.settings),
        "seed": search.seed,
        "objective": search.objective,
        "budget": plain(search.budget),
        "run": search.run,
        "versions": plain(search.versions),
        "hardware": plain(search.hardware),
        "started": search.started,
        "ended": search.ended,
        "state": search.state,
        "source": search.source,
    }


def search_from(row: Row[Any]) -> SearchRecord:
    """Return the search's record of a row that also names the task and both spaces."""
    return SearchRecord(
        task=row.task,
        space=row.space,
        recipe_space=row.recipe_space,
        strategy=row.strategy,
        seed=row.seed,
        objective=row.objective,
        settings=row.settings,
        budget=row.budget,
        run=row.run,
        versions=row.versions,
        hardware=row.hardware,
        id=row.id,
        started=row.started,
        ended=row.ended,
        state=row.state,
        source=row.source,
    )
