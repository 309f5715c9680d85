"""Training times and failures on a table's task that was left out, from 100 random trials of each of its other tasks.

Run it with OMP_NUM_THREADS=1: python benchmarks/costs.py shared/data/nas/hpobench_mlp [--seeds 3] [--trials 20]

First the rank correlation of predicted and real training times with 0, 5 and 10 trials of the task itself, with
experience and without. Then how many trials of a search fail where 30 % of candidates take longer than each task's
limit allows: it proposes the largest expected improvement times the probability of success among 200 random candidates.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from archwise.bench.history import History
from archwise.bench.tables import find_table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.meta.agreement import rank_correlation
from archwise.meta.costs import CostTransfer
from archwise.meta.past_task import PastTask
from archwise.spaces.architecture import Candidate
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.surrogate import Surrogate
from archwise.trial import CurvePoint, Outcome, Proposal, Trial

QUERIES = 1_000
KNOWN = (0, 5, 10)
POOL = 200
WAYS = ("no model", "own trials alone", "experience", "experience and limit")
Feasible = Callable[[Sequence[Trial], Sequence[Candidate]], np.ndarray]


def evaluated(table: TableEvaluator, task: str, number: int, candidate: Candidate) -> Trial:
    """Return the trial of a candidate."""
    return Trial(number, candidate, 1.0, 0, table.evaluate(Proposal(candidate), TableTask(task)))


def times(table: TableEvaluator, task: str, seed: int) -> list[float]:
    """Return rank correlations for each number of own trials: with experience, then without."""
    rows = np.random.default_rng([seed, 50]).permutation(len(table.space.table.select))[: QUERIES + max(KNOWN)]
    trials = [evaluated(table, task, i, table.space.candidate(row)) for i, row in enumerate(rows.tolist())]
    own, queries = trials[: max(KNOWN)], trials[max(KNOWN) :]
    seconds = np.array([trial.outcome.costs["train_seconds"] for trial in queries])
    found = []
    for past in (History(100).past_tasks(table, task, seed), []):
        costs = CostTransfer(past, table.space)
        for count in KNOWN:
            costs.fit(own[:count])
            found.append(rank_correlation(costs.train_seconds([trial.candidate for trial in queries]), seconds))
    return found


def limit(table: TableEvaluator, task: str) -> float:
    """Return the training time that three of ten candidates exceed."""
    return float(np.quantile(table.space.table.cost_seconds[:, table.space.table.task_number(task)], 0.7))


def limited(trial: Trial, most: float) -> Trial:
    """Return a trial as it would have been where it may not take longer."""
    seconds = trial.outcome.costs.get("train_seconds", 0.0)
    if seconds <= most:
        return trial
    curve = (CurvePoint(0.9 * most / seconds, 0.9 * most, 1.0, 1.0, 0.0),)
    return replace(trial, outcome=Outcome("failed", curve=curve, reason=f"time limit: stopped after {most:g} seconds"))


def search(table: TableEvaluator, task: str, seed: int, budget: int, feasible: Feasible) -> tuple[float, float]:
    """Return how many trials of a search failed, and its regret."""
    space, most = table.space, limit(table, task)
    own: list[Trial] = []
    surrogate = Surrogate(space.encoding)
    for number in range(budget):
        rng = np.random.default_rng([seed, number, 7])
        known = {trial.candidate for trial in own}
        pool = [candidate for candidate in (space.sample(rng) for _ in range(POOL)) if candidate not in known]
        promise = feasible(own, pool)
        if sum(trial.score is not None for trial in own) >= 2:
            surrogate.fit(own)
            promise = promise + log_expected_improvement(*surrogate.predict(pool), surrogate.best)
        own.append(limited(evaluated(table, task, number, pool[int(np.argmax(promise))]), most))
    finished = [trial for trial in own if trial.score is not None]
    best = max(finished, key=lambda trial: trial.score or 0.0)
    return float(len(own) - len(finished)), float(space.table.regret([space.row(best.candidate) or 0], task)[0])


def failures(table: TableEvaluator, task: str, seed: int, budget: int) -> list[tuple[float, float]]:
    """Return failed trials and regret for each of `WAYS`."""
    past = [
        PastTask(other.name, [limited(trial, limit(table, other.name)) for trial in other.trials])
        for other in History(100).past_tasks(table, task, seed)
    ]
    alone = Surrogate(table.space.encoding)

    def by_own(own: Sequence[Trial], pool: Sequence[Candidate]) -> np.ndarray:
        if sum(trial.score is not None for trial in own) < 2:
            return np.zeros(len(pool))
        alone.fit(own)
        return alone.log_feasible(pool)

    def by(costs: CostTransfer) -> Feasible:
        def feasible(own: Sequence[Trial], pool: Sequence[Candidate]) -> np.ndarray:
            costs.fit(own)
            return costs.log_feasible(pool)

        return feasible

    without, limits = CostTransfer(past, table.space), {"train_seconds": limit(table, task)}
    ways = [lambda _, pool: np.zeros(len(pool)), by_own, by(without), by(CostTransfer(past, table.space, limits))]
    return [search(table, task, seed, budget, way) for way in ways]


def main() -> None:
    """Print two tables with a row for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="a table that says what training took")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=20, help="of a search")
    asked = parser.parse_args()
    table = TableEvaluator(table_space(find_table(asked.table)))
    tasks = table.space.table.tasks
    heads = [f"{count} own, {how}" for how in ("experience", "alone") for count in KNOWN]
    _print(heads, tasks, np.array([[times(table, task, seed) for seed in range(asked.seeds)] for task in tasks]), 3)
    found = np.array([[failures(table, task, seed, asked.trials) for seed in range(asked.seeds)] for task in tasks])
    print(f"\nof {asked.trials} trials failed:\n")
    _print(WAYS, tasks, found[..., 0], 1)
    print("\nregret of the best:\n")
    _print(WAYS, tasks, found[..., 1], 3)


def _print(heads: Sequence[str], tasks: Sequence[str], values: np.ndarray, digits: int) -> None:
    """Print means over seeds, and over tasks; of these, the standard deviation over seeds."""
    print("| task | " + " | ".join(heads) + " |")
    print("|---" * (1 + len(heads)) + "|")
    for task, row in zip(tasks, values.mean(axis=1), strict=True):
        print(f"| {task} | " + " | ".join(f"{value:.{digits}f}" for value in row) + " |")
    over_tasks = values.mean(axis=0)
    spread = over_tasks.std(axis=0, ddof=1) if len(over_tasks) > 1 else np.zeros(len(heads))
    pairs = zip(over_tasks.mean(axis=0), spread, strict=True)
    print("| mean (sd over seeds) | " + " | ".join(f"{a:.{digits}f} ({b:.{digits}f})" for a, b in pairs) + " |")


if __name__ == "__main__":
    main()
