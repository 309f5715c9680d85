"""The contract of strategies with several objectives: they are worth what their trials dominate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tests.contracts import toys
from tests.contracts.strategy_contract import StrategyContract

from archwise.pareto import hypervolume
from archwise.spaces.architecture import Candidate
from archwise.trial import Trial


class TradeOffContract(StrategyContract):
    """The shared test-suite of strategies that minimise the toys' "parameters" beside making the score large."""

    beginnings = 48

    def begun_well(self, trials: Sequence[Trial]) -> float:
        """What the first trials dominate."""
        return self.achieved([trial.candidate for trial in trials])

    def achieved(self, candidates: Sequence[Candidate]) -> float:
        """The volume of worth and log price that candidates dominate."""
        values = [[toys.worth(candidate), -np.log(toys.price(candidate))] for candidate in candidates]
        return hypervolume(np.array(values), [0.0, -np.log(10_000)])
