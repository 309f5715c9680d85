"""Experiences with some of everything in them, and all that can be read out of one again."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.experience.entries import Entry, entries
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import CurvePoint, Outcome, Trial

SECRETS = (
    "Patients Zürich 2031",
    "ward_of_admission",
    "hiv_positive",
    "/home/jane.doe/secret/runs/7",
    "jane-laptop-6.1-acme",
    "patients_final.csv",
    "acme-private-space",
    "AcmeStrategy",
    "recall_of_hiv_positive",
    "line 7, in acme_internal",
    "2.9+acmebuild",
    "merged from jane.sqlite",
)
"""Names that somebody would not want to give away; each stands somewhere in `stock`."""
FINGERPRINT = "f" * 60 + "a1b2"
SKETCH = (1234567890123456, 987654321987654)


def stock(experience: Experience, seed: int = 0, trials: int = 5) -> list[str]:
    """Record two tasks, two spaces and three searches; return the searches' ids."""
    signature = Signature((7,), 2, "table")
    descriptor = {"log_rows": 7.123456789, "scatter": 0.51234567}
    sizes = {"train": 14981, "validation": 3127, "test": 377}
    first = TaskRecord(FINGERPRINT, SECRETS[0], "binary", signature, "accuracy", sizes, descriptor, SKETCH)
    second = TaskRecord("e" * 64, "wine", "multiclass", signature, "f1", {"train": 9})
    private = SpaceRecord("ab" * 16, "acme-private-space", {"name": "acme-private-space", "root": {"layer": "linear"}})
    spaces = (SpaceRecord("cd" * 16, "mlp", {"name": "mlp", "root": {}}), private)
    recipe = SpaceRecord("ef" * 16, "recipe-table", {"name": "recipe-table", "root": {}})
    for record in (first, second):
        experience.add_task(record)
    for space in (*spaces, recipe):
        experience.add_space(space)
    searches = []
    for index, (task, space) in enumerate(((first, private), (first, spaces[0]), (second, spaces[0]))):
        rng = random.Random(f"{seed} {index}")
        search = SearchRecord(
            task.fingerprint,
            space.hash,
            recipe.hash,
            "AcmeStrategy",
            rng.randrange(2**40),
            "accuracy",
            settings={
                "epochs": 12.5,
                "space": space.name,
                "fix": {"ward_of_admission" if index == 0 else "depth": [1]},
            },
            budget={"trials": 40, "note": "patients_final.csv"},
            run="/home/jane.doe/secret/runs/7",
            versions={"archwise": "0.1.0", "torch": "2.9+acmebuild", "acme": "patients_final.csv"},
            hardware={"cpu": "Fast CPU", "cores": 8, "gpus": [], "system": "jane-laptop-6.1-acme"},
            id=f"search {index} of {seed}",
            started=1_900_000_000.25 + index,
            source="" if task is first else "merged from jane.sqlite on 2031-01-01",
        )
        experience.begin_search(search)
        if index == 0:
            experience.end_search(search.id, "finished")
        for number in range(trials):
            trial = _trial(number, rng)
            experience.add_trial(search.id, trial, f"graph {rng.randrange(99)}", f"recipe {rng.randrange(99)}")
        searches.append(search.id)
    return searches


def _trial(number: int, rng: random.Random) -> Trial:
    score = rng.random()
    names = {"accuracy": score, "log_loss": float("inf"), "recall_of_hiv_positive": 0.25}
    costs = {"parameters": 1000 + number, "train_seconds": float("nan"), "patients_final.csv": 1.5}
    outcome = Outcome("finished", score, names, costs, (CurvePoint(1.0, 2.0, float("nan"), 0.5, score),))
    if number % 3 == 1:
        reason = "cannot be built: the column ward_of_admission"
        outcome = Outcome("failed", None, {}, costs, (), reason, "Traceback:\n  line 7, in acme_internal\n")
    candidate = Candidate(
        Architecture({"depth": rng.randrange(9), "op": "conv", "deep": True}), Architecture({"rate": 1e-3})
    )
    trial = Trial(number, candidate, 1.0, rng.randrange(2**62), outcome, origin=f"as on {SECRETS[0]}", started=1.9e9)
    return replace(trial, parent=number - 1 if number % 3 == 2 else None, seconds=3.5)


def content(experience: Experience, without: tuple[str, ...] = ("source",)) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return all that an experience holds, whatever the order it came in."""

    def key(entry: Entry) -> tuple[Any, ...]:
        row = entry.row
        named = {
            "space": ("hash",),
            "task": ("fingerprint",),
            "search": ("id",),
            "trial": ("search", "number", "purpose"),
        }
        return (entry.kind, *(row[name] for name in named[entry.kind]))

    found = experience.database.read(lambda connection: list(entries(connection)))
    held = {key(entry): {k: v for k, v in entry.row.items() if k not in without} for entry in found}
    assert len(held) == len(found)
    return held


def change(file: Path, *statements: str) -> None:
    """Change an experience's file behind its back."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def stocked(file: Path, seed: int = 0, trials: int = 5) -> Path:
    """Make an experience's file and return it."""
    with Experience(file) as experience:
        stock(experience, seed, trials)
    return file
