"""Transfer on real data: ten small tables as past tasks, five others as new ones, equal budgets.

    python benchmarks/transfer_real_data.py SETS --results FILE.jsonl [--strategies ...] [--seeds 5] [--workers 2]

SETS is a folder with uci_tabular.npz. The tables are drawn by a rule that looks at no result: see `drawn_tables`. Each
of the first ten has a past search of 100 random trials. On each of the others every strategy searches, one trial at a
time, each trial a full training; the seed decides the search and the split of the rows. Whenever the best validation
score rises, the new best candidate is an incumbent. All incumbents of a table are trained again, from scratch, on the
same fresh splits with fresh seeds, and their mean accuracy on the test parts of these is their quality. (Their rows are
the table's own: what a search saw may be among them, for all strategies alike. The test part of a search's own split is
never opened.)

What a table's search from scratch comes to is the mean quality of its last incumbents over seeds; counted are the
trials to the first incumbent of at least this quality. Searches go seed by seed, so what is there are whole rounds.
What the results file has is not run again, and a stop loses only what is running. Figures are printed at the end, or
with --show alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from trainings import Results, accuracy_on_test, as_trial, trained
from transfer_figures import SCRATCH, Incumbent, show

import archwise
from archwise.bench.entrants import settings_of
from archwise.evaluators.evaluator import TrainingEvaluator
from archwise.evaluators.recipe import training_recipe
from archwise.evaluators.schedule import derive_seed
from archwise.meta.past_task import PastTask
from archwise.ready import is_learning, ready_strategy
from archwise.signature import Signature
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.ready import ready_space
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.tasks.descriptor import describe_task
from archwise.tasks.load import make_task
from archwise.tasks.task import Task
from archwise.trial import Outcome, Proposal, Trial

PAST, NEW = 10, 5
"""Tables that were searched before, and tables that are searched."""
ROWS = range(250, 1001)
"""How many rows a table has: of fewer, a test split is too small to tell candidates apart."""
RAREST = 10
"""Fewest rows of a class."""
SYNTHETIC = ("led-display", "monks", "synthetic-control", "twonorm", "waveform")
GROUPS = (
    "breast-cancer-wisc",
    "energy",
    "heart",
    "monks",
    "musk",
    "oocytes_merluccius",
    "oocytes_trisopterus",
    "pittsburg-bridges",
    "spect",
    "statlog-heart",
    "wine-quality",
)
"""How the names of tables begin that hold the same rows in variants; one of each group is taken."""
PAST_TRIALS = 100
EPOCHS = 10
OBJECTIVE = "accuracy"
"""Of all tables, also of those with uneven classes, so that scores of all have one meaning."""
MOST_FLOPS = 2e6
STRATEGIES = ("transfer", SCRATCH, "random")
FRESH = 5
"""Fresh splits, each with a fresh seed, that the incumbents of a table are trained on."""
FRESH_FROM = 1000
"""The seeds of fresh splits start here, those of searches at 0."""


def drawn_tables(tables: Any) -> list[str]:
    """Return the names of the tables, past ones first: those of the right size, one of each group, in a fixed shuffle.

    Args:
        tables: the arrays of uci_tabular.npz.
    """
    fit: dict[str, str] = {}
    for name in sorted(str(name) for name in tables["names"]):
        counts = np.bincount(tables[f"{name}/y"])
        group = next((group for group in GROUPS if name.startswith(group)), name)
        group = "heart" if group == "statlog-heart" else group
        if counts.sum() in ROWS and counts[counts > 0].min() >= RAREST and not name.startswith(SYNTHETIC):
            fit.setdefault(group, name)
    names = list(fit.values())
    return [names[i] for i in np.random.default_rng(0).permutation(len(names))[: PAST + NEW]]


@cache
def arrays_of(sets: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels of a table."""
    tables = np.load(sets / "uci_tabular.npz")
    return tables[f"{name}/X"], tables[f"{name}/y"]


def task_of(sets: Path, name: str, seed: int, folders: Path) -> Task:
    """Return a table as a task, split by a seed; it is made when first asked for."""
    folder = folders / f"{name}-{seed}"
    if not folder.exists():
        make_task(arrays_of(sets, name), folder=folder, name=name, seed=seed)
    return Task.load(folder)


@cache
def space_of(signature: Signature) -> JointSpace:
    """Return the candidates for a table: those of all tables are the same but for the size of networks."""
    return JointSpace(ready_space("mlp", signature), training_recipe("table"), signature, most_flops=MOST_FLOPS)


def search(task: Task, strategy: Strategy, seed: int, budget: int) -> list[Trial]:
    """Search by a strategy, one full training at a time."""
    space = space_of(task.signature)
    evaluator = TrainingEvaluator(space, OBJECTIVE, EPOCHS)
    trials: list[Trial] = []
    while len(trials) < budget and (proposals := strategy.propose(space, trials, [], seed, 1)):
        number = len(trials)
        trial_seed = derive_seed(seed, number)
        job = replace(evaluator.job(proposals[0], task, trial_seed), measure_latency=False, threads=1)
        trials.append(as_trial(number, proposals[0], trial_seed, trained(json.dumps(job.to_json()))))
    return trials


@cache
def quality(sets: Path, name: str, candidate: Candidate, folders: Path) -> float:
    """Return the mean accuracy of a candidate that is trained and tested on fresh splits of a table."""
    accuracies = []
    for fresh in range(FRESH_FROM, FRESH_FROM + FRESH):
        task = task_of(sets, name, fresh, folders)
        evaluator = TrainingEvaluator(space_of(task.signature), OBJECTIVE, EPOCHS)
        accuracies.append(accuracy_on_test(evaluator, Proposal(candidate), task, derive_seed(fresh, 0)))
    return statistics.fmean(accuracies)


