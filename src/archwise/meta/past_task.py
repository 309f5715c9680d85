"""What is known of a task that was searched before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archwise.spaces.joint import JointSpace
from archwise.trial import Trial


@dataclass(frozen=True)
class PastTask:
    """A task of earlier searches, and what evaluating candidates on it came to.

    Args:
        name: what people call it.
        trials: those of its searches, failed ones too.
        descriptor: numbers that describe the task; None where not known.
    """

    name: str
    trials: Sequence[Trial] = field(repr=False)
    descriptor: Mapping[str, float] | None = None

    def within(self, space: JointSpace) -> list[Trial]:
        """Return the trials in full of candidates that a space holds."""
        return [trial for trial in self.trials if trial.fidelity >= 1 and trial.candidate in space]
