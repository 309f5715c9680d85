"""The tree-structured Parzen estimator, by Optuna."""

from __future__ import annotations

import pytest
from tests.contracts import toys
from tests.contracts.strategy_contract import StrategyContract

from archwise.errors import ArchwiseError
from archwise.strategies.strategy import Strategy
from archwise.strategies.tpe import TreeStructuredParzenEstimator

pytest.importorskip("optuna")


class TestTreeStructuredParzenEstimator(StrategyContract):
    seeds = 2

    def make(self) -> Strategy:
        return TreeStructuredParzenEstimator()

    def test_candidates_come_from_the_model_after_the_startup(self):
        trials = self.simulate(toys.layers(), 30)
        origins = [trial.origin for trial in trials]
        assert origins[:10] == ["random"] * 10
        assert set(origins[10:]) == {"tree-structured Parzen estimator"}


def test_impossible_settings_are_refused():
    with pytest.raises(ArchwiseError, match="not 0"):
        TreeStructuredParzenEstimator(startup=0)
