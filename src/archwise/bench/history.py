"""What a search on a table's task may know of the table's other tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.meta.past_task import PastTask
from archwise.ready import ready_strategy
from archwise.trial import Proposal, Trial

SEARCHED_BY = "bayesian"
"""The strategy whose searches leave histories of the kind that searches leave."""


By = Literal["random", "search", "shuffled", "negated", "one", "copies"]
KINDS: tuple[By, ...] = get_args(By)
"""What a history may be made of: see `History`."""


@dataclass(frozen=True)
class History:
    """What a search on one of a table's tasks knows of all others: of the task itself, nothing.

    Args:
        count: trials of each other task; None for every row of the table.
        by: "random" for rows drawn at random, "search" for the trials of a search without experience. The others
            mislead, from random rows: "shuffled" scores, "negated" ones, those of "one" other task alone, or "copies"
            of one as if it were all others.

    Example:
        >>> str(History(100)), str(History(50, "search")), str(History(None))
        ('100 random', '50 search', 'all')
    """

    count: int | None
    by: By = "random"

    def __str__(self) -> str:
        return "all" if (self.count, self.by) == (None, "random") else f"{self.count or 'all'} {self.by}"

    def past_tasks(self, evaluator: TableEvaluator, task: str, seed: int) -> Sequence[PastTask]:
        """Return the other tasks with their trials.

        Args:
            evaluator: the table.
            task: the one that is left out.
            seed: another seed, other trials; those of a past task are the same whichever task is left out.
        """
        others = [name for name in evaluator.space.table.tasks if name != task]
        if self.by in ("one", "copies"):
            one = others[seed % len(others)]
            others = [one] * (1 if self.by == "one" else len(others))
        tasks = [PastTask(name, _trials(self, evaluator, name, 0 if self.count is None else seed)) for name in others]
        if self.by == "shuffled":
            rng = np.random.default_rng([seed, 1])
            return [_with_scores(past, rng.permutation) for past in tasks]
        return [_with_scores(past, np.negative) for past in tasks] if self.by == "negated" else tasks


def _with_scores(past: PastTask, change: Callable[[np.ndarray], np.ndarray]) -> PastTask:
    """Return a past task whose finished trials, which alone are kept, have other scores."""
    finished = [trial for trial in past.trials if trial.score is not None]
    scores = change(np.array([trial.score for trial in finished], dtype=float)).tolist()
    pairs = zip(finished, scores, strict=True)
    return replace(past, trials=[replace(t, outcome=replace(t.outcome, score=score)) for t, score in pairs])


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
