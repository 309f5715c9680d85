"""What a new search asks of an experience: which searches there were, and a few of their trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, func, or_, select, tuple_

from archwise.experience import schema
from archwise.experience.experience import Experience
from archwise.experience.records import SpaceRecord
from archwise.experience.rows import trial_from
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import Trial

BEST = 0.3
"""Share of the chosen trials that are the best ones; the others are spread evenly over the rest."""
SEARCHES = 100
"""Most searches of one past task that are looked at: the latest."""


class PastSearch(NamedTuple):
    """As much of a search as it takes to choose among many."""

    id: str
    task: str
    """Fingerprint of the task."""
    space: str
    """Hash of the networks' space."""
    recipe_space: str
    """Hash of the recipes' space."""
    objective: str
    epochs: float | None
    """Length of a full training."""
    version: str
    """The archwise that recorded it."""
    started: float


class Outline(NamedTuple):
    """As much of a trial as it takes to choose among many."""

    search: str
    number: int
    fidelity: float
    score: float | None
    """None unless it finished."""


class Recorded(NamedTuple):
    """What a trial says of its candidate."""

    candidate: Candidate
    architecture_hash: str
    recipe_hash: str


def past_searches(memory: Experience) -> list[PastSearch]:
    """Return every search in the order in which they began."""
    column, recipes = schema.search.c, schema.space.alias()
    statement = (
        select(
            column.id,
            schema.task.c.fingerprint,
            schema.space.c.hash,
            recipes.c.hash.label("recipes"),
            column.objective,
            column.settings["epochs"].as_float().label("epochs"),
            column.versions["archwise"].as_string().label("version"),
            column.started,
        )
        .join(schema.task, schema.task.c.id == column.task_id)
        .join(schema.space, schema.space.c.id == column.space_id)
        .join(recipes, recipes.c.id == column.recipe_space_id)
        .order_by(column.started, column.id)
    )
    return [PastSearch._make(row) for row in _rows(memory, statement)]


def outlines(memory: Experience, searches: Sequence[PastSearch], most: int) -> list[Outline]:
    """Return some of the trials that the strategies of searches made: the best ones, and evenly spread ones.

    What another trial continued is left out. No trial is read for it, only the index.

    Args:
        memory: the experience.
        searches: whose scores can be compared; of very many the latest.
        most: how many trials at most.
    """
    trial, search = schema.trial.c, schema.search.c
    ids = [past.id for past in searches[-SEARCHES:]]
    of_searches = trial.search_id.in_(ids) & (trial.purpose == "search")
    continued = select(trial.search_id, trial.parent).where(of_searches, trial.parent.is_not(None))
    finished = (trial.status == "finished").label("finished")
    best_first = (finished.desc(), trial.fidelity.desc(), func.coalesce(trial.score, 0.0).desc())
    in_order = (search.started, trial.search_id, trial.number)
    placed = (
        select(
            trial.search_id,
            trial.number,
            trial.fidelity,
            trial.score,
            finished,
            search.started,
            func.row_number().over(order_by=(*best_first, *in_order)).label("place"),
        )
        .join(schema.search, search.id == trial.search_id)
        .where(of_searches, tuple_(trial.search_id, trial.number).not_in(continued))
        .subquery()
    )
    best = round(BEST * most)
    column, spread = placed.c, most - best
    is_best = column.place <= best
    counted = select(
        placed,
        func.row_number()
        .over(partition_by=is_best, order_by=(column.started, column.search_id, column.number))
        .label("spot"),
        func.count().over(partition_by=is_best).label("rest"),
    ).subquery()
    column = counted.c
    steps = (column.spot * spread) // column.rest, ((column.spot - 1) * spread) // column.rest
    statement = (
        select(column.search_id, column.number, column.fidelity, column.score, column.finished)
        .where(or_(column.place <= best, steps[0] > steps[1]))
        .order_by(column.started, column.search_id, column.number)
    )
    return [
        Outline(row.search_id, row.number, row.fidelity, row.score if row.finished else None)
        for row in _rows(memory, statement)
    ]


def thinned(found: Sequence[Outline], most: int) -> list[Outline]:
    """Return some of the outlines, chosen as `outlines` chooses."""
    if len(found) <= most:
        return list(found)

    def worst_last(place: int) -> tuple[bool, float, float]:
        outline = found[place]
        return outline.score is None, -outline.fidelity, -(outline.score or 0.0)

    order = sorted(range(len(found)), key=worst_last)
    best = round(BEST * most)
    rest = sorted(order[best:])
    spread = [rest[i * len(rest) // (most - best)] for i in range(most - best)]
    return [found[place] for place in sorted([*order[:best], *spread])]


def recorded(memory: Experience, chosen: Mapping[str, Sequence[int]]) -> dict[tuple[str, int], Recorded]:
    """Return what trials say of their candidates, by search and number.

    Args:
        memory: the experience.
        chosen: id of a search -> numbers of its trials.
    """
    trial = schema.trial.c
    columns = (trial.number, trial.architecture, trial.architecture_hash, trial.recipe, trial.recipe_hash)
    return {
        (search, row.number): Recorded(_candidate(row), row.architecture_hash, row.recipe_hash)
        for search, numbers in chosen.items()
        for row in _rows(memory, select(*columns).where(*_strategys_own(search, numbers)))
    }


def recorded_trials(memory: Experience, search: str, numbers: Sequence[int]) -> list[tuple[Trial, Recorded]]:
    """Return a search's trials of these numbers, in their order; what is not there is left out."""
    statement = select(schema.trial).where(*_strategys_own(search, numbers)).order_by(schema.trial.c.number)
    found = []
    for row in _rows(memory, statement):
        trial = trial_from(row)
        found.append((trial, Recorded(trial.candidate, row.architecture_hash, row.recipe_hash)))
    return found


def known_space(memory: Experience, hash_: str) -> SpaceRecord | None:
    """Return what was recorded of a space; None where none has that hash."""
    rows = _rows(memory, select(schema.space).where(schema.space.c.hash == hash_))
    return SpaceRecord(rows[0].hash, rows[0].name, rows[0].description) if rows else None


def _strategys_own(search: str, numbers: Sequence[int]) -> tuple[Any, ...]:
    trial = schema.trial.c
    return trial.search_id == search, trial.purpose == "search", trial.number.in_(numbers)


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(Architecture.from_json(row.architecture), Architecture.from_json(row.recipe))


def _rows(memory: Experience, statement: Select[Any]) -> Sequence[Row[Any]]:
    return memory.database.read(lambda connection: connection.execute(statement).all())
