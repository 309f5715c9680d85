"""Training times and failures on a table's task that was left out, from 100 random trials of each of its other tasks.

Run it with OMP_NUM_THREADS=1: python benchmarks/costs.py TABLE [--seeds 3] [--trials 50] [--keep 0.5]

First the rank correlation of predicted and real training times with 0, 5 and 10 trials of the task itself, with
experience and without. Then how many trials of searches fail where half of the candidates take longer than each task's
limit allows, and what regret they end with.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archwise.bench.history import History
from archwise.bench.tables import find_table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.meta.agreement import rank_correlation
from archwise.meta.costs import CostTransfer
from archwise.meta.guard import GuardedTransfer
from archwise.meta.past_task import PastTask
from archwise.spaces.architecture import Candidate
from archwise.strategies import BayesianOptimization, RandomSearch, Strategy
from archwise.trial import CurvePoint, Outcome, Proposal, Trial

QUERIES = 1_000
KNOWN = (0, 5, 10)
WAYS = ("random", "bayesian", "transfer, no past failures", "transfer", "transfer, limit known")


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


def limit(table: TableEvaluator, task: str, kept: float) -> float:
    """Return the training time that a share of candidates keep."""
    return float(np.quantile(table.space.table.cost_seconds[:, table.space.table.task_number(task)], kept))


def limited(trial: Trial, most: float) -> Trial:
    """Return a trial as it would have been where it may not take longer."""
    seconds = trial.outcome.costs.get("train_seconds", 0.0)
    if seconds <= most:
        return trial
    curve = (CurvePoint(0.9 * most / seconds, 0.9 * most, 1.0, 1.0, 0.0),)
    return replace(trial, outcome=Outcome("failed", curve=curve, reason=f"time limit: stopped after {most:g} seconds"))


def search(strategy: Strategy, table: TableEvaluator, task: str, seed: int, budget: int, most: float) -> list[float]:
    """Return how many of a search's first 20 and last 20 trials failed, and the regret of its best."""
    space = table.space
    own: list[Trial] = []
    for number in range(budget):
        [proposal] = strategy.propose(space, own, [], seed, 1)
        trial = replace(evaluated(table, task, number, proposal.candidate), origin=proposal.origin)
        own.append(limited(trial, most))
    finished = [trial for trial in own if trial.score is not None]
    failed = [trial.score is None for trial in own]
    if not finished:
        return [sum(failed[:20]), sum(failed[-20:]), 1.0]
    best = max(finished, key=lambda trial: trial.score or 0.0)
    regret = float(space.table.regret([space.row(best.candidate) or 0], task)[0])
    return [sum(failed[:20]), sum(failed[-20:]), regret]


def failures(table: TableEvaluator, task: str, seed: int, budget: int, kept: float) -> list[list[float]]:
    """Return what `search` does for each of `WAYS`."""
    free = History(100).past_tasks(table, task, seed)
    past = [
        PastTask(other.name, [limited(trial, limit(table, other.name, kept)) for trial in other.trials])
        for other in free
    ]
    most = limit(table, task, kept)
    strategies = [
        RandomSearch(),
        BayesianOptimization(),
        GuardedTransfer(free),
        GuardedTransfer(past),
        GuardedTransfer(past, limits={"train_seconds": most}),
    ]
    return [search(strategy, table, task, seed, budget, most) for strategy in strategies]


def main() -> None:
    """Print tables with a row for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="a table that says what training took")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=50, help="of a search")
    parser.add_argument("--keep", type=float, default=0.5, help="share of candidates that keep the limit")
    asked = parser.parse_args()
    table = TableEvaluator(table_space(find_table(asked.table)))
    tasks = table.space.table.tasks
    heads = [f"{count} own, {how}" for how in ("experience", "alone") for count in KNOWN]
    _print(heads, tasks, np.array([[times(table, task, seed) for seed in range(asked.seeds)] for task in tasks]), 3)
    found = np.array(
        [[failures(table, task, seed, asked.trials, asked.keep) for seed in range(asked.seeds)] for task in tasks]
    )
    for place, what in enumerate(("failed of the first 20", "failed of the last 20", "regret of the best")):
        print(f"\n{what}, {asked.trials} trials:\n")
        _print(WAYS, tasks, found[..., place], 3 if what.startswith("regret") else 1)


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
