"""Iterative deepening."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import Strategy
from archwise.strategies.iterative_deepening import IterativeDeepening


class TestIterativeDeepening(StrategyContract):
    begins_alike = True
    uses_others = False
    seeds = 4

    def make(self) -> Strategy:
        return IterativeDeepening()
