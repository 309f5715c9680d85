"""One full training schedule, and the grid on it at which training can pause, validate and go on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

GRID = 27
"""Marks of a schedule; a third, a ninth and a 27th of it fall on one."""
EVERY = 3
"""Where validating is dear, training pauses at the first mark and then at each of so many."""
VALIDATION_SHARE = 0.1
"""How much of the training time validating at every mark may cost."""


def derive_seed(seed: int, *labels: int) -> int:
    """Return a seed of its own for one purpose, a pure function of a seed and labels.

    Example:
        >>> derive_seed(0, 1) == derive_seed(0, 1), derive_seed(0, 1) == derive_seed(0, 2)
        (True, False)
    """
    entropy = [seed & 0xFFFFFFFFFFFFFFFF, *labels]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass(frozen=True)
class Schedule:
    """The steps of a full training, divided into intervals.

    Fidelity f is the first f of this one schedule, so the learning rate at a step never depends on f.

    Args:
        ends: the optimiser steps at which intervals end, rising; the last is the full schedule's length.
        warmup: share of the schedule in which the learning rate rises linearly; a cosine takes it to 0 after.

    Example:
        >>> schedule = Schedule((20, 40, 60, 80, 100), warmup=0.1)
        >>> schedule.end(1), schedule.interval_at(0.33), schedule.rate(9), round(schedule.rate(99), 4)
        (20, 2, 1.0, 0.0003)
    """

    ends: tuple[int, ...]
    warmup: float = 0.0

    @classmethod
    def of(cls, examples: int, validation: int, epochs: float, batch_size: int, warmup: float) -> Schedule:
        """Lay out a training: a pure function of sizes, so every fidelity finds the same grid.

        Args:
            examples: how many examples one epoch has.
            validation: how many examples one validation has; many make the intervals longer.
            epochs: passes over the examples.
            batch_size: examples a step.
            warmup: share of the schedule, in [0, 1).
        """
        steps = max(1, math.ceil(epochs * examples / batch_size))
        # A training step costs about three forward passes. Whatever the batch size, a fidelity is as many examples.
        affordable = VALIDATION_SHARE * epochs * examples * 3 / validation
        marks = range(1, GRID + 1) if affordable >= GRID else (1, *range(EVERY, GRID + 1, EVERY))
        return cls(tuple(sorted({max(1, mark * steps // GRID) for mark in marks})), warmup)

    @property
    def steps(self) -> int:
        """Optimiser steps of the full schedule."""
        return self.ends[-1]

    def end(self, interval: int) -> int:
        """Return the step at which an interval ends (intervals count from 1, so `end(0)` is the start)."""
        return self.ends[interval - 1] if interval else 0

    def share(self, interval: int) -> float:
        """Return the share of the schedule that is done when an interval ends: its fidelity."""
        return self.end(interval) / self.steps

    def interval_at(self, fidelity: float) -> int:
        """Return the interval whose end is nearest to a fidelity; of two that are as near, the later."""
        intervals = range(len(self.ends), 0, -1)
        return min(intervals, key=lambda interval: abs(self.end(interval) - fidelity * self.steps))

    def rate(self, step: int) -> float:
        """Return the learning rate at a step (counted from 0) as a share of its peak."""
        rising = min(round(self.warmup * self.steps), self.steps - 1)
        if step < rising:
            return (step + 1) / rising
        return 0.5 + 0.5 * math.cos(math.pi * (step - rising + 1) / (self.steps - rising + 1))
