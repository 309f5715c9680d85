"""The strategy of a search, made from what the search is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archwise.evaluators.zero_cost import ZeroCost
from archwise.meta.past_task import PastTask
from archwise.meta.store import SurrogateStore
from archwise.ready import is_guided, is_learning, ready_strategy
from archwise.settings import SearchSettings
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy
from archwise.tasks.descriptor import describe_task
from archwise.tasks.task import Task


def may_learn(strategy: Strategy | str | None, minimise: Sequence[str]) -> bool:
    """Whether a search asks the experience."""
    by_itself = strategy in (None, "auto") and not minimise
    return by_itself or (isinstance(strategy, str) and is_learning(strategy))


def strategy_of(
    name: str,
    trials: int | None,
    settings: SearchSettings,
    space: JointSpace,
    task: Task,
    past: Sequence[PastTask],
    surrogates: Path | None,
) -> Strategy:
    """Return the ready-made strategy of a name for a search."""
    scorer = ZeroCost.of_task(space, task, settings.seed) if is_guided(name) else None
    descriptor = describe_task(task) if past else None
    store = SurrogateStore(surrogates) if surrogates else None
    limits = {"train_seconds": settings.trial_seconds} if settings.trial_seconds else {}
    return ready_strategy(name, trials, settings.minimise, scorer, past, descriptor, limits, store)
