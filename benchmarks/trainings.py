"""What the benchmarks on real data share: single trainings, what a candidate comes to on a test split,
and a file of results that later runs extend."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import Future, as_completed
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from archwise.evaluators.evaluator import TrainingEvaluator
from archwise.evaluators.job import TrainingJob
from archwise.evaluators.predict import predict
from archwise.evaluators.training import train
from archwise.tasks.task import Task
from archwise.trial import Outcome, Proposal, Trial


@cache
def trained(job: str) -> Outcome:
    """Return what a training that starts from nothing and leaves nothing comes to, which is always the same."""
    return train(TrainingJob.from_json(json.loads(job)))


def as_trial(number: int, proposal: Proposal, seed: int, outcome: Outcome) -> Trial:
    """Return the trial that a proposal became."""
    facts = proposal.candidate, proposal.fidelity, seed, outcome, proposal.parent, proposal.origin
    return Trial(number, *facts, inherits=proposal.inherits)


def accuracy_on_test(evaluator: TrainingEvaluator, proposal: Proposal, task: Task, seed: int) -> float:
    """Train a candidate from scratch and return its accuracy on the test split; 0 where its training fails."""
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "weights.safetensors"
        job = evaluator.job(proposal, task, seed)
        if train(replace(job, weights_to=str(weights), measure_latency=False, threads=1)).status != "finished":
            return 0.0
        model = evaluator.space.network.build(proposal.candidate.architecture, task.signature)
        model.load_state_dict(load_file(weights))
    x, y = task.open_test()
    return float((predict(model, x).argmax(1) == y).mean())


class Results:
    """The results file: one line for each search.

    Args:
        path: the file; what a kill left of a last line is cut off.
    """

    def __init__(self, path: Path):
        self.path = path
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        self.rows = [json.loads(line) for line in whole.splitlines()]

    def of(self, key: dict[str, Any]) -> dict[str, Any] | None:
        """Return the row of a search; None if it is not there."""
        return next((row for row in self.rows if key.items() <= row.items()), None)

    def add(self, row: dict[str, Any]) -> None:
        """Write a row at the end."""
        line = json.dumps(row)
        self.rows.append(json.loads(line))
        with self.path.open("a") as file:
            print(line, file=file)

    def collect(self, running: Iterable[Future[dict[str, Any]]]) -> None:
        """Add what comes of searches as they end."""
        for future in as_completed(running):
            self.add(future.result())
