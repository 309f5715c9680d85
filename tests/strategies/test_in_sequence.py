"""Strategies in sequence."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import LocalSearch, RandomSearch, RegularisedEvolution, Strategy
from archwise.strategies.in_sequence import InSequence


class TestInSequence(StrategyContract):
    def make(self) -> Strategy:
        return InSequence({"evolution": RegularisedEvolution(), "local": LocalSearch(), "chance": RandomSearch()}, [30, 40])
