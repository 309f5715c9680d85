"""What a search on a table's task may know of the table's other tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.meta.past_task import PastTask
from archwise.ready import ready_strategy
from archwise.trial import Proposal, Trial

SEARCHED_BY = "bayesian"
"""The strategy whose searches leave histories of the kind that searches leave."""


@dataclass(frozen=True)
class History:
    """What a search on one of a table's tasks knows of all others: of the task itself, nothing.

    Args:
        count: trials of each other task; None for every row of the table.
        by: "random" for rows drawn at random, "search" for the trials of a search without experience.

    Example:
        >>> str(History(100)), str(History(50, "search")), str(History(None))
        ('100 random', '50 search', 'all')
    """

    count: int | None
    by: Literal["random", "search"] = "random"

    def __str__(self) -> str:
        return "all" if self.count is None else f"{self.count} {self.by}"

    def past_tasks(self, evaluator: TableEvaluator, task: str, seed: int) -> Sequence[PastTask]:
        """Return the other tasks with their trials.

        Args:
            evaluator: the table.
            task: the one that is left out.
            seed: another seed, other trials; those of a past task are the same whichever task is left out.
        """
        others = (name for name in evaluator.space.table.tasks if name != task)
        return [PastTask(name, _trials(self, evaluator, name, 0 if self.count is None else seed)) for name in others]


@lru_cache(maxsize=32)
def _trials(history: History, evaluator: TableEvaluator, task: str, seed: int) -> tuple[Trial, ...]:
    """Return the trials of one past task; remembered, as all of a table's other tasks ask for them."""
    if history.by == "search" and history.count is not None:
        strategy = ready_strategy(SEARCHED_BY, history.count)
        return simulate(strategy, evaluator, TableTask(task), seed, history.count).trials
    table = evaluator.space.table
    rows = np.random.default_rng([seed, table.task_number(task)]).permutation(len(table.architectures))
    candidates = map(evaluator.space.candidate, rows[: history.count].tolist())
    return tuple(
        Trial(number, candidate, 1.0, 0, evaluator.evaluate(Proposal(candidate), TableTask(task)))
        for number, candidate in enumerate(candidates)
    )
