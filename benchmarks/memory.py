"""How much memory a long search takes: what the process holds after so many proposals, with nothing trained.

Run it with OMP_NUM_THREADS=1: python benchmarks/memory.py [--space cnn] [--trials 3000] [--strategy bayesian]
"""

from __future__ import annotations

import argparse

import psutil
from proposals import SPACES, score

from archwise.evaluators.recipe import training_recipe
from archwise.ready import ready_strategy
from archwise.spaces import JointSpace
from archwise.spaces.ready import ready_space
from archwise.trial import Outcome, Trial


def main() -> None:
    """Print a row for each tenth of the search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", choices=SPACES, default="cnn")
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--strategy", default="bayesian")
    options = parser.parse_args()
    signature = SPACES[options.space]
    space = JointSpace(ready_space(options.space, signature), training_recipe(signature.kind), signature)
    strategy, trials = ready_strategy(options.strategy), list[Trial]()
    print("trials  MiB")
    while len(trials) < options.trials:
        [proposal] = strategy.propose(space, trials, [], 0, 1)
        outcome = Outcome("finished", score(proposal.candidate))
        trials.append(Trial(len(trials), proposal.candidate, 1.0, 0, outcome, None, proposal.origin))
        if len(trials) % (options.trials // 10) == 0:
            print(f"{len(trials):6,} {psutil.Process().memory_info().rss >> 20:6,}", flush=True)


if __name__ == "__main__":
    main()
