"""Every strategy on real data: networks are trained, with equal budgets, and the answers tested.

    python benchmarks/real_data.py SETS --results FILE.jsonl [--strategies random,...] [--seeds 5] [--budget 30]

SETS is a folder with fashion_mnist.npz and uci_tabular.npz. A search may spend `budget` full trainings; one that trains
candidates in part makes more trials of them. Its answer is the best trial of the highest fidelity by the validation
split; it is trained again with three fresh seeds, and the test split is opened for these alone. Trainings are kept
short, so that all this takes an hour or two: the figures compare strategies, not networks. Strategies that begin alike
share what they train alike. What the results file has is not run again; when all is there, the table is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from trainings import accuracy_on_test, as_trial, trained

from archwise.bench.entrants import settings_of
from archwise.evaluators.evaluator import TrainingEvaluator
from archwise.evaluators.recipe import training_recipe
from archwise.evaluators.schedule import derive_seed
from archwise.evaluators.training import train
from archwise.evaluators.zero_cost import ZeroCost
from archwise.lineage import Lineage
from archwise.ready import GUIDED, PARETO, SINGLE, is_guided, ready_strategy
from archwise.spaces import JointSpace
from archwise.spaces.ready import ready_space, suggested_space
from archwise.strategies.strategy import Strategy, next_number, passes_on_weights
from archwise.tasks.load import make_task
from archwise.tasks.task import Task
from archwise.trial import Proposal, Trial

EPOCHS = {
    "digits": 1,
    "fashion-mnist": 1,
    "statlog-vehicle": 10,
    "conn-bench-vowel-deterding": 10,
    "wine-quality-red": 5,
}
"""Passes of a full training on each data set."""
IMAGES = 2000
"""Images of Fashion-MNIST that are used, of 60,000; their sides are halved."""
MOST_FLOPS = 2e6
"""Networks that need more for an example are not allowed."""
OBJECTIVE = "accuracy"
"""Of wine-quality-red, too, though its classes are uneven: the rarest have two examples in the test split."""
SCHEDULED = ("halving-evolution", "halving-bayesian", "hyperband-bayesian", "asha-evolution", "freeze-thaw-evolution")
FINAL_SEEDS = 3


def data_of(sets: Path, name: str) -> Any:
    """Return a data set as `make_task` takes it."""
    if name == "digits":
        return name
    if name == "fashion-mnist":
        images = np.load(sets / "fashion_mnist.npz")
        halved = images["x_train"][:IMAGES].reshape(IMAGES, 14, 2, 14, 2).mean((2, 4)).round().astype(np.uint8)
        return halved, images["y_train"][:IMAGES]
    tables = np.load(sets / "uci_tabular.npz")
    return tables[f"{name}/X"], tables[f"{name}/y"]


@cache
def space_of(folder: str) -> JointSpace:
    """Return the candidates for a task; one object for all searches, which share what is computed of candidates."""
    task = Task.load(folder)
    recipe = training_recipe(task.signature.kind, task.problem != "regression", task.imbalanced)
    network = ready_space(suggested_space(task.signature), task.signature)
    return JointSpace(network, recipe, task.signature, most_flops=MOST_FLOPS)


def strategy_of(name: str, space: JointSpace, task: Task, seed: int, budget: int) -> Strategy:
    """Return a new strategy."""
    return ready_strategy(name, budget, scorer=ZeroCost.of_task(space, task, seed) if is_guided(name) else None)


def search(folder: str, name: str, seed: int, budget: int, epochs: float) -> list[Trial]:
    """Search by a strategy, one trial at a time, until the trials cost `budget` full trainings."""
    task, space = Task.load(folder), space_of(folder)
    strategy = strategy_of(name, space, task, seed, budget)
    with tempfile.TemporaryDirectory() as scratch:
        evaluator = TrainingEvaluator(space, OBJECTIVE, epochs, checkpoints=Path(scratch))
        lineage = Lineage(Path(scratch), passes_on_weights(strategy))
        trials: list[Trial] = []
        spent = 0.0
        while spent < budget - 1e-9:
            proposals = strategy.propose(space, trials, [], seed, 1)
            if not proposals:
                break
            number = next_number(trials, [])
            proposal = lineage.settled(proposals[0], trials)
            parent = next((trial for trial in trials if trial.number == proposal.parent), None)
            trial_seed = derive_seed(seed, number) if parent is None else parent.seed
            job = evaluator.job(proposal, task, trial_seed, lineage.start(proposal, trials))
            job = replace(job, weights_to=lineage.file(number), measure_latency=False, threads=1)
            alone = not (job.checkpoint_to or job.resume_from or job.weights_to or job.inherit_weights)
            outcome = trained(json.dumps(job.to_json())) if alone else train(job)
            trials.append(as_trial(number, proposal, trial_seed, outcome))
            lineage.forget(trials, [])
            spent += proposal.fidelity - (0.0 if parent is None else parent.fidelity)
        return trials


@cache
def tested(folder: str, proposal: Proposal, epochs: float, seed: int) -> float:
    """Train a candidate from scratch and return its accuracy on the test split; 0 where its training fails."""
    evaluator = TrainingEvaluator(space_of(folder), OBJECTIVE, epochs)
    return accuracy_on_test(evaluator, proposal, Task.load(folder), seed)


def key_of(data: str, name: str, seed: int, budget: int) -> dict[str, Any]:
    """Return what tells a search from the others; with other settings it is another one."""
    return {"data": data, "strategy": name, "settings": settings_of(name, budget), "seed": seed, "budget": budget}


def run(folder: str, data: str, name: str, seed: int, budget: int) -> dict[str, Any]:
    """Search, train the answer with fresh seeds, and return what came of it."""
    torch.set_num_threads(1)
    epochs = EPOCHS[data]
    trials = search(folder, name, seed, budget, epochs)
    finished = [trial for trial in trials if trial.score is not None]
    best = max(finished, key=lambda trial: (trial.fidelity, trial.score))
    seeds = [derive_seed(seed, 1_000_000 + i) for i in range(FINAL_SEEDS)]
    accuracies = [tested(folder, Proposal(best.candidate), epochs, fresh) for fresh in seeds]
    return {
        **key_of(data, name, seed, budget),
        "trials": len(trials),
        "failed": len(trials) - len(finished),
        "validation": best.score,
        "test": statistics.fmean(accuracies),
    }


def is_of(row: dict[str, Any], data: str, name: str, seed: int, budget: int) -> bool:
    """Whether a row is of a search, by a strategy as it is set now."""
    return key_of(data, name, seed, budget).items() <= row.items()


def run_all(folder: str, data: str, names: Sequence[str], seed: int, budget: int, results: Path) -> None:
    """Run strategies one after another, and add what comes of each to a file."""
    for name in names:
        line = json.dumps(run(folder, data, name, seed, budget))
        with results.open("a") as file:
            print(line, file=file)


def show(rows: Iterable[dict[str, Any]]) -> None:
    """Print a table: mean test accuracy and its standard deviation over seeds, and the mean rank."""
    found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row in rows:
        found[row["strategy"], row["data"]][row["seed"]] = 100 * row["test"]
    strategies, sets = (list(dict.fromkeys(part)) for part in zip(*found, strict=True))
    shared = [(data, seed) for data in sets for seed in range(100) if all(seed in found[s, data] for s in strategies)]
    places: dict[str, list[float]] = defaultdict(list)
    for data, seed in shared:
        values = [found[strategy, data][seed] for strategy in strategies]
        for strategy, own in zip(strategies, values, strict=True):
            places[strategy].append(1 + sum(v > own for v in values) + (values.count(own) - 1) / 2)
    print(f"| strategy | {' | '.join(sets)} | mean | mean rank |\n|{'---|' * (len(sets) + 3)}")
    for strategy in sorted(strategies, key=lambda name: statistics.fmean(places[name])):
        each = [list(found[strategy, data].values()) for data in sets]
        cells = [f"{statistics.fmean(tests):.1f} ± {np.std(tests, ddof=len(tests) > 1):.1f}" for tests in each]
        mean = statistics.fmean(statistics.fmean(tests) for tests in each)
        print(f"| {strategy} | {' | '.join(cells)} | {mean:.2f} | {statistics.fmean(places[strategy]):.1f} |")


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--strategies", default=",".join([*SINGLE, *GUIDED, *PARETO, *SCHEDULED]))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.results.touch()
    rows = [json.loads(line) for line in options.results.read_text().splitlines()]
    names = options.strategies.split(",")
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(options.workers) as pool:
        folders = {name: make_task(data_of(options.sets, name), folder=Path(scratch) / name).folder for name in EPOCHS}
        futures = []
        for seed, data in product(range(options.seeds), EPOCHS):
            left = [name for name in names if not any(is_of(row, data, name, seed, options.budget) for row in rows)]
            arguments = str(folders[data]), data, left, seed, options.budget, options.results
            futures.append(pool.submit(run_all, *arguments))
        for future in futures:
            future.result()
    rows = [json.loads(line) for line in options.results.read_text().splitlines()]
    show(row for row in rows if is_of(row, row["data"], row["strategy"], row["seed"], options.budget))


if __name__ == "__main__":
    main()
