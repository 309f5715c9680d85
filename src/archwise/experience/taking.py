"""Taking entries of elsewhere into an experience: what is known stays as it is, what is missing is added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select, update

from archwise.experience import schema
from archwise.experience.entries import Entry
from archwise.experience.experience import Experience
from archwise.experience.queries import complete_task, every_search, id_of
from archwise.experience.records import Amounts

_AT_ONCE = 1000


class _Place(NamedTuple):
    """Where trials go: numbers of the search's task and space; `open` says whether any may be added."""

    task_id: int
    space_id: int
    open: bool


def take(into: Experience, found: Iterable[Entry], source: str, *, trusted: bool) -> Amounts:
    """Add what is missing, some hundreds of entries in a transaction: where it is ended early, it can be done again.

    Args:
        into: the experience that learns.
        found: entries in the order of `entries`.
        source: where they come from; searches that have a source already keep it.
        trusted: whether they may add to this experience's own searches and fill in what is not known of its tasks.
    """
    gain, place = Amounts(), None
    for batch in _batches(found):

        def work(
            connection: Connection, batch: Sequence[Entry] = batch, place: _Place | None = place
        ) -> tuple[Amounts, _Place | None]:
            return _take_batch(connection, batch, place, source, trusted)

        more, place = into.database.write(work)
        gain += more
    return gain


def _batches(found: Iterable[Entry]) -> Iterator[list[Entry]]:
    stream = iter(found)
    while batch := list(islice(stream, _AT_ONCE)):
        yield batch


def _take_batch(
    connection: Connection, batch: Sequence[Entry], place: _Place | None, source: str, trusted: bool
) -> tuple[Amounts, _Place | None]:
    """Return what was new, and where the trials go that follow in the next batch."""
    gain = Amounts()
    for kind, group in groupby(batch, key=lambda entry: entry.kind):
        rows = [entry.row for entry in group]
        if kind == "trial":
            assert place is not None, "trials follow their search"
            gain += Amounts(trials=_add_trials(connection, rows, place))
        elif kind == "space":
            gain += Amounts(spaces=sum(_add(connection, schema.space, "hash", row) for row in rows))
        elif kind == "task":
            gain += Amounts(tasks=sum(_add(connection, schema.task, "fingerprint", row) for row in rows))
            for row in rows if trusted else ():
                complete_task(connection, row)
        else:
            for row in rows:
                place, new = _add_search(connection, row, source, trusted)
                gain += Amounts(searches=int(new), left=int(not place.open))
    return gain, place


def _add(connection: Connection, table: Table, key: str, row: dict[str, Any]) -> bool:
    if connection.execute(select(table.c.id).where(table.c[key] == row[key])).first() is not None:
        return False
    connection.execute(insert(table), row)
    return True


def _add_search(connection: Connection, row: dict[str, Any], source: str, trusted: bool) -> tuple[_Place, bool]:
    """Return where its trials go, and whether the search is new."""
    mine = schema.search.c.id == row["id"]
    known = connection.execute(every_search().where(mine)).first()
    named = ("task", "space", "recipe_space")
    if known is None:
        content = {name: value for name, value in row.items() if name not in named}
        numbers = {
            "task_id": id_of(connection, schema.task.c.fingerprint, row["task"]),
            "space_id": id_of(connection, schema.space.c.hash, row["space"]),
            "recipe_space_id": id_of(connection, schema.space.c.hash, row["recipe_space"]),
        }
        connection.execute(insert(schema.search), content | numbers | {"source": row["source"] or source})
        return _Place(numbers["task_id"], numbers["space_id"], True), True
    same = all(getattr(known, name) == row[name] for name in named)
    open_ = same and (trusted or known.source != "")
    if open_ and row["ended"] is not None and (known.ended is None or row["ended"] > known.ended):
        changes = {name: row[name] for name in ("budget", "ended", "state")}
        connection.execute(update(schema.search).where(mine).values(changes))
    return _Place(known.task_id, known.space_id, open_), False


def _add_trials(connection: Connection, rows: Sequence[dict[str, Any]], place: _Place) -> int:
    """Add those that are missing of one search and return how many they were."""
    if not place.open:
        return 0
    column, numbers = schema.trial.c, [row["number"] for row in rows]
    known = connection.execute(
        select(column.number, column.purpose).where(
            column.search_id == rows[0]["search"], column.number.between(min(numbers), max(numbers))
        )
    )
    seen = {(number, purpose) for number, purpose in known}
    missing = []
    for row in rows:
        if (row["number"], row["purpose"]) not in seen:
            seen.add((row["number"], row["purpose"]))
            content = {name: value for name, value in row.items() if name != "search"}
            ids = {"search_id": row["search"], "task_id": place.task_id, "space_id": place.space_id}
            missing.append(content | ids)
    if missing:
        connection.execute(insert(schema.trial), missing)
    return len(missing)
