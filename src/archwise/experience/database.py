"""Short transactions, and a database's failures as sentences; all that is particular to SQLite is here."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from archwise.errors import ExperienceError
from archwise.experience import schema

T = TypeVar("T")

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
_RETRY_SECONDS = 0.05


class Database:
    """A database with the experience's tables, safe to open and use from many threads and processes at once.

    Args:
        location: a file, an SQLAlchemy URL, or None for `experience.sqlite` in the user's data folder.
        timeout: seconds to wait while other processes write.
        lift: whether a new or older database gets this version's tables.

    Raises:
        ExperienceError: the database cannot be opened, is damaged, of a newer version or of something else.
    """

    def __init__(self, location: str | Path | None, timeout: float, lift: bool = True):
        url = _url(location)
        self.file = _file(url)
        self.name = str(self.file) if self.file else url.render_as_string(hide_password=True)
        self._timeout = timeout
        self._engine = self._create_engine(url)
        # Shares the pool; only the way a transaction begins differs.
        self._reader = self._engine.execution_options(begin="BEGIN")
        try:
            found = self.read(schema.stored_version)
            if found != schema.SCHEMA_VERSION and not lift and (found or 0) < schema.SCHEMA_VERSION:
                raise ExperienceError(
                    f"The experience {self.name} is empty or of an older archwise, and is only to be read: look at it "
                    "once with archwise experience, which brings it up to date."
                )
            if found != schema.SCHEMA_VERSION:
                self.write(schema.ensure_schema)
        except BaseException:
            self.close()
            raise

    def _create_engine(self, url: URL) -> Engine:
        try:
            if self.file:
                self.file.parent.mkdir(parents=True, exist_ok=True)
            # Strict JSON in ASCII: every database can hold it, whatever the text.
            serialise = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
            engine = create_engine(url, json_serializer=serialise)
        except OSError as error:
            raise ExperienceError(
                f"The folder of the experience {self.name} cannot be made ({error.strerror}); name another."
            ) from error
        except exc.NoSuchModuleError as error:
            raise ExperienceError(
                f"No database is known for {self.name}; give a file or a URL like postgresql+psycopg://host/name."
            ) from error
        except ImportError as error:
            raise ExperienceError(
                f"The experience {self.name} needs the Python package {error.name!r}; install it."
            ) from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", self._prepare)
            event.listen(engine, "begin", _begin)
        return engine

    def _prepare(self, connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where `_begin` says, not where sqlite3 guesses
        connection.execute(f"PRAGMA busy_timeout = {round(self._timeout * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        # A commit reaches the kernel before it returns, so a killed process loses none; a power cut may lose
        # the last ones, and even then the file stays consistent.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run queries on one snapshot of the database."""
        return self._run(self._reader, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run statements in one transaction, committed when this returns.

        `work` is run again when another process holds the database, so it must only use the connection.

        Raises:
            ExperienceError: the database refused.
            sqlalchemy.exc.IntegrityError: a row exists already, or names another that does not.
        """
        return self._run(self._engine, work)

    def size(self) -> int | None:
        """Return the bytes on disk, those of the log included; None where the database is not a file."""
        if self.file is None:
            return None
        files = (self.file, self.file.with_name(f"{self.file.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except exc.IntegrityError:
                raise
            except (exc.DBAPIError, sqlite3.Error) as error:
                # SQLite waits for locks by itself, but refuses at once where only running again can help.
                if not _code(error).startswith(_BUSY) or time.monotonic() >= deadline:
                    raise ExperienceError(self._sentence(error)) from error
            except OverflowError as error:
                raise ExperienceError(
                    f"A number does not fit into the experience {self.name}; use a seed within 64 bits."
                ) from error
            time.sleep(random.uniform(0.2, 1.0) * _RETRY_SECONDS)

    def _sentence(self, error: exc.DBAPIError | sqlite3.Error) -> str:
        code, reason = _code(error), str(getattr(error, "orig", error)).strip().rstrip(".").replace("\n", " ")
        if code.startswith("SQLITE_NOTADB"):
            return (
                f"The file {self.name} is no archwise experience (not a database); name another file, or take an "
                "export in with `archwise experience import`."
            )
        if code.startswith("SQLITE_CORRUPT"):
            return f"The experience {self.name} is damaged ({reason}); restore a copy or move it away."
        if code.startswith("SQLITE_FULL"):
            return f"The disk of the experience {self.name} is full; free some space or name another file."
        if code.startswith(_BUSY):
            return (
                f"The experience {self.name} stayed locked by another process for {self._timeout:g} seconds; "
                "end that process or try again."
            )
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            return (
                f"The experience {self.name} cannot be opened for writing ({reason}); "
                "make it and its folder writable or name another file."
            )
        return f"The experience {self.name} cannot be used ({reason}); check it or name another one."


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: taken half way, it can fail without waiting for other writers.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


def file_of(location: str | Path | None) -> Path | None:
    """Return the file that an experience lies in, see `Database`; None where it is another database."""
    return _file(_url(location))


def _code(error: exc.DBAPIError | sqlite3.Error) -> str:
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    return getattr(original, "sqlite_errorname", "")


def _file(url: URL) -> Path | None:
    name = url.database or ":memory:"
    # "file:" begins one of SQLite's own URIs, whose path is for SQLite alone to read.
    if url.get_backend_name() != "sqlite" or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name).absolute()


def _url(location: str | Path | None) -> URL:
    if location is None:
        location = platformdirs.user_data_path("archwise", appauthor=False) / "experience.sqlite"
    if isinstance(location, str) and "://" in location:
        try:
            return make_url(location)
        except exc.ArgumentError as error:
            raise ExperienceError(
                f"{location!r} is no database URL; give a file or a URL like postgresql+psycopg://host/name."
            ) from error
    # Built from its parts, because a file's name may hold what a URL would take for syntax.
    return URL.create("sqlite", database=str(Path(location).expanduser().absolute()))
