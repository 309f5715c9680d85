"""Freeze-thaw on learning curves."""

from __future__ import annotations

from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy


class TestOverRandomSearch(StrategyContract):
    uses_others = False

    def make(self) -> Strategy:
        return FreezeThaw(RandomSearch())


class TestOverEvolution(StrategyContract):
    def make(self) -> Strategy:
        return FreezeThaw(RegularisedEvolution(10, 5), rungs=3, start=4)
