"""What an experience knows of each task, counted by the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from archwise.experience.records import Origin, TaskSummary
from archwise.experience.rows import number
from archwise.experience.schema import search, task, trial


def task_summaries(connection: Connection) -> tuple[TaskSummary, ...]:
    """Return one entry for each task and objective, last used first; a task never searched comes last."""
    best = {
        (row.task_id, row.objective): number(row.metrics[row.objective])
        for row in connection.execute(_best_trials())
        if row.objective in row.metrics
    }
    summaries = [
        TaskSummary(
            name=row.name,
            problem=row.problem,
            examples=sum(row.sizes.values()),
            objective=row.search_objective or row.objective,
            searches=row.searches,
            finished=row.finished,
            failed=row.failed,
            pruned=row.pruned,
            best=best.get((row.id, row.search_objective)),
            elsewhere=row.elsewhere,
            last_used=max((t for t in (row.last_search, row.last_trial) if t is not None), default=None),
        )
        for row in connection.execute(_counts())
    ]
    return tuple(sorted(summaries, key=lambda summary: summary.last_used or 0.0, reverse=True))


def origins(connection: Connection) -> tuple[Origin, ...]:
    """Return what was taken from other experiences, most trials first."""
    trials = func.count(trial.c.id)
    rows = connection.execute(
        select(search.c.source, func.count(search.c.id.distinct()), trials)
        .select_from(search.outerjoin(trial, trial.c.search_id == search.c.id))
        .where(search.c.source != "")
        .group_by(search.c.source)
        .order_by(trials.desc(), search.c.source)
    )
    return tuple(Origin(*row) for row in rows)


def _counts() -> Select[Any]:
    def count(name: str, condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name)

    statuses = ("finished", "failed", "pruned")

    counted = (
        select(
            search.c.task_id,
            search.c.objective,
            func.count(search.c.id.distinct()).label("searches"),
            *(count(status, trial.c.status == status) for status in statuses),
            count("elsewhere", and_(search.c.source != "", trial.c.id.is_not(None))),
            func.max(search.c.started).label("last_search"),
            func.max(trial.c.created).label("last_trial"),
        )
        .select_from(search.outerjoin(trial, trial.c.search_id == search.c.id))
        .group_by(search.c.task_id, search.c.objective)
        .subquery()
    )
    numbers = [func.coalesce(counted.c[name], 0).label(name) for name in ("searches", *statuses, "elsewhere")]
    return (
        select(
            task,
            counted.c.objective.label("search_objective"),
            *numbers,
            counted.c.last_search,
            counted.c.last_trial,
        )
        .select_from(task.outerjoin(counted, counted.c.task_id == task.c.id))
        .order_by(task.c.id, counted.c.objective)
    )


def _best_trials() -> Select[Any]:
    place = func.row_number().over(
        partition_by=(search.c.task_id, search.c.objective), order_by=(trial.c.score.desc(), trial.c.id)
    )
    ranked = (
        select(search.c.task_id, search.c.objective, trial.c.metrics, place.label("place"))
        .join(search, search.c.id == trial.c.search_id)
        .where(trial.c.status == "finished")
        .subquery()
    )
    return select(ranked).where(ranked.c.place == 1)
