"""What archwise adds to a trial beyond training, the memory of its main process, and how fast the help comes.

    python benchmarks/overhead.py [--trials 2000]

The training is one optimiser step (nothing to speak of), the worker is warm, and costs are not measured; what is left
of a trial's wall time is archwise's own: proposing, checking, writing the source, the pipe, the record in the
experience. The cost of one step of training, timed in the same run, is the baseline.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

import archwise
from archwise.evaluators import evaluator
from archwise.evaluators.job import TrainingJob
from archwise.progress import Listener
from archwise.trial import Trial


class Watch(Listener):
    """Keeps the time between trials, and the main process's resident memory, as a search goes."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.training: list[float] = []
        self.memory: list[float] = []
        self.last = time.perf_counter()

    def trial(self, trial: Trial) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.training.append(trial.outcome.costs.get("train_seconds", 0.0))
        self.memory.append(psutil.Process().memory_info().rss / 2**20)
        self.last = now


def without_latency(job: Any) -> Any:
    """Let jobs leave out the measurement of latency."""

    def measured(*arguments: Any) -> TrainingJob:
        return replace(job(*arguments), measure_latency=False)

    return measured


def main() -> None:
    """Run the searches and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    options = parser.parse_args()
    evaluator.TrainingEvaluator.job = without_latency(evaluator.TrainingEvaluator.job)
    for data, strategy, trials in (("iris", "random", options.trials), ("digits", "evolution", options.trials // 10)):
        watch = Watch()
        with tempfile.TemporaryDirectory() as folder:
            places = {"run": Path(folder) / "run", "experience": Path(folder) / "experience.sqlite"}
            archwise.search(
                data, trials=trials, strategy=strategy, epochs=0.01, workers=1, listener=watch, fix=FIX, **places
            )
        own = [a - b for a, b in zip(watch.seconds[5:trials], watch.training[5:trials], strict=True)]
        training = 1000 * statistics.median(watch.training)
        print(
            f"{data}, {strategy}, {trials} trials: {1000 * statistics.median(own):.1f} ms a trial beside training "
            f"(90 % within {1000 * statistics.quantiles(own, n=10)[-1]:.1f} ms; training {training:.1f} ms); "
            f"main process {watch.memory[trials // 10]:.0f} MiB after {trials // 10} trials, "
            f"{watch.memory[trials // 2]:.0f} after {trials // 2}, {watch.memory[trials - 1]:.0f} after {trials}",
            flush=True,
        )
    for command in ([sys.executable, "-c", "pass"], [str(Path(sys.executable).parent / "archwise"), "--help"]):
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            times.append(time.perf_counter() - begun)
        print(f"{' '.join(command[1:])}: median {statistics.median(times):.3f} s", flush=True)


FIX = {"batch_size": 32}


if __name__ == "__main__":
    main()
