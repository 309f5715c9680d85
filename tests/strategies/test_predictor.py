"""Predictor-guided search."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import StrategyContract

from archwise.errors import ArchwiseError
from archwise.strategies import RandomSearch
from archwise.strategies.ensemble import Ensemble
from archwise.strategies.predictor import PredictorGuided
from archwise.strategies.strategy import Strategy


class TestPredictorGuided(StrategyContract):
    seeds = 2

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


def test_where_rows_lie_changes_nothing():
    """Counts of a graph lie far from zero and vary little: what they have in common says nothing."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(40, 6))
    predictions = []
    for moved in (rows, 100 + 0.5 * rows):
        ensemble = Ensemble(members=3, seed=0)
        ensemble.fit(moved[:30], rows[:30, 0])
        predictions.append(ensemble.predict(moved))
    assert np.allclose(predictions[0], predictions[1], atol=0.02)
    assert predictions[0][0].std() > 0.3


def test_the_gradient_is_that_of_automatic_differentiation():
    rng = np.random.default_rng(2)
    rows, values = rng.normal(size=(20, 7)), rng.normal(size=20).astype(np.float32)
    ensemble = Ensemble(members=3, seed=0)
    ensemble.fit(rows, values)
    inputs = ensemble._scaled(rows)
    parameters = [torch.tensor(part, requires_grad=True) for part in (*ensemble._weights, *ensemble._biases)]
    layers = list(zip(parameters[:4], parameters[4:], strict=True))
    given = torch.tensor(inputs).expand(3, -1, -1)
    for number, (weights, biases) in enumerate(layers):
        given = (given.relu() if number else given) @ weights + biases
    (given[:, :, 0] - torch.tensor(values)).abs().mean(dim=1).sum().backward()
    by_weights, by_biases = ensemble._views(np.zeros_like(ensemble._parameters))
    ensemble._differentiate(inputs, values, by_weights, by_biases)
    for own, parameter in zip([*by_weights, *by_biases], parameters, strict=True):
        assert np.abs(own).max() > 0
        assert np.allclose(own, parameter.grad, atol=1e-6)


def test_the_networks_are_trained_anew_when_the_trials_have_grown_by_a_tenth(monkeypatch):
    space, trained = toys.layers(), []
    history = simulate(RandomSearch, space, 56)
    fit = Ensemble.fit
    monkeypatch.setattr(
        Ensemble, "fit", lambda self, rows, values: [trained.append(len(rows)), fit(self, rows, values)]
    )
    strategy = PredictorGuided()
    for count in range(40, 57):
        assert strategy.propose(space, history[:count], [], 0, 1)
    assert trained == [40, 44, 48, 50, 55]


@pytest.mark.parametrize(("first", "members"), [(1, 5), (10, 1)])
def test_impossible_settings_are_refused(first, members):
    with pytest.raises(ArchwiseError, match="needs 2 first"):
        PredictorGuided(first, members)
