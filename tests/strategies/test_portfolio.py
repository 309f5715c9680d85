"""A portfolio of strategies."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import LocalSearch, RandomSearch, RegularisedEvolution, Strategy
from archwise.strategies.portfolio import Portfolio


class TestPortfolio(StrategyContract):
    def make(self) -> Strategy:
        return Portfolio({"evolution": RegularisedEvolution(), "local": LocalSearch(), "chance": RandomSearch()})
