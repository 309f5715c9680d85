"""Bayesian optimisation of several objectives."""

from __future__ import annotations

from tests.contracts.trade_offs import TradeOffContract

from archwise.strategies import Strategy
from archwise.strategies.multi_objective import MultiObjectiveBayesian


class TestHypervolume(TradeOffContract):
    seeds = 3

    def make(self) -> Strategy:
        return MultiObjectiveBayesian()


class TestChebyshev(TradeOffContract):
    seeds = 3

    def make(self) -> Strategy:
        return MultiObjectiveBayesian(acquisition="chebyshev")
