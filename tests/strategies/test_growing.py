"""Network growing: the contract, and what makes it that."""

from __future__ import annotations

import pytest
from tests.contracts.strategy_contract import StrategyContract

from archwise.strategies import NetworkGrowing, ReinforcedGrowing, Strategy


class TestNetworkGrowing(StrategyContract):
    begins_alike = True

    def make(self) -> Strategy:
        return NetworkGrowing()


class TestReinforcedGrowing(StrategyContract):
    begins_alike = True
    seeds = 6

    def make(self) -> Strategy:
        return ReinforcedGrowing()
