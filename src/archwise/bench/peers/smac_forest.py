"""SMAC3."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archwise.bench.peers.peer import is_grid
from archwise.evaluators.table import TableDecision


class SmacForest:
    """SMAC3's facade for hyper-parameters, a random forest: grids as whole numbers (the option's place), others as
    categories. A failure is a crash at the worst score so far.

    Its settings are its own but one: the forest is fitted anew for each proposal, as all other methods here learn from
    every evaluation, and not for every eighth.

    Source: Lindauer et al. 2022, SMAC3: a versatile Bayesian optimization package for hyperparameter optimization.

    Args:
        decisions: what there is to choose.
        seed: decides everything random.
        evaluations: how many there will be; SMAC spends up to a quarter of them on its initial design.
    """

    def __init__(self, decisions: Sequence[TableDecision], seed: int, evaluations: int):
        from ConfigSpace import Categorical, ConfigurationSpace, Integer
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.main.exceptions import ConfigurationSpaceExhaustedException
        from smac.runhistory import StatusType, TrialValue

        logging.getLogger("smac").setLevel(logging.ERROR)
        self._names = [f"choice{place}" for place in range(len(decisions))]
        space = ConfigurationSpace(seed=seed)
        for name, decision in zip(self._names, decisions, strict=True):
            count = len(decision.options)
            grid = is_grid(decision)
            space.add(Integer(name, (0, count - 1)) if grid else Categorical(name, list(range(count))))
        self._folder = tempfile.TemporaryDirectory(prefix="archwise-smac-")
        scenario = Scenario(
            space, deterministic=True, n_trials=evaluations, seed=seed, output_directory=Path(self._folder.name)
        )
        self._facade = Facade(
            scenario,
            lambda config, seed: 0.0,  # never called, but SMAC wants one
            config_selector=Facade.get_config_selector(scenario, retrain_after=1),
            logging_level=False,
        )
        self._exhausted = ConfigurationSpaceExhaustedException
        self._value, self._status = TrialValue, StatusType
        self._asked: dict[int, Any] = {}
        self._scores: list[float] = []

    def ask(self, number: int) -> Sequence[int] | None:
        """Return what SMAC asks for; it never repeats itself."""
        try:
            info = self._asked[number] = self._facade.ask()
        except (self._exhausted, StopIteration):
            return None
        return [int(info.config[name]) for name in self._names]

    def tell(self, number: int, score: float | None) -> None:
        """Tell SMAC the cost, which is the score negated."""
        info = self._asked.pop(number)
        if score is not None:
            self._scores.append(score)
        elif not self._scores:
            return
        status = self._status.CRASHED if score is None else self._status.SUCCESS
        value = self._value(cost=-min(self._scores) if score is None else -score, status=status)
        self._facade.tell(info, value, save=False)
