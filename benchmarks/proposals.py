"""How long a strategy thinks: a proposal with 100, 1,000 and 10,000 trials known.

Run it with OMP_NUM_THREADS=1: python benchmarks/proposals.py [STRATEGY ...]
"""

from __future__ import annotations

import sys
import time
from zlib import crc32

import numpy as np

from archwise.evaluators.recipe import training_recipe
from archwise.ready import ready_strategy
from archwise.signature import Signature
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.ready import ready_space
from archwise.trial import Outcome, Trial

SPACES = {"mlp": Signature((20,), 2, "table"), "cnn": Signature((3, 32, 32), 10, "image")}
KNOWN = (100, 1_000, 10_000)
REPEATS = 5


def score(candidate: Candidate) -> float:
    """Return a made-up score: what each option taken is worth, on average."""
    taken = [*candidate.architecture.items(), *candidate.recipe.items()]
    return float(np.mean([(crc32(f"{path}={label}".encode()) / 2**32) ** 2 for path, label in taken]))


def trials(space: JointSpace, count: int) -> list[Trial]:
    """Return trials of random candidates, each function once."""
    rng = np.random.default_rng(0)
    found: dict[object, Candidate] = {}
    while len(found) < count:
        candidate = space.sample(rng)
        if space.allows(candidate):
            found[space.key(candidate)] = candidate
    return [Trial(i, c, 1.0, 0, Outcome("finished", score(c))) for i, c in enumerate(found.values())]


def main(names: list[str]) -> None:
    """Print a row for each strategy and space."""
    print("space  strategy            known  first s  then ms (worst)")
    for place, signature in SPACES.items():
        space = JointSpace(ready_space(place, signature), training_recipe(signature.kind), signature)
        known = trials(space, max(KNOWN) + REPEATS)
        for name in names:
            for count in KNOWN:
                strategy = ready_strategy(name)
                begun = time.process_time()
                strategy.propose(space, known[:count], [], 0, 1)
                first = time.process_time() - begun
                seconds = []
                for more in range(1, REPEATS + 1):
                    begun = time.process_time()
                    strategy.propose(space, known[: count + more], [], 0, 1)
                    seconds.append(time.process_time() - begun)
                print(
                    f"{place:6} {name:18} {count:6,} {first:8.2f} {1000 * np.median(seconds):8.0f} "
                    f"({1000 * max(seconds):.0f})",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:] or ["bayesian"])
