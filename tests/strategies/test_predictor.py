"""Predictor-guided search."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.strategy_contract import StrategyContract

from archwise.errors import ArchwiseError
from archwise.strategies.ensemble import Ensemble
from archwise.strategies.predictor import PredictorGuided
from archwise.strategies.strategy import Strategy


class TestPredictorGuided(StrategyContract):
    seeds = 4

    def make(self) -> Strategy:
        return PredictorGuided()

    def test_candidates_come_from_the_networks_after_the_first(self):
        origins = [trial.origin for trial in self.simulate(toys.layers(), 30)]
        assert origins[:10] == ["random"] * 10
        assert set(origins[10:]) == {"best by an ensemble's draw"}


def test_an_ensemble_learns_and_disagrees_far_from_what_it_saw():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 5))
    target = rows[:, 0] - 0.5 * rows[:, 1] ** 2
    values = (target - target.mean()) / target.std()
    ensemble = Ensemble(members=5, seed=0)
    ensemble.fit(rows[:60], values[:60])
    mean, deviation = ensemble.predict(rows)
    assert np.corrcoef(mean[60:], values[60:])[0, 1] > 0.7
    assert ensemble.predict(10 * rows)[1].mean() > 3 * deviation.mean()
    other = Ensemble(members=5, seed=1)
    other.fit(rows[:60], values[:60])
    assert not np.array_equal(other.predict(rows)[0], mean)


@pytest.mark.parametrize(("first", "members"), [(1, 5), (10, 1)])
def test_impossible_settings_are_refused(first, members):
    with pytest.raises(ArchwiseError, match="needs 2 first"):
        PredictorGuided(first, members)
