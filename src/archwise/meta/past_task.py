"""What is known of a task that was searched before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from archwise.spaces.joint import JointSpace
from archwise.trial import Trial


@dataclass(frozen=True)
class PastTask:
    """A task of earlier searches, and what evaluating candidates on it came to.

    Args:
        name: what people call it.
        trials: those of its searches, failed ones too, each candidate's longest training alone.
        descriptor: numbers that describe the task; None where not known.
        space: what the trials are candidates of, where that is another space than the new task's; see `meta.foreign`.
        same_data: share of the task's rows that are the new one's.
    """

    name: str
    trials: Sequence[Trial] = field(repr=False)
    descriptor: Mapping[str, float] | None = None
    space: JointSpace | None = field(default=None, repr=False)
    same_data: float = 0.0

    def inside(self, space: JointSpace) -> list[Trial]:
        """Return the trials of candidates that a space holds.

        What was searched in another space is no candidate of this one, even where its record looks like one.
        """
        return [trial for trial in self.trials if trial.candidate in space] if self.space in (None, space) else []

    def within(self, space: JointSpace) -> list[Trial]:
        """Return the trials of candidates that a space holds, with scores that can be compared.

        Where half of them or more were trained in full, the others are left out. Where fewer were, most had been cut
        short because others were better, so scores are places: who was trained for longer stands above all who were
        not, and of equally long ones the better score decides.
        """
        trials = self.inside(space)
        in_full = [trial for trial in trials if trial.fidelity >= 1]
        if 2 * len(in_full) >= len(trials):
            return in_full
        finished = [trial for trial in trials if trial.score is not None]
        order = sorted(finished, key=lambda trial: (trial.fidelity, trial.score or 0.0))
        places = {id(trial): float(place) for place, trial in enumerate(order)}
        return [
            replace(trial, outcome=replace(trial.outcome, score=places[id(trial)])) if id(trial) in places else trial
            for trial in trials
        ]
