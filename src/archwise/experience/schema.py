"""The tables of the experience, their version, and how a database gets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    insert,
    inspect,
    select,
    text,
    update,
)

from archwise.errors import ExperienceError

SCHEMA_VERSION = 3
OUTLINE = ("search_id", "purpose", "number", "parent", "fidelity", "status", "score")
"""The columns by which a few of a search's trials are chosen: an index holds all of them, and no trial is read."""


def _add_inherits(connection: Connection) -> None:
    """Version 2 knows whose trained weights a trial started from; before it, all started from scratch."""
    connection.execute(text("ALTER TABLE trial ADD COLUMN inherits INTEGER"))


def _add_sketch_and_source(connection: Connection) -> None:
    """Version 3 recognises nearly the same data, knows where searches came from, and chooses among trials quickly."""
    connection.execute(text("ALTER TABLE task ADD COLUMN sketch JSON"))
    connection.execute(text("ALTER TABLE search ADD COLUMN source VARCHAR NOT NULL DEFAULT ''"))
    connection.execute(text(f"CREATE INDEX trial_outline ON trial ({', '.join(OUTLINE)})"))


MIGRATIONS: dict[int, Callable[[Connection], None]] = {1: _add_inherits, 2: _add_sketch_and_source}
"""Version -> what lifts a database of that version to the next; runs inside the transaction that opens it."""


class PlainText(TypeDecorator[str]):
    """Text that every database can hold: NUL and lone surrogates (from broken file names) become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        if value is None:
            return None
        value = value.replace("\0", "\ufffd")
        return value if value.isascii() else _without_surrogates(value)


def _without_surrogates(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def _json(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

task = Table(
    "task",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String, nullable=False, unique=True),
    Column("name", PlainText, nullable=False),
    Column("problem", String, nullable=False),
    _json("signature"),
    Column("objective", String, nullable=False),
    _json("sizes"),
    _json("descriptor", nullable=True),
    _json("sketch", nullable=True),
)

space = Table(
    "space",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("name", PlainText, nullable=False),
    _json("description"),
)

search = Table(
    "search",
    metadata,
    Column("id", String, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False, index=True),
    Column("space_id", ForeignKey("space.id"), nullable=False),
    Column("recipe_space_id", ForeignKey("space.id"), nullable=False),
    Column("strategy", String, nullable=False),
    _json("settings"),
    Column("seed", BigInteger, nullable=False),
    Column("objective", String, nullable=False),
    _json("budget"),
    Column("run", PlainText, nullable=False),
    _json("versions"),
    _json("hardware"),
    Column("started", Double, nullable=False),
    Column("ended", Double),
    Column("state", String, nullable=False),
    Column("source", PlainText, nullable=False, server_default=""),
)

trial = Table(
    "trial",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("search_id", ForeignKey("search.id"), nullable=False),
    # The search's task and space again, so that questions across searches are answered by one index.
    Column("task_id", ForeignKey("task.id"), nullable=False),
    Column("space_id", ForeignKey("space.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("purpose", String, nullable=False),
    _json("architecture"),
    Column("architecture_hash", String, nullable=False),
    _json("recipe"),
    Column("recipe_hash", String, nullable=False),
    Column("fidelity", Double, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("score", Double),
    Column("reason", PlainText, nullable=False),
    Column("traceback", PlainText, nullable=False),
    _json("curve"),
    _json("metrics"),
    _json("costs"),
    Column("parent", Integer),
    Column("inherits", Integer),
    Column("origin", PlainText, nullable=False),
    Column("started", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("created", Double, nullable=False),
    UniqueConstraint("search_id", "number", "purpose", name="trial_once"),
    Index("trial_of_space", "space_id", "task_id", "id"),
    Index("trial_outline", *OUTLINE),
    Index("trial_key", "task_id", "architecture_hash", "recipe_hash", "fidelity", "seed"),
)


def stored_version(connection: Connection) -> int | None:
    """Return the schema version of a database; None for an empty one.

    Raises:
        ExperienceError: the database holds something else.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    columns = inspect(connection).get_columns(meta.name) if meta.name in tables else []
    if {"key", "value"} <= {column["name"] for column in columns}:
        value = connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))
        if value is not None and value.isdigit():
            return int(value)
    raise ExperienceError(
        f"{_name(connection)} is a database of something else (it has a table {tables[0]!r}); "
        "name another file for the experience."
    )


def ensure_schema(connection: Connection) -> None:
    """Create the tables in an empty database, or lift an older one to this version; needs the write lock.

    Raises:
        ExperienceError: the database is of a newer version, of an unknown older one, or holds something else.
    """
    found = stored_version(connection)
    if found is None:
        metadata.create_all(connection, checkfirst=False)
        connection.execute(insert(meta).values(key="schema", value=str(SCHEMA_VERSION)))
        return
    if found > SCHEMA_VERSION:
        raise ExperienceError(
            f"The experience {_name(connection)} was written by a newer archwise (schema {found}, not "
            f"{SCHEMA_VERSION}); upgrade archwise or name another file."
        )
    for version in range(found, SCHEMA_VERSION):
        if version not in MIGRATIONS:
            raise ExperienceError(
                f"The experience {_name(connection)} has schema version {found}, which this archwise cannot "
                "read; name another file."
            )
        MIGRATIONS[version](connection)
    connection.execute(update(meta).where(meta.c.key == "schema").values(value=str(SCHEMA_VERSION)))


def _name(connection: Connection) -> str:
    url = connection.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.render_as_string(hide_password=True)
