"""Questions to the tables that several files ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Select, select, update

from archwise.errors import ExperienceError
from archwise.experience import schema


def every_search() -> Select[Any]:
    """Select all searches, each with "task", "space" and "recipe_space": the fingerprint and the hashes."""
    recipes = schema.space.alias()
    return (
        select(
            schema.search,
            schema.task.c.fingerprint.label("task"),
            schema.space.c.hash.label("space"),
            recipes.c.hash.label("recipe_space"),
        )
        .join(schema.task, schema.task.c.id == schema.search.c.task_id)
        .join(schema.space, schema.space.c.id == schema.search.c.space_id)
        .join(recipes, recipes.c.id == schema.search.c.recipe_space_id)
    )


def complete_task(connection: Connection, row: Mapping[str, Any]) -> None:
    """Fill in the descriptor and the sketch of a task that is known without them."""
    task = schema.task.c
    for name in ("descriptor", "sketch"):
        if row[name] is not None:
            missing = update(schema.task).where(task.fingerprint == row["fingerprint"], task[name].is_(None))
            connection.execute(missing.values({name: row[name]}))


def id_of(connection: Connection, key: Column[Any], value: str) -> int:
    """Return the number by which the tables know a task or a space.

    Raises:
        ExperienceError: it was not added.
    """
    found = connection.scalar(select(key.table.c.id).where(key == value))
    if found is None:
        raise ExperienceError(f"The experience knows no {key.table.name} {value!r}; add it before the search begins.")
    return int(found)
