"""Strategies in turns."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import LocalSearch, RandomSearch, RegularisedEvolution, Strategy
from archwise.strategies.in_turns import InTurns


class TestInTurns(StrategyContract):
    def make(self) -> Strategy:
        return InTurns({"evolution": RegularisedEvolution(), "local": LocalSearch(), "chance": RandomSearch()})
