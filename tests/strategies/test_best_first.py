"""Best-first search."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import Strategy
from archwise.strategies.best_first import BestFirstSearch


class TestBestFirstSearch(StrategyContract):
    begins_alike = True
    seeds = 4

    def make(self) -> Strategy:
        return BestFirstSearch()
