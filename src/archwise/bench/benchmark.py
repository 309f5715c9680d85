"""A benchmark: which searches there are to run, and the running of those that no file has yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from archwise.bench.entrants import check_entrant, misfit, settings_of, version_of
from archwise.bench.history import History
from archwise.bench.peers.ready import PEERS
from archwise.bench.results import Key, ResultsFile, Run
from archwise.bench.runner import Job, run_jobs
from archwise.bench.tables import find_table, table_names
from archwise.checks import check_numbers
from archwise.errors import ArchwiseError
from archwise.evaluators.table import Table
from archwise.ready import is_learning


@dataclass(frozen=True)
class Plan:
    """What is compared, on what, and how often.

    Args:
        tables: names or paths of tables, or folders of them; all packaged tables if empty.
        strategies: names of strategies and peers.
        seeds: searches of each strategy on each task, with the seeds 0, 1, ...
        evaluations: full trainings that each may spend.
        simulated_workers: trials that each evaluates at a time.
        history: what the strategies that learn from other tasks know of those of the same table.
    """

    tables: tuple[str, ...]
    strategies: tuple[str, ...]
    seeds: int
    evaluations: int
    simulated_workers: int = 1
    history: History | None = None

    def jobs(self) -> list[Job]:
        """Return the searches, those of one seed together, so that a benchmark that is stopped has whole rounds.

        Raises:
            ArchwiseError: a table or strategy is not known, or a number is not positive.
        """
        check_numbers(seeds=self.seeds, evaluations=self.evaluations, simulated_workers=self.simulated_workers)
        for name in self.strategies:
            check_entrant(name)
            if name in PEERS and self.simulated_workers > 1:
                raise ArchwiseError(
                    f"The peer {name!r} evaluates one trial after another: leave it out, or take 1 simulated worker."
                )
        tables = self._found()
        for strategy in self.strategies:
            reasons = {name: misfit(strategy, table, self.history) for name, table in tables.items()}
            if all(reasons.values()):
                name, reason = next(iter(reasons.items()))
                raise ArchwiseError(f"The strategy {strategy!r} cannot search {name!r}: {reason}. Leave it out.")
        return [
            Job(name, task, strategy, seed, self.evaluations, self.simulated_workers, self._known_to(strategy))
            for seed in range(self.seeds)
            for name, table in tables.items()
            for task in table.tasks
            for strategy in dict.fromkeys(self.strategies)
            if misfit(strategy, table, self.history) is None
        ]

    def able(self) -> Plan:
        """Return the plan with those strategies alone that can search one of its tables."""
        tables = self._found()
        able = [
            name
            for name in self.strategies
            if any(misfit(name, table, self.history) is None for table in tables.values())
            and not (name in PEERS and self.simulated_workers > 1)
        ]
        return replace(self, strategies=tuple(able))

    def _known_to(self, strategy: str) -> History | None:
        """Return what a strategy is told of other tasks: nothing where it would not listen."""
        return self.history if is_learning(strategy) else None

    def _found(self) -> dict[str, Table]:
        tables = {name: find_table(name) for name in table_names(list(self.tables))}
        called: dict[str, str] = {}
        for path, table in tables.items():
            if table.name in called:
                raise ArchwiseError(
                    f"The tables {called[table.name]!r} and {path!r} have one name: rename a file, or run them apart."
                )
            called[table.name] = path
        return tables


def run_plan(
    plan: Plan, file: ResultsFile, workers: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Run]:
    """Run what a file does not have yet, add it as it ends, and return the plan's runs.

    Args:
        plan: what is compared.
        file: where results are kept; Ctrl-C loses only what is running.
        workers: searches side by side.
        progress: called with the number of searches done and their total.
    """
    jobs = plan.jobs()
    tables = {name: find_table(name) for name in dict.fromkeys(job.table for job in jobs)}
    kinds = {name: (version_of(name), settings_of(name, plan.evaluations)) for name in plan.strategies}

    def key(job: Job) -> Key:
        table = tables[job.table]
        what = table.name, table.fingerprint, job.task, job.strategy, job.seed, *kinds[job.strategy]
        known = str(job.history or "")
        return *what, known, job.simulated_workers, job.evaluations if job.simulated_workers > 1 else None

    wanted = {key(job): job for job in jobs}
    known = {run.key: run for run in file.read() if run.key in wanted and run.evaluations >= plan.evaluations}
    missing = [job for key, job in wanted.items() if key not in known]
    progress(len(known), len(wanted))
    for run in run_jobs(missing, workers):
        file.add(run)
        known[run.key] = run
        progress(len(known), len(wanted))
    found = [known[key] for key in wanted if key in known]
    return [replace(run, evaluations=plan.evaluations) for run in found]
