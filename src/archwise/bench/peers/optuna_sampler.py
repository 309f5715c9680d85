"""Optuna's samplers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archwise.bench.peers.peer import is_grid
from archwise.evaluators.table import TableDecision


class OptunaSampler:
    """A sampler of Optuna: grids as whole numbers (the option's place), others as categories; failures as failures.

    Source: Akiba et al. 2019, Optuna: a next-generation hyperparameter optimization framework.

    Args:
        sampler: "tpe", "gp" or "random".
        decisions: what there is to choose.
        seed: decides everything random.
    """

    def __init__(self, sampler: str, decisions: Sequence[TableDecision], seed: int):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        made: dict[str, Callable[[], Any]] = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True),
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        }
        self._study = optuna.create_study(direction="maximize", sampler=made[sampler]())
        self._failed = optuna.trial.TrialState.FAIL
        self._decisions = decisions
        self._asked: dict[int, Any] = {}

    def ask(self, number: int) -> Sequence[int]:
        """Return what the sampler suggests."""
        trial = self._asked[number] = self._study.ask()
        return [
            int(trial.suggest_int(decision.name, 0, len(decision.options) - 1))
            if is_grid(decision)
            else int(trial.suggest_categorical(decision.name, list(range(len(decision.options)))))
            for decision in self._decisions
        ]

    def tell(self, number: int, score: float | None) -> None:
        """Tell the study."""
        trial = self._asked.pop(number)
        self._study.tell(trial, score, state=self._failed if score is None else None)
