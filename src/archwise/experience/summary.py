"""What an experience knows of each task, counted by the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from archwise.experience.records import TaskSummary
from archwise.experience.schema import search, task, trial


def task_summaries(connection: Connection) -> tuple[TaskSummary, ...]:
    """Return one entry for each task and objective, last used first; a task never searched comes last."""
    best = {(row.task_id, row.objective): row.metrics.get(row.objective) for row in connection.execute(_best_trials())}
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
            last_used=max((t for t in (row.last_search, row.last_trial) if t is not None), default=None),
        )
        for row in connection.execute(_counts())
    ]
    return tuple(sorted(summaries, key=lambda summary: summary.last_used or 0.0, reverse=True))


def _counts() -> Select[Any]:
    def count(status: str) -> Any:
        return func.coalesce(func.sum(case((trial.c.status == status, 1), else_=0)), 0).label(status)

    counted = (
        select(
            search.c.task_id,
            search.c.objective,
            func.count(search.c.id.distinct()).label("searches"),
            *(count(status) for status in ("finished", "failed", "pruned")),
            func.max(search.c.started).label("last_search"),
            func.max(trial.c.created).label("last_trial"),
        )
        .select_from(search.outerjoin(trial, trial.c.search_id == search.c.id))
        .group_by(search.c.task_id, search.c.objective)
        .subquery()
    )
    numbers = [func.coalesce(counted.c[name], 0).label(name) for name in ("searches", "finished", "failed", "pruned")]
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
