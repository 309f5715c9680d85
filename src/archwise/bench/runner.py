"""Runs the searches of a benchmark over all cores."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from archwise.bench.curves import Change, expected_regret, regret_changes
from archwise.bench.entrants import settings_of, simulate_entrant, table_scorer, version_of
from archwise.bench.history import History
from archwise.bench.peers.ready import PEERS
from archwise.bench.results import Run
from archwise.bench.tables import find_table
from archwise.evaluators.table import Table
from archwise.evaluators.table_evaluator import TableEvaluator
from archwise.evaluators.table_space import table_space
from archwise.evaluators.zero_cost import ZeroCost

WARM_UP = 5
"""Evaluations, by which every strategy has begun to learn."""


@dataclass(frozen=True)
class Job:
    """A search that a benchmark is to run.

    Args:
        table: name or path of the table.
        task: one of its tasks.
        strategy: name of a strategy or peer.
        seed: the search's seed.
        evaluations: how many full trainings its trials may cost.
        simulated_workers: how many trials it evaluates at a time.
        history: what it knows of the table's other tasks.
    """

    table: str
    task: str
    strategy: str
    seed: int
    evaluations: int
    simulated_workers: int = 1
    history: History | None = None


def run_jobs(jobs: Iterable[Job], workers: int) -> Iterator[Run]:
    """Run searches side by side, each with one thread, and yield what came of each as it ends.

    Args:
        jobs: the searches.
        workers: how many processes.
    """
    from joblib import Parallel, delayed, parallel_config
    from threadpoolctl import threadpool_limits

    jobs = list(jobs)
    if workers == 1:
        for job in jobs:
            with threadpool_limits(1):
                run = run_job(job)
            yield run
        return

    with parallel_config("loky", inner_max_num_threads=1):
        yield from Parallel(workers, return_as="generator_unordered", batch_size=1)(
            delayed(_run_undisturbed)(job) for job in jobs
        )


def run_job(job: Job) -> Run:
    """Run one search."""
    table, evaluator = _evaluator(job.table)
    past = job.history.past_tasks(evaluator, job.task, job.seed) if job.history else ()
    if job.strategy not in PEERS:
        _warm_up(job.table, job.strategy, job.evaluations)
    found = simulate_entrant(
        job.strategy,
        evaluator,
        job.task,
        job.seed,
        job.evaluations,
        _scorer(job.table),
        job.simulated_workers,
        past=past,
    )
    changes = regret_changes(found.steps, table, job.task)
    return Run(
        table=table.name,
        fingerprint=table.fingerprint,
        task=job.task,
        strategy=job.strategy,
        seed=job.seed,
        version=version_of(job.strategy),
        settings=settings_of(job.strategy, job.evaluations),
        simulated_workers=job.simulated_workers,
        evaluations=job.evaluations,
        changes=tuple(Change(round(c.spent, 6), round(c.seconds, 3), round(c.regret, 6)) for c in changes),
        drawn=round(expected_regret(table, job.task), 6),
        training_seconds=table.training_seconds(job.task),
        seconds_per_proposal=found.seconds_per_proposal,
        history=str(job.history or ""),
    )


def _run_undisturbed(job: Job) -> Run:
    """Run one search in a worker; Ctrl-C reaches workers too, and is the business of the process that has them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return run_job(job)


@lru_cache(maxsize=256)
def _warm_up(table: str, strategy: str, evaluations: int) -> None:
    """Propose a few times, so that no search is charged for what is loaded once."""
    evaluator = _evaluator(table)[1]
    task = evaluator.space.table.tasks[0]
    simulate_entrant(strategy, evaluator, task, 0, evaluations, _scorer(table), most=WARM_UP)


@lru_cache(maxsize=4)
def _evaluator(name: str) -> tuple[Table, TableEvaluator]:
    """Return a table and its evaluator; remembered, as a process runs many searches on one table."""
    table = find_table(name)
    return table, TableEvaluator(table_space(table))


@lru_cache(maxsize=4)
def _scorer(name: str) -> ZeroCost:
    """Return a table's zero-cost scores, which all searches of a process share."""
    return table_scorer(_evaluator(name)[1].space)
