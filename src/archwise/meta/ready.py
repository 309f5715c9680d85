"""The ready-made strategies that learn from past tasks, by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archwise.meta.baselines import MeanPrediction, MeanRank, NearestTask
from archwise.meta.guard import GuardedTransfer
from archwise.meta.past_task import PastTask
from archwise.meta.transfer import Transfer
from archwise.strategies.strategy import Strategy


class Learning(NamedTuple):
    """A ready-made strategy that learns from past tasks.

    Args:
        description: what it is, in a few words.
        make: makes one.
    """

    description: str
    make: Callable[[Sequence[PastTask]], Strategy]


LEARNING = {
    "transfer": Learning("transfer from past tasks, guarded by a search from scratch", GuardedTransfer),
    "transfer-unguarded": Learning("transfer from past tasks", Transfer),
    "mean-prediction": Learning("what past tasks predict on average, best first", MeanPrediction),
    "mean-rank": Learning("the best mean rank on past tasks, best first", MeanRank),
    "nearest-task": Learning("the best of the past task that agrees most", NearestTask),
}
"""Name -> strategy."""
