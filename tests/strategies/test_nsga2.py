"""NSGA-II."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tests.contracts import toys
from tests.contracts.strategy_contract import StrategyContract

from archwise.pareto import hypervolume
from archwise.spaces.architecture import Candidate
from archwise.strategies import Strategy
from archwise.strategies.nsga2 import NSGA2


class MultiObjectiveContract(StrategyContract):
    """A search is worth what it dominates of worth and log price; not collected itself."""

    def achieved(self, candidates: Sequence[Candidate]) -> float:
        values = [[toys.worth(candidate), -np.log(toys.price(candidate))] for candidate in candidates]
        return hypervolume(np.array(values), [0.0, -np.log(10_000)])


class TestNSGA2(MultiObjectiveContract):
    def make(self) -> Strategy:
        return NSGA2()
