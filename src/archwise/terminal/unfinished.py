"""What is known of a search that has not ended, from the experience."""

from __future__ import annotations

import shlex
from typing import Any

from archwise.experience.known import open_known
from archwise.pareto import pareto_rows
from archwise.report.words import count
from archwise.run import Run
from archwise.terminal.console import Output
from archwise.terminal.results import BEST_TRIALS, print_failures, print_trade_offs, print_trials
from archwise.terminal.standing import Standing
from archwise.trial import Trial


class Unfinished:
    """A search that has not ended: its run folder, and its trials so far.

    Args:
        run: the run.

    Raises:
        ExperienceError: the experience is gone, or does not know the search.
    """

    def __init__(self, run: Run):
        self.run = run
        self.standing = Standing(run.settings.objective)
        with open_known(run["experience"]) as experience:
            self.trials = experience.trials(run["search"])
        for trial in self.trials:
            self.standing.add(trial)

    def summary(self) -> dict[str, Any]:
        """Return what is known as plain data."""
        best, default, statuses = self.standing.best, self.standing.default, self.standing.statuses
        return {
            "run": str(self.run.folder),
            "state": self.run["state"],
            "objective": self.standing.objective,
            "trials": {name: statuses[name] for name in ("finished", "failed", "pruned")},
            "best": None if best is None else self._facts(best),
            "default": None if default is None else self._facts(default),
            "seed": self.run.settings.seed,
        }

    def _facts(self, trial: Trial) -> dict[str, Any]:
        return {
            "trial": trial.number,
            "fidelity": trial.fidelity,
            "validation": dict(trial.outcome.metrics),
            "architecture": trial.candidate.architecture.to_json(),
            "recipe": trial.candidate.recipe.to_json(),
        }

    def print(self, output: Output) -> None:
        """Print what is known for people."""
        output.say(f"This search has not ended; so far it has made {count(len(self._searched), 'trial')}.", "bold")
        best = sorted(self._searched, key=lambda t: t.score or 0.0, reverse=True)
        print_trials(output, [self._row(t) for t in best if t.score is not None][:BEST_TRIALS], self.standing.name)
        settings = self.run.settings
        trade_offs = pareto_rows(self.trials, settings.objective, settings.minimise)
        print_trade_offs(output, trade_offs, settings.objective, settings.minimise)
        print_failures(output, self.standing.reasons)
        output.say("")
        output.say(f"To go on with it: archwise resume {shlex.quote(str(self.run.folder))}")

    @property
    def _searched(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.purpose == "search"]

    def _row(self, trial: Trial) -> dict[str, Any]:
        value = trial.outcome.metrics.get(self.standing.objective)
        parameters = trial.outcome.costs.get("parameters")
        row = {name: getattr(trial, name) for name in ("number", "fidelity", "seconds", "origin")}
        return row | {"value": value, "parameters": parameters}
