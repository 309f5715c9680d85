"""What the best of earlier searches are worth to the next one: the default strategy with and without them.

    python benchmarks/elsewhere.py TABLE.npz ... [--seeds 5] [--evaluations 60]

For each task of a table, searches on all its other tasks are the experience. Regret and area are those of
`archwise bench`.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

import numpy as np

from archwise.bench.curves import area, regret_changes, regret_curve
from archwise.bench.simulation import simulate
from archwise.bench.tables import find_table
from archwise.elsewhere import EACH, as_shown
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.spaces import JointSpace
from archwise.strategies.automatic import automatic
from archwise.strategies.ready import ready_strategy
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Proposal, Trial


class Experienced:
    """A strategy that is shown trials of other searches, too."""

    def __init__(self, strategy: Strategy, elsewhere: Sequence[Trial]):
        self.strategy = strategy
        self.elsewhere = elsewhere

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Propose with them before the history."""
        return self.strategy.propose(space, [*self.elsewhere, *history], pending, seed, n)


def main() -> None:
    """Print a table: areas with their standard errors over seeds, regrets, and the task that gains least."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--seeds", type=int, default=5, help="2 or more")
    parser.add_argument("--evaluations", type=int, default=60)
    options = parser.parse_args()
    print("| table | | area | @2 | @5 | @20 | worst task: area without, with |\n|---|---|---|---|---|---|---|")
    for name in options.tables:
        table = find_table(name)
        evaluator = TableEvaluator(table_space(table))
        curves: dict[str, dict[str, list[list[float]]]] = {"without": {}, "with": {}}
        for seed in range(options.seeds):
            best = {}
            found = {}
            for task in table.tasks:
                strategy = ready_strategy(automatic(options.evaluations).name, options.evaluations)
                found[task] = simulate(strategy, evaluator, TableTask(task), seed, options.evaluations)
                ranked = sorted(found[task].trials, key=lambda t: -np.inf if t.score is None else t.score)
                best[task] = ranked[::-1][:EACH]
            for task in table.tasks:
                elsewhere = as_shown([best[other] for other in table.tasks if other != task])
                strategy = ready_strategy(automatic(options.evaluations).name, options.evaluations)
                informed = Experienced(strategy, elsewhere)
                with_them = simulate(informed, evaluator, TableTask(task), seed, options.evaluations)
                for key, run in (("without", found[task]), ("with", with_them)):
                    changes = regret_changes(run.steps, table, task)
                    curves[key].setdefault(task, []).append(regret_curve(changes, options.evaluations))
        areas = {key: {t: statistics.fmean(map(area, c)) for t, c in by.items()} for key, by in curves.items()}
        worst = max(table.tasks, key=lambda task: areas["with"][task] - areas["without"][task])
        for key, by_task in curves.items():
            mean = np.mean(list(by_task.values()), axis=(0, 1))
            by_seed = [area(np.mean(of_tasks, axis=0).tolist()) for of_tasks in zip(*by_task.values(), strict=True)]
            error = np.std(by_seed, ddof=1) / len(by_seed) ** 0.5
            cells = " | ".join(f"{mean[n - 1]:.3f}" for n in (2, 5, 20))
            shown = f"{worst}: {areas['without'][worst]:.3f}, {areas['with'][worst]:.3f}" if key == "with" else ""
            print(f"| {table.name} | {key} | {area(mean.tolist()):.3f} ± {error:.3f} | {cells} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
