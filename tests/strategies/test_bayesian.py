"""Bayesian optimisation."""

from __future__ import annotations

import pytest
from tests.contracts.strategy_contract import StrategyContract

from archwise.errors import ArchwiseError
from archwise.strategies import Strategy
from archwise.strategies.bayesian import BayesianOptimization


class TestBayesianOptimization(StrategyContract):
    seeds = 2
    beginnings = 15

    def make(self) -> Strategy:
        return BayesianOptimization()


def test_impossible_settings_are_refused():
    with pytest.raises(ArchwiseError, match="not 1"):
        BayesianOptimization(first=1)
