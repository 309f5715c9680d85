"""The experience: every trial of every search, kept for good."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, exc, insert, select, tuple_, update

from archwise.errors import ExperienceError
from archwise.experience import schema
from archwise.experience.database import Database
from archwise.experience.queries import complete_task, every_search, id_of
from archwise.experience.records import SearchRecord, SearchState, SpaceRecord, Summary, TaskRecord
from archwise.experience.rows import (
    plain,
    search_from,
    search_row,
    task_from,
    task_row,
    trial_from,
    trial_row,
)
from archwise.experience.summary import origins, task_summaries
from archwise.trial import Trial

_TRIALS_AT_ONCE = 500


class Experience:
    """The durable memory of all trials of all tasks, in one SQLite file or another database.

    Any number of processes and threads may use one experience at once. Once a method that writes returns, its
    record is committed and survives the death of any process. In a power cut a SQLite file stays consistent
    but may lose the last trials, those since the last checkpoint of its log (about 4 MB of records).

    Args:
        location: a file (made if it does not exist, with its folder); an SQLAlchemy URL; or None for
            `experience.sqlite` in the user's data folder.
        timeout: seconds to wait while other processes write; what still waits then fails.
        lift: whether what is new or of an older version gets this version's tables; if not, it is refused.

    Raises:
        ExperienceError: here and from every method, when the database cannot be read or written: no database,
            damaged, of a newer version, locked, not writable, disk full.

    Example:
        >>> import tempfile
        >>> from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
        >>> from archwise.signature import Signature
        >>> from archwise.spaces.architecture import Architecture, Candidate
        >>> from archwise.trial import Outcome, Trial
        >>> folder = tempfile.TemporaryDirectory()
        >>> with Experience(f"{folder.name}/experience.sqlite") as experience:
        ...     task = experience.add_task(TaskRecord(
        ...         "5f3a", "iris", "multiclass", Signature((4,), 3, "table"), "accuracy", {"train": 96}))
        ...     space = experience.add_space(SpaceRecord("a1", "mlp", {"choice": "depth", "options": [1, 2]}))
        ...     recipes = experience.add_space(SpaceRecord("b2", "recipe", {}))
        ...     search = experience.begin_search(SearchRecord(task, space, recipes, "random", 0, "accuracy"))
        ...     candidate = Candidate(Architecture({"depth": 2}), Architecture({}))
        ...     trial = Trial(0, candidate, 1.0, 0, Outcome("finished", 0.9, {"accuracy": 0.9}))
        ...     experience.add_trial(search, trial, "c3", "d4")
        ...     experience.end_search(search, "finished")
        ...     experience.trials(search) == [trial], experience.summary().tasks[0].best
        (True, 0.9)
        >>> folder.cleanup()
    """

    def __init__(self, location: str | Path | None = None, *, timeout: float = 60.0, lift: bool = True):
        self.database = Database(location, timeout, lift)

    @property
    def location(self) -> str:
        """The file, or the URL without its password."""
        return self.database.name

    @property
    def surrogates(self) -> Path | None:
        """The folder beside the file where what was learnt from it is kept; None where it is not a file."""
        file = self.database.file
        return None if file is None else file.with_name(f"{file.name}.surrogates")

    def __enter__(self) -> Experience:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; nothing is lost without it."""
        self.database.close()

    def add_task(self, task: TaskRecord) -> str:
        """Remember a task and return its fingerprint; one that is known stays as it was recorded.

        Only a descriptor or a sketch that was not known of it is filled in.
        """
        row = task_row(task)
        self._add_once(schema.task, schema.task.c.fingerprint, row)
        self.database.write(lambda connection: complete_task(connection, row))
        return task.fingerprint

    def add_space(self, space: SpaceRecord) -> str:
        """Remember a space and return its hash; one that is known stays as it was recorded."""
        row = {"hash": space.hash, "name": space.name, "description": plain(space.description)}
        self._add_once(schema.space, schema.space.c.hash, row)
        return space.hash

    def begin_search(self, record: SearchRecord) -> str:
        """Record that a search runs, and return its id.

        A record with the id of a search that is known continues it: it runs again, with the record's budget.

        Raises:
            ExperienceError: also when the task or a space was not added before.
        """

        def work(connection: Connection) -> None:
            # `ended` and `state` may come from an earlier run of the same search.
            row = search_row(replace(record, ended=None, state="running"))
            changes = {name: row[name] for name in ("budget", "ended", "state")}
            mine = schema.search.c.id == record.id
            if connection.execute(update(schema.search).where(mine).values(changes)).rowcount:
                return
            row["task_id"] = id_of(connection, schema.task.c.fingerprint, record.task)
            row["space_id"] = id_of(connection, schema.space.c.hash, record.space)
            row["recipe_space_id"] = id_of(connection, schema.space.c.hash, record.recipe_space)
            connection.execute(insert(schema.search).values(row))

        self.database.write(work)
        return record.id

    def settle(self, search_id: str, settings: Mapping[str, Any]) -> None:
        """Record the settings of a search that were found out after it began, such as how long a full training is.

        Raises:
            ExperienceError: also when there is no such search.
        """
        statement = update(schema.search).where(schema.search.c.id == search_id).values(settings=plain(settings))
        if not self.database.write(lambda connection: connection.execute(statement).rowcount):
            raise self._no_search(search_id)

    def end_search(self, search_id: str, state: SearchState) -> None:
        """Record that a search ended now, and how.

        Raises:
            ExperienceError: also when there is no such search.
        """
        statement = update(schema.search).where(schema.search.c.id == search_id).values(state=state, ended=time.time())
        if not self.database.write(lambda connection: connection.execute(statement).rowcount):
            raise self._no_search(search_id)

    def add_trial(self, search_id: str, trial: Trial, architecture_hash: str, recipe_hash: str) -> None:
        """Record a trial; once this returns, the trial survives the death of any process.

        A trial whose search, number and purpose are known stays as it was recorded first. A traceback of more
        than 20,000 characters loses its middle.

        Args:
            search_id: what `begin_search` returned.
            trial: the trial, however it ended.
            architecture_hash: canonical hash of the architecture's graph, equal for equal functions.
            recipe_hash: hash of the recipe.

        Raises:
            ExperienceError: also when there is no such search.
        """
        row = trial_row(trial, architecture_hash, recipe_hash) | {"search_id": search_id}
        search = schema.search.c

        def work(connection: Connection) -> None:
            found = connection.execute(select(search.task_id, search.space_id).where(search.id == search_id)).first()
            if found is None:
                raise self._no_search(search_id)
            connection.execute(insert(schema.trial), row | found._asdict())

        try:
            self.database.write(work)
        except exc.IntegrityError:
            if not self._has_trial(search_id, trial):
                raise

    def trials(self, search_id: str, numbers: Sequence[int] | None = None) -> list[Trial]:
        """Return a search's trials in the order of their numbers, "search" before "confirm".

        Args:
            search_id: what `begin_search` returned.
            numbers: of the trials to return; all if None.

        Raises:
            ExperienceError: also when there is no such search.
        """
        column = schema.trial.c
        statement = select(schema.trial).where(column.search_id == search_id)
        statement = statement.order_by(column.number, column.purpose.desc())
        if numbers is not None:
            statement = statement.where(column.number.in_(numbers))
        rows = self._rows(statement)
        if not rows:
            self.search(search_id)
        return [trial_from(row) for row in rows]

    def trials_of_space(self, space_hash: str) -> Iterator[tuple[TaskRecord, Trial]]:
        """Yield every trial of every task in a space of networks, task by task, in the order of recording.

        The task's objective is that of the trial's search, which the score comes from. Trials are read some
        hundreds at a time and no lock is held; those recorded meanwhile may or may not come.
        """
        column = schema.trial.c
        statement = (
            select(schema.trial, schema.search.c.objective.label("search_objective"))
            .join(schema.search, schema.search.c.id == column.search_id)
            .join(schema.space, schema.space.c.id == column.space_id)
            .where(schema.space.c.hash == space_hash)
            .order_by(column.task_id, column.id)
            .limit(_TRIALS_AT_ONCE)
        )
        last = (0, 0)
        task_id, task = 0, None
        while True:
            after = statement.where(tuple_(column.task_id, column.id) > tuple_(*last))
            rows = self._rows(after)
            for row in rows:
                if task is None or row.task_id != task_id:
                    task_id = row.task_id
                    task = task_from(self._rows(select(schema.task).where(schema.task.c.id == task_id))[0])
                yield replace(task, objective=row.search_objective), trial_from(row)
            if len(rows) < _TRIALS_AT_ONCE:
                return
            last = (rows[-1].task_id, rows[-1].id)

    def search(self, search_id: str) -> SearchRecord:
        """Return a search's record.

        Raises:
            ExperienceError: also when there is no such search.
        """
        rows = self._rows(every_search().where(schema.search.c.id == search_id))
        if not rows:
            raise self._no_search(search_id)
        return search_from(rows[0])

    def searches(self) -> list[SearchRecord]:
        """Return every search, in the order in which they began."""
        statement = every_search().order_by(schema.search.c.started, schema.search.c.id)
        return [search_from(row) for row in self._rows(statement)]

    def tasks(self) -> list[TaskRecord]:
        """Return every task, in the order in which they were added."""
        statement = select(schema.task).order_by(schema.task.c.id)
        return [task_from(row) for row in self._rows(statement)]

    def summary(self) -> Summary:
        """Return what is known, for people."""
        tasks, taken = self.database.read(lambda connection: (task_summaries(connection), origins(connection)))
        return Summary(self.location, tasks, self.database.size(), taken)

    def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        return self.database.read(lambda connection: connection.execute(statement).all())

    def _has_trial(self, search_id: str, trial: Trial) -> bool:
        column = schema.trial.c
        statement = select(column.id).where(
            column.search_id == search_id, column.number == trial.number, column.purpose == trial.purpose
        )
        return bool(self._rows(statement))

    def _add_once(self, table: Table, key: Column[Any], row: dict[str, Any]) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(select(key).where(key == row[key.name])).first() is None:
                connection.execute(insert(table), row)

        # Where writers do not take turns (PostgreSQL), another may have added it in between: that is as good.
        with suppress(exc.IntegrityError):
            self.database.write(work)

    def _no_search(self, search_id: str) -> ExperienceError:
        return ExperienceError(
            f"The experience {self.location} knows no search {search_id!r}; "
            "name the experience that the search was recorded in."
        )
