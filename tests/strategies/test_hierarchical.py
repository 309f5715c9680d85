"""Hierarchical search."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import LocalSearch, RegularisedEvolution, Strategy
from archwise.strategies.hierarchical import Hierarchical


class TestHierarchical(StrategyContract):
    def make(self) -> Strategy:
        return Hierarchical(RegularisedEvolution(), candidates=10)


class TestLocal(StrategyContract):
    uses_others = False

    def make(self) -> Strategy:
        return Hierarchical(LocalSearch(), candidates=10, best=1)