def past_key(name: str) -> dict[str, Any]:
    """Return what tells a past search from others."""
    return {"kind": "past", "data": name, "trials": PAST_TRIALS, "epochs": EPOCHS}


def search_key(name: str, strategy: str, seed: int, budget: int, past: Sequence[str]) -> dict[str, Any]:
    """Return what tells a search from others; with other settings, or other experience, it is another one."""
    return {
        "kind": "search",
        "data": name,
        "strategy": strategy,
        "settings": settings_of(strategy, budget),
        "past": list(past) if is_learning(strategy) else [],
        "seed": seed,
        "budget": budget,
        "epochs": EPOCHS,
    }


def run_past(sets: Path, name: str, seed: int, folders: Path) -> dict[str, Any]:
    """Draw and train candidates on a table, and return what is known of it from then on."""
    torch.set_num_threads(1)
    task = task_of(sets, name, 0, folders)
    trials = search(task, RandomSearch(), seed, PAST_TRIALS)
    outcomes = [
        [trial.candidate.architecture.to_json(), trial.candidate.recipe.to_json(), trial.score] for trial in trials
    ]
    return past_key(name) | {"version": version(), "descriptor": describe_task(task), "outcomes": outcomes}


def past_task(row: dict[str, Any]) -> PastTask:
    """Return the past task that a row of the results holds."""
    trials = []
    for number, (architecture, recipe, score) in enumerate(row["outcomes"]):
        candidate = Candidate(Architecture.from_json(architecture), Architecture.from_json(recipe))
        outcome = Outcome("failed", reason="diverged") if score is None else Outcome("finished", score)
        trials.append(Trial(number, candidate, 1.0, 0, outcome))
    return PastTask(row["data"], trials, row["descriptor"])


def run_search(
    sets: Path, name: str, strategy: str, seed: int, budget: int, past: Sequence[dict[str, Any]], folders: Path
) -> dict[str, Any]:
    """Search a new table, train every incumbent on fresh splits, and return the curve."""
    torch.set_num_threads(1)
    task = task_of(sets, name, seed, folders)
    tasks = [past_task(row) for row in past] if is_learning(strategy) else []
    descriptor = describe_task(task) if is_learning(strategy) else None
    trials = search(task, ready_strategy(strategy, budget, past=tasks, descriptor=descriptor), seed, budget)
    incumbents: list[Incumbent] = []
    for trial in trials:
        if trial.score is not None and (not incumbents or trial.score > incumbents[-1].validation):
            tested = quality(sets, name, trial.candidate, folders)
            incumbents.append(Incumbent(trial.number + 1, trial.score, tested))
    failed = sum(trial.score is None for trial in trials)
    key = search_key(name, strategy, seed, budget, [row["data"] for row in past])
    return key | {"version": version(), "trials": len(trials), "failed": failed, "incumbents": incumbents}


@cache
def version() -> str:
    """Return which archwise is running: its commit, or its version where it is not under version control."""
    folder = Path(archwise.__file__).parent
    described = subprocess.run(
        ["git", "-C", folder, "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    return described or archwise.__version__


def searches(names: Sequence[str], rotations: int, seeds: int) -> Iterator[tuple[list[str], str, int]]:
    """Go through the new searches seed by seed: (past tables, new table, seed).

    Args:
        names: the drawn tables.
        rotations: after the first, what was new is past, and the next five are new.
        seeds: how many seeds.
    """
    for seed, rotation in product(range(seeds), range(rotations)):
        rotated = [*names[NEW * rotation :], *names[: NEW * rotation]]
        yield from ((rotated[:PAST], new, seed) for new in rotated[PAST:])


def run_missing(sets: Path, results: Results, names: Sequence[str], strategies: Sequence[str], options: Any) -> None:
    """Run the searches that the results lack, the past ones first."""
    wanted = list(searches(names, options.rotations, options.seeds))
    with tempfile.TemporaryDirectory() as scratch:
        folders = Path(scratch)
        pool = ProcessPoolExecutor(options.workers)
        try:
            needed = names if options.rotations > 1 else names[:PAST]
            missing = [name for name in needed if results.of(past_key(name)) is None]
            for name in missing:
                task_of(sets, name, 0, folders)
            results.collect([pool.submit(run_past, sets, name, names.index(name), folders) for name in missing])
            running = []
            for (past, name, seed), strategy in product(wanted, strategies):
                if results.of(search_key(name, strategy, seed, options.budget, past)) is None:
                    for split in (seed, *range(FRESH_FROM, FRESH_FROM + FRESH)):
                        task_of(sets, name, split, folders)
                    rows = [row for row in map(results.of, map(past_key, past)) if row is not None]
                    running.append(pool.submit(run_search, sets, name, strategy, seed, options.budget, rows, folders))
            results.collect(running)
        finally:
            pool.shutdown(cancel_futures=True)


def main() -> None:
    """Run what is missing, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--rotations", type=int, default=1, help="3: each table is new once, ten others are past")
    parser.add_argument("--seeds", type=int, default=5, help="0: the past searches alone")
    parser.add_argument("--budget", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="run nothing")
    options = parser.parse_args()
    names = drawn_tables(np.load(options.sets / "uci_tabular.npz"))
    strategies = options.strategies.split(",")
    results = Results(options.results)
    if not options.show:
        run_missing(options.sets, results, names, strategies, options)
    print(f"Past tables: {', '.join(names[:PAST])}.\nNew tables: {', '.join(names[PAST:])}.\n")
    keys = (
        search_key(name, strategy, seed, options.budget, past)
        for (past, name, seed), strategy in product(searches(names, options.rotations, options.seeds), strategies)
    )
    show([row for row in map(results.of, keys) if row is not None], options.budget)


if __name__ == "__main__":
    main()
