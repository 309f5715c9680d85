"""How a search stands, counted from its trials: the best so far, the default, and what failed."""

from __future__ import annotations

import re
from collections import Counter

from archwise.report.words import metric_name, number
from archwise.trial import Trial


class Standing:
    """How a search stands.

    Args:
        objective: the metric that decides.

    Attributes:
        best: the trial with the best score so far, or None.
        default: the trial of the space's default architecture that was trained longest, or None.
        statuses: how many trials ended how.
        reasons: why trials failed, and how many did so; reasons that differ in numbers alone count as one.
    """

    def __init__(self, objective: str):
        self.objective = objective
        self.best: Trial | None = None
        self.default: Trial | None = None
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._kinds: dict[str, str] = {}

    def add(self, trial: Trial) -> bool:
        """Take a trial in and return whether it is news: the best so far, or a failure of a new kind."""
        if trial.outcome.status == "failed":
            new = self._count_failure(trial)
            self.statuses["failed"] += trial.purpose == "search"
            return new
        if trial.purpose != "search":
            return False
        self.statuses[trial.outcome.status] += 1
        if trial.score is None:
            return False
        # The first trial is that of the default; later ones may continue it.
        is_default = trial.number == 0 or (self.default is not None and trial.candidate == self.default.candidate)
        if is_default and (self.default is None or trial.fidelity >= self.default.fidelity):
            self.default = trial
        if self.best is None or self.best.score is None or trial.score > self.best.score:
            self.best = trial
            return True
        return False

    def _count_failure(self, trial: Trial) -> bool:
        kind = re.sub(r"\d[\d.,]*", "#", trial.outcome.reason)
        new = kind not in self._kinds
        self.reasons[self._kinds.setdefault(kind, trial.outcome.reason or "no reason known")] += 1
        return new

    def value(self, trial: Trial) -> str:
        """Return the objective of a trial in its natural sign, and how far it was trained where not in full."""
        share = "" if trial.fidelity >= 1 else f" after {100 * trial.fidelity:.0f} % of its training"
        return f"{number(trial.outcome.metrics.get(self.objective))}{share}"

    @property
    def name(self) -> str:
        """The objective in words."""
        return metric_name(self.objective)
