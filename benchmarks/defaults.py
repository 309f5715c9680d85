"""The default architecture and recipe beside variations of them, trained for equally many seconds on one core each.

    python benchmarks/defaults.py DATA [--seconds 150] [--seeds 1] [--vary PATH=OPTION[,PATH=OPTION...]]...

DATA is what `archwise search` takes, or a file of JPEG images (`jpeg_header`, `jpeg_body_train`, `offsets_train`,
`y_train`; this needs Pillow). Everything is judged on the validation split, and the test split stays sealed: a default
that was chosen by one data set's figures is reported on others.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from archwise.evaluators.evaluator import TrainingEvaluator
from archwise.evaluators.recipe import training_recipe
from archwise.evaluators.training import train
from archwise.limits import limit_spaces
from archwise.spaces import JointSpace
from archwise.spaces.ready import ready_space, suggested_space
from archwise.tasks.load import make_task
from archwise.tasks.task import Task
from archwise.terminal.limits import read_limits
from archwise.trial import Proposal

EPOCHS = 100
"""More than time allows: the timetable leaves out the steps that come too late, and the learning rate follows time."""


def images(file: str) -> tuple[np.ndarray, np.ndarray]:
    """Decode a file of JPEG images that share one header."""
    from PIL import Image

    parts = dict(np.load(file))
    head, body, ends = parts["jpeg_header"].tobytes(), parts["jpeg_body_train"].tobytes(), parts["offsets_train"]
    pieces = (head + body[a:b] + b"\xff\xd9" for a, b in zip(ends.astype(int), ends.astype(int)[1:], strict=False))
    x = np.stack([np.asarray(Image.open(io.BytesIO(piece)).convert("RGB")) for piece in pieces])
    return x, parts["y_train"]


def measure(folder: Path, variation: str, seconds: float, seed: int) -> str:
    """Train the default with a variation, and return a line about it."""
    torch.set_num_threads(1)
    task = Task.load(folder)
    kind = task.signature.kind
    recipe = training_recipe(kind, task.problem != "regression", task.imbalanced)
    fix = read_limits("--vary", variation.split(",") if variation else [])
    network, recipe = limit_spaces([ready_space(suggested_space(task.signature), task.signature), recipe], fix, {})
    space = JointSpace(network, recipe, task.signature)
    job = TrainingEvaluator(space, task.objective, EPOCHS).job(Proposal(space.default), task, seed)
    outcome = train(replace(job, seconds=seconds, measure_latency=False))
    costs = outcome.costs
    passes = costs["steps"] * job.settings["batch_size"] / task.sizes["train"]
    return (
        f"{variation or 'the default'}, seed {seed}: validation {task.objective} {outcome.metrics[task.objective]:.4f} "
        f"after {passes:.1f} passes; {costs['parameters']:,.0f} parameters, {costs['flops'] / 1e6:.1f} MFLOPs"
    )


def main() -> None:
    """Train all, two at a time, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--vary", action="append", default=[])
    options = parser.parse_args()
    data: Any = images(options.data) if options.data.endswith("_jpeg.npz") else options.data
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(2) as pool:
        folder = make_task(data, folder=Path(name) / "task").folder
        runs = [(variation, seed) for variation in ["", *options.vary] for seed in range(options.seeds)]
        lines = [pool.submit(measure, folder, variation, options.seconds, seed) for variation, seed in runs]
        for line in lines:
            print(line.result(), flush=True)


if __name__ == "__main__":
    main()
