"""Searches within a time budget, over seeds: the test metric beside the default architecture's and random search's.

python benchmarks/budget.py [--data digits] [--target COLUMN] [--seeds 5] [--minutes 2]
                            [--first-seed 0] [--strategies halving-evolution,halving-random]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import archwise


def main() -> None:
    """Run the searches one after another and print a row for each, and means with their spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--target")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--strategies", default="halving-evolution,halving-random")
    options = parser.parse_args()
    for strategy in options.strategies.split(","):
        tests, defaults, overruns = [], [], []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                begun = time.perf_counter()
                places = {"run": Path(folder) / "run", "experience": Path(folder) / "experience.sqlite"}
                search = {"minutes": options.minutes, "seed": seed, "strategy": strategy}
                result = archwise.search(options.data, options.target, **search, **places)
                seconds = time.perf_counter() - begun
            metric = result.metrics["objective"]
            tests.append(result.test[metric])
            defaults.append(result.default["test"][metric])
            overruns.append(seconds / (60 * options.minutes))
            trials = result.metrics["trials"]
            print(
                f"{strategy} seed {seed}: test {metric} {tests[-1]:.4f}, default {defaults[-1]:.4f}, "
                f"{trials['finished']} trials, {trials['failed']} failed, {seconds:.1f} s",
                flush=True,
            )
        spread = statistics.stdev(tests) if len(tests) > 1 else 0.0
        print(
            f"{strategy}: mean {statistics.fmean(tests):.4f} (sd {spread:.4f}, worst {min(tests):.4f}), "
            f"default {statistics.fmean(defaults):.4f}, time at most {max(overruns):.3f} of the budget",
            flush=True,
        )


if __name__ == "__main__":
    main()
