"""How much of a search's time is left, and what must be kept for its end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

from archwise.trial import Trial

LEAST_SHARE = 0.1
"""What a search that was killed gets to come to its end, however much of its budget was used."""
TRIAL_SHARE = 0.25
"""Most of the budget that training the default architecture once may take. It is trained so long again beside a
finalist, and a third time for the answer; what is left goes to exploring, with trainings that stop early."""
PATIENCE = 1.3
"""Networks that take longer than this many times that share are left out."""
CONFIRM_SHARE = PATIENCE * TRIAL_SHARE
"""Most of the budget that evaluating the finalists again may take; one, once, is evaluated anyway."""
FINAL_SHARE = 0.4
"""Most of the budget that the final training may take."""
START_SECONDS = 4.0
"""What starting workers again takes, where exploring ends in the middle of trials."""
END_SECONDS = 7.0
"""What testing, exporting and reporting take."""


class Clock:
    """The time of one session of a search.

    Args:
        minutes: the wall-clock budget; None for none.
        spent: seconds of the budget that earlier sessions used.
    """

    def __init__(self, minutes: float | None, spent: float = 0.0):
        self.begun = time.time()
        self.budget = None if minutes is None else 60.0 * minutes
        left = None if self.budget is None else self.budget - spent
        self.deadline = None if left is None else self.begun + left

    @property
    def seconds(self) -> float:
        """Seconds since the session began."""
        return time.time() - self.begun

    @property
    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return float("inf") if self.deadline is None else self.deadline - time.time()


def spent_seconds(sessions: Sequence[float], ends: Sequence[float], trials: Sequence[Trial]) -> float:
    """Return how long earlier sessions ran: to their end, or where they were killed, to the end of their last trial.

    Args:
        sessions: when each session began, in order.
        ends: when sessions came to their end.
        trials: all trials of the search.
    """
    ends = [*ends, *(trial.started + trial.seconds for trial in trials)]
    total = 0.0
    for begun, following in pairwise([*sessions, float("inf")]):
        total += max([begun, *(end for end in ends if begun <= end < following)]) - begun
    return total


def default_epochs(examples: int) -> float:
    """Return how many passes over the training split a full training makes where time does not limit it.

    Example:
        >>> default_epochs(1_150), default_epochs(54_000), default_epochs(100)
        (79.0, 22.0, 150.0)
    """
    return float(min(150, max(10, round(830 / max(1, examples) ** (1 / 3)))))
