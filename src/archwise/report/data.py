"""What the page's charts and table are drawn from: every trial, column by column."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pandas as pd

from archwise.report.record import RunRecord

_TRACEBACK = 4000
"""Characters of a traceback that are kept: its end, which names the error."""
_DIGITS = 7
_NUMBERS = ("number", "fidelity", "seconds", "seed", "parent", "parameters", "flops", "memory_bytes", "latency_ms")
_COSTS = ("parameters", "flops", "latency_ms", "train_seconds")


def page_data(run: RunRecord) -> dict[str, Any]:
    """Return everything that the page's scripts draw, as JSON data; values are in the objective's natural sign."""
    trials, metrics = run.trials, run.metrics
    default = metrics["default"]
    same = run.trial_of(default["architecture"], default["recipe"])
    own = trials[(trials["number"] == same) & (trials["purpose"] == "search")]
    costs = {key: _number(default.get(key)) for key in _COSTS}
    if len(own):
        costs = {key: _number(own[key].iloc[0]) if costs[key] is None else costs[key] for key in costs}
    confirmed = any(f["scores"] and f["trial"] == same for f in metrics["finalists"])
    records = [
        {**json.loads(architecture), **json.loads(recipe)}
        for architecture, recipe in zip(trials["architecture"], trials["recipe"], strict=True)
    ]
    paths = dict.fromkeys(path for record in records for path in record)
    return {
        "objective": {"name": run.objective_name, "higher": run.higher_is_better},
        "levels": [level.label for level in run.levels],
        "winner": run.winner,
        "default": {
            "trial": same,
            "label": "default, fresh seeds" if confirmed else "default",
            "value": _number(default["validation"].get(run.objective)),
            **costs,
        },
        "numbers": {
            "value": [_number(run.natural(score)) for score in trials["score"].astype(float)],
            "elapsed": [_number(t) for t in elapsed(run)],
            "train_seconds": [_number(value) for value in trials["train_seconds"]],
            "level": [run.level(fidelity) for fidelity in trials["fidelity"]],
            **{name: [_number(value) for value in trials[name]] for name in _NUMBERS},
        },
        "words": {
            **{name: _coded(trials[name].fillna("")) for name in ("purpose", "status", "origin", "reason")},
            "traceback": _coded(text[-_TRACEBACK:] for text in trials["traceback"].fillna("")),
        },
        "choices": {path: _coded(record.get(path) for record in records) for path in paths},
    }


def elapsed(run: RunRecord) -> list[float]:
    """Return for each trial the time that the search had run when it ended, in seconds; pauses do not count."""
    sessions = run.search["sessions"]
    begins, ends = run.trials["started"], run.trials["started"] + run.trials["seconds"]
    result = pd.Series(math.nan, index=run.trials.index)
    before = 0.0
    for begun, following in pairwise([*sessions, math.inf]):
        inside = (begins >= begun) & (begins < following)
        result[inside] = ends[inside] - begun + before
        before = max([before, *result[inside]])
    return result.tolist()


def _coded(values: Iterable[Any]) -> dict[str, Any]:
    """A column of few different values: each one once, and where it stands."""
    codes: dict[str, int] = {}
    column = [codes.setdefault(json.dumps(value), len(codes)) for value in values]
    return {"values": [json.loads(text) for text in codes], "codes": column}


def _number(value: Any) -> float | int | None:
    """A number without more digits than anyone needs."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else float(f"{number:.{_DIGITS}g}")
