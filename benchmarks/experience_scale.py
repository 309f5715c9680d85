"""How fast a search begins where the experience is large, and how much memory that takes.

It fills an experience with generated trials of the mlp space, then asks it what a new search asks.
Run it with OMP_NUM_THREADS=1: python benchmarks/experience_scale.py [--tasks 1000] [--searches 10] [--trials 100]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from archwise.evaluators.recipe import training_recipe
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.meta.recall import past_tasks, recall
from archwise.ready import ready_strategy
from archwise.signature import Signature
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.ready import ready_space
from archwise.trial import Outcome, Trial

SIGNATURE = Signature((10,), 3, "table")
DIFFERENT = 20_000
"""Different candidates among the trials."""
T = TypeVar("T")


def mlp_space() -> JointSpace:
    """Return the candidates that the trials are of."""
    return JointSpace(ready_space("mlp"), training_recipe("table"), SIGNATURE)


def task_record(number: int) -> TaskRecord:
    """Return a task with a made-up descriptor and sketch."""
    rng = np.random.default_rng(number)
    descriptor = {f"number {i}": float(value) for i, value in enumerate(rng.normal(size=30))}
    sketch = sorted(4 * int(value) for value in rng.integers(2**50, size=384))
    sizes = {"train": 100, "validation": 20, "test": 20}
    name = f"task {number}"
    return TaskRecord(f"print of {name}", name, "multiclass", SIGNATURE, "accuracy", sizes, descriptor, sketch)


def fill(file: Path, space: JointSpace, tasks: int, searches: int, trials: int, different: int = DIFFERENT) -> None:
    """Fill an experience with trials of random candidates, whose scores follow what each task likes.

    Args:
        file: where the experience is made.
        space: the candidates.
        tasks: how many tasks.
        searches: of each task.
        trials: of each search.
        different: how many different candidates there are.
    """
    rng = np.random.default_rng(0)
    pool = [space.sample(rng) for _ in range(different)]
    texts = [_candidate_row(space, candidate) for candidate in pool]
    traits = rng.normal(size=(different, 8))
    ids = []
    with Experience(file) as memory:
        for part in (space.network, space.recipe):
            memory.add_space(SpaceRecord(part.hash, part.name, part.describe()))
        for number in range(tasks):
            task = memory.add_task(task_record(number))
            ids += [
                memory.begin_search(
                    SearchRecord(
                        task, space.network.hash, space.recipe.hash, "random", seed, "accuracy", {"epochs": 20.0}
                    )
                )
                for seed in range(searches)
            ]
    columns = (
        "search_id, task_id, space_id, number, purpose, architecture, architecture_hash, recipe, recipe_hash, "
        "fidelity, seed, status, score, reason, traceback, curve, metrics, costs, parent, inherits, origin, "
        "started, seconds, created"
    )
    with sqlite3.connect(file) as connection:
        rows = _rows(ids, tasks, searches, trials, texts, traits)
        connection.executemany(f"INSERT INTO trial ({columns}) VALUES ({', '.join('?' * 24)})", rows)
    connection.close()


def _rows(
    ids: list[str], tasks: int, searches: int, trials: int, texts: list[tuple[str, ...]], traits: np.ndarray
) -> Iterator[tuple[Any, ...]]:
    curve = json.dumps([[i / 10, i * 0.1, 1 / (i + 1), 1 / (i + 1), 0.5 + i / 30] for i in range(1, 11)])
    for task in range(tasks):
        rng = np.random.default_rng(task)
        likes = rng.normal(size=traits.shape[1])
        for search in range(searches):
            picked = rng.integers(len(texts), size=trials)
            scores = 0.5 + 0.1 * np.tanh(traits[picked] @ likes + 0.3 * rng.normal(size=trials))
            failed = rng.random(trials) < 0.05
            for number, (place, score, lost) in enumerate(zip(picked, scores.tolist(), failed, strict=True)):
                status = ("failed", None, "diverged", "") if lost else ("finished", score, "", "")
                facts = curve, json.dumps({"accuracy": score}), '{"parameters": 10000, "flops": 20000}'
                yield (
                    *(ids[task * searches + search], task + 1, 1, number, "search"),
                    *(*texts[place], 1.0, 0, *status, *facts, None, None, "random", 0.0, 1.0, 0.0),
                )


def _candidate_row(space: JointSpace, candidate: Candidate) -> tuple[str, ...]:
    key = space.key(candidate)
    records = (json.dumps(record.to_json()) for record in candidate)
    return next(records), key.architecture, next(records), key.recipe


def timed(what: str, work: Callable[[], T]) -> T:
    """Print how long something took, on the clock and on the processor, and the most memory held until then."""
    begun, spent = time.perf_counter(), time.process_time()
    answer = work()
    seconds, spent = time.perf_counter() - begun, time.process_time() - spent
    print(f"{what:24} {seconds:8.2f} s {spent:8.2f} s {_peak_mib():6,} MiB", flush=True)
    return answer


def _peak_mib() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main() -> None:
    """Fill an experience, and print a row for each step of a new search's beginning."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--searches", type=int, default=10)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--strategy", default="transfer")
    parser.add_argument("--proposals", type=int, default=10)
    parser.add_argument("--file", type=Path, help="keep the experience there, or take the one that is there")
    options = parser.parse_args()
    space = mlp_space()
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or Path(folder) / "experience.sqlite"
        if not file.exists():
            begun = time.perf_counter()
            fill(file, space, options.tasks, options.searches, options.trials)
            print(f"filled in {time.perf_counter() - begun:.0f} s: {file.stat().st_size >> 20:,} MiB")
        print(f"{'':24} {'clock':>10} {'processor':>10} peak memory")
        with Experience(file) as memory:
            new = task_record(options.tasks)
            recalled = timed("recall", lambda: recall(memory, new, space))
            past = timed("past_tasks", lambda: past_tasks(memory, recalled, space))
            print(f"{len(past)} past tasks, {sum(len(task.trials) for task in past):,} trials")
            timed("the space's encoding", lambda: space.encoding)
            strategy, trials = ready_strategy(options.strategy, past=past), list[Trial]()
            for number in range(options.proposals):
                [proposal] = timed(f"proposal {number}", lambda: strategy.propose(space, trials, [], 0, 1))
                score = float(np.random.default_rng(number).normal())
                outcome = Outcome("finished", score)
                trials.append(Trial(number, proposal.candidate, 1.0, 0, outcome, None, proposal.origin))


if __name__ == "__main__":
    main()
