"""All that an experience holds as one stream of entries: what merging, exporting and importing pass on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, or_, select

from archwise.experience import schema
from archwise.experience.queries import every_search

Kind = Literal["space", "task", "search", "trial"]
_AT_ONCE = 500


class Entry(NamedTuple):
    """One record. What it refers to is named by its fingerprint, hash or id, never by a table's own numbers."""

    kind: Kind
    row: dict[str, Any]


def entries(connection: Connection, fingerprints: Sequence[str] | None = None) -> Iterator[Entry]:
    """Yield spaces and tasks, then each search, followed by its trials; a few hundred are in memory at a time.

    Args:
        connection: within a transaction, so that all is of one moment.
        fingerprints: of the tasks to yield, with their searches and the spaces of these; all if None.
    """
    searches, spaces, tasks = every_search(), select(schema.space), select(schema.task)
    if fingerprints is not None:
        searches = searches.where(schema.task.c.fingerprint.in_(fingerprints))
        tasks = tasks.where(schema.task.c.fingerprint.in_(fingerprints))
        chosen = searches.subquery()
        used = (chosen.c.space, chosen.c.recipe_space)
        spaces = spaces.where(or_(*(schema.space.c.hash.in_(select(column)) for column in used)))
    for row in _rows(connection, spaces.order_by(schema.space.c.id)):
        yield Entry("space", _content(row, "id"))
    for row in _rows(connection, tasks.order_by(schema.task.c.id)):
        yield Entry("task", _content(row, "id"))
    column = schema.trial.c
    trials = select(schema.trial).where(column.search_id == bindparam("search"))
    trials = trials.order_by(column.number, column.purpose.desc())
    for row in _rows(connection, searches.order_by(schema.search.c.started, schema.search.c.id)):
        yield Entry("search", _content(row, "task_id", "space_id", "recipe_space_id"))
        for trial in _rows(connection, trials, search=row.id):
            yield Entry("trial", _content(trial, "id", "search_id", "task_id", "space_id") | {"search": row.id})


def _rows(connection: Connection, statement: Select[Any], **values: str) -> Iterator[Row[Any]]:
    yield from connection.execute(statement, values, execution_options={"yield_per": _AT_ONCE})


def _content(row: Row[Any], *without: str) -> dict[str, Any]:
    content = row._asdict()
    for name in without:
        del content[name]
    return content
