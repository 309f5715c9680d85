"""What archwise adds to a trial beyond training, the memory of its main process, and how fast the help comes.

    python benchmarks/overhead.py [--trials 2000]

First the trainer does nothing (benchmarks/no_op_worker.py): a trial is then proposing, checking, writing the source,
the way to a warm worker and back, and the record in the experience. Then trainings of one optimiser step, of which the
seconds of the step itself are taken off: opening the task, building the network, counting its FLOPs and memory, and
measuring its latency come on top.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

import archwise
from archwise.progress import Listener
from archwise.runtime.process import WorkerProcess
from archwise.trial import Trial

REAL_WORKER = WorkerProcess.MODULE
FIRST = 5
"""Trials left out: the worker is cold."""


class Explored(Exception):
    """The trials are made; the search need not come to its end."""


class Watch(Listener):
    """Keeps the time between trials, and the main process's resident memory, as a search goes."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.memory: list[float] = []
        self.last = time.perf_counter()

    def trial(self, trial: Trial) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self.last - trial.outcome.costs.get("train_seconds", 0.0))
        self.memory.append(psutil.Process().memory_info().rss / 2**20)
        self.last = now

    def stage(self, name: str, expected: int | None) -> None:
        if name == "confirming":
            raise Explored


def measure(what: str, data: str, strategy: str, trials: int) -> None:
    """Search, and print the medians."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        places = {"run": Path(folder) / "run", "experience": Path(folder) / "experience.sqlite"}
        search = {"trials": trials, "strategy": strategy, "epochs": 0.01, "workers": 1, "fix": {"batch_size": 32}}
        with contextlib.suppress(Explored):
            archwise.search(data, listener=watch, **search, **places)
    own = [1000 * seconds for seconds in watch.seconds[FIRST:]]
    memory = ", ".join(f"{watch.memory[n - 1]:.0f} after {n}" for n in (trials // 10, trials // 2, trials))
    print(
        f"{what}: {data}, {strategy}, {trials} trials: {statistics.median(own):.1f} ms a trial "
        f"(90 % within {statistics.quantiles(own, n=10)[-1]:.1f} ms); main process {memory} MiB",
        flush=True,
    )


def main() -> None:
    """Run the searches and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    for what, worker in (("no-op trainer", "no_op_worker"), ("one step", REAL_WORKER)):
        WorkerProcess.MODULE = worker
        measure(what, "iris", "random", trials)
        measure(what, "digits", "random", trials // 4)
        measure(what, "digits", "evolution", trials // 4)
    for command in ([sys.executable, "-c", "pass"], [str(Path(sys.executable).parent / "archwise"), "--help"]):
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            times.append(time.perf_counter() - begun)
        print(f"{' '.join(command[1:])}: median {statistics.median(times):.3f} s", flush=True)


if __name__ == "__main__":
    main()
