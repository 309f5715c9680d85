"""Bayesian optimisation of several objectives: what is expected of candidates, what is modelled, what is proposed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.trade_offs import TradeOffContract

from archwise.errors import ArchwiseError
from archwise.pareto import hypervolume, non_dominated
from archwise.signature import Signature
from archwise.spaces import JointSpace
from archwise.spaces.mlp import mlp
from archwise.strategies import RandomSearch, Strategy
from archwise.strategies.hypervolume import MOST_BOXES, expected_hypervolume_improvement, free_boxes
from archwise.strategies.multi_objective import MultiObjectiveBayesian
from archwise.strategies.objective_models import ObjectiveModels
from archwise.strategies.scalarisation import SOFTNESS, SUM, chebyshev, expected_chebyshev_improvement
from archwise.trial import Outcome, Proposal, Trial


@pytest.mark.slow
class TestHypervolume(TradeOffContract):
    seeds = 2

    def make(self) -> Strategy:
        return MultiObjectiveBayesian()


@pytest.mark.slow
class TestChebyshev(TradeOffContract):
    seeds = 2

    def make(self) -> Strategy:
        return MultiObjectiveBayesian(acquisition="chebyshev")


def front_of(objectives: int, count: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, objectives]).normal(size=(count, objectives))


# ---------------------------------------------------------------------- expected hypervolume improvement


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_what_is_known_improves_by_what_it_adds_to_the_volume(objectives: int) -> None:
    front, reference = front_of(objectives), np.full(objectives, -1.0)
    candidates = front_of(objectives, 30, seed=1)
    found = expected_hypervolume_improvement(candidates, np.zeros_like(candidates), front, reference)
    before = hypervolume(front, reference.tolist())
    added = [hypervolume(np.vstack([front, row]), reference.tolist()) - before for row in candidates]
    assert found == pytest.approx(added, abs=1e-9)
    assert any(value > 1e-6 for value in added)


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_what_is_uncertain_improves_as_much_as_its_draws_do_on_average(objectives: int) -> None:
    rng = np.random.default_rng(0)
    front, reference = front_of(objectives), np.full(objectives, -1.5)
    mean, deviation = front_of(objectives, 4, seed=2), rng.uniform(0.2, 1.0, size=(4, objectives))
    before = hypervolume(front, reference.tolist())
    found = expected_hypervolume_improvement(mean, deviation, front, reference)
    for m, d, expected in zip(mean, deviation, found, strict=True):
        draws = rng.normal(m, d, size=(500, objectives))
        gains = [hypervolume(np.vstack([front, draw]), reference.tolist()) - before for draw in draws]
        assert expected == pytest.approx(np.mean(gains), abs=4 * np.std(gains) / 500**0.5 + 1e-6)


def test_boxes_are_disjoint_and_fill_what_the_front_leaves() -> None:
    front, reference = front_of(3), np.full(3, -1.0)
    lower, upper = free_boxes(front, reference)
    points = np.random.default_rng(1).uniform(-1, 3, size=(500, 3))
    inside = np.all((lower < points[:, None]) & (points[:, None] < upper), axis=2).sum(axis=1)
    dominated = np.any(np.all(front >= points[:, None], axis=2), axis=1)
    assert inside.tolist() == (~dominated).astype(int).tolist()
    assert 0 < dominated.sum() < 500


def test_large_fronts_of_many_objectives_are_thinned() -> None:
    values = np.random.default_rng(0).dirichlet(np.ones(4), 400)
    assert len(non_dominated(values)) == 400
    found = expected_hypervolume_improvement(values[:5] + 0.1, np.full((5, 4), 0.01), values, np.full(4, -0.1))
    assert np.all(found > 0) and np.all(np.isfinite(found))
    assert MOST_BOXES < 400**2


# ---------------------------------------------------------------------- scalarisation


def test_the_largest_weighted_gap_decides_and_the_sum_breaks_ties() -> None:
    front = np.array([[0.0, 1.0], [10.0, 0.0]])
    weights = np.array([0.25, 0.75])
    even, first, second = chebyshev(np.array([[5.0, 0.5], [10.0, 0.0], [0.0, 1.0]]), weights, front)
    assert even == pytest.approx(-(0.375 + SUM * 0.5))
    assert first == pytest.approx(-(0.75 + SUM * 0.75))
    assert second == pytest.approx(-(0.25 + SUM * 0.25))
    tied = chebyshev(np.array([[0.0, 1.0], [0.0, 0.9]]), weights, front)
    assert tied[0] > tied[1]


def test_expected_improvement_of_a_compromise_is_that_of_its_draws() -> None:
    front, weights = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.5, 0.5])
    draws = np.random.default_rng(0).standard_normal((4000, 2))
    mean, deviation = np.array([[0.9, 0.9], [0.5, 0.5], [-9.0, -9.0]]), np.array([[0.1, 0.1], [0.3, 0.0], [0.1, 0.1]])
    found = expected_chebyshev_improvement(mean, deviation, front, weights, draws)
    best = chebyshev(front, weights, front).max()
    for m, d, value in zip(mean, deviation, found, strict=True):
        gains = np.maximum(chebyshev(m + d * draws, weights, front) - best, 0)
        assert value == pytest.approx(gains.mean(), abs=SOFTNESS)
    assert found[0] > found[1] > found[2] > 0


# ---------------------------------------------------------------------- models


@cache
def networks() -> JointSpace:
    """Perceptrons whose parameters can be counted."""
    return JointSpace(mlp(), toys.rates(3), Signature((8,), 3, "table"))


def trials_of(space: JointSpace, count: int, costs: Any) -> list[Trial]:
    trials = simulate(RandomSearch, space, count)
    return [replace(t, outcome=Outcome("finished", toys.worth(t.candidate), costs=costs(t.candidate))) for t in trials]


def count_of(candidate: Any, name: str = "parameters") -> float:
    space = networks()
    assert space.signature is not None
    return float(getattr(space.network.cost(candidate.architecture, space.signature), name))


def test_what_can_be_counted_is_not_predicted() -> None:
    space = networks()
    costs = lambda c: {"parameters": count_of(c), "flops": count_of(c, "flops")}  # noqa: E731
    models = ObjectiveModels(space, ("parameters", "flops"))
    models.fit(trials_of(space, 8, costs))
    candidates = [space.sample([9, i]) for i in range(20)]
    mean, deviation = models.predict(candidates)
    for column, name in ((1, "parameters"), (2, "flops")):
        assert np.exp(-mean[:, column]) == pytest.approx([count_of(c, name) for c in candidates])
        assert not deviation[:, column].any()
    assert (deviation[:, 0] > 0).all()


def test_what_the_evaluator_counts_otherwise_is_predicted() -> None:
    space = networks()
    models = ObjectiveModels(space, ("parameters",))
    models.fit(trials_of(space, 40, lambda c: {"parameters": 5 + count_of(c) ** 1.5}))
    candidates = [space.sample([9, i]) for i in range(60)]
    mean, deviation = models.predict(candidates)
    assert (deviation[:, 1] > 0).all()
    true = [-np.log(5 + count_of(c) ** 1.5) for c in candidates]
    assert np.corrcoef(mean[:, 1], true)[0, 1] > 0.95


def test_measured_costs_are_predicted_and_unknown_ones_are_alike() -> None:
    space = toys.layers()
    models = ObjectiveModels(space, ("parameters", "latency_ms"))
    models.fit(trials_of(space, 60, lambda c: {"parameters": toys.price(c)}))
    candidates = [space.sample([9, i]) for i in range(60)]
    mean, deviation = models.predict(candidates)
    assert np.corrcoef(mean[:, 1], [-np.log(toys.price(c)) for c in candidates])[0, 1] > 0.6
    assert not mean[:, 2].any() and not deviation[:, 2].any()


# ---------------------------------------------------------------------- proposals


BOTH = pytest.mark.parametrize("acquisition", ["hypervolume", "chebyshev"])


@BOTH
@pytest.mark.parametrize("costs", [{}, {"parameters": 0.0}, {"parameters": float("nan")}, {"parameters": -3.0}])
def test_costs_that_tell_nothing_stop_nothing(acquisition: Any, costs: dict[str, float]) -> None:
    evaluate = lambda number, p: replace(toys.evaluate(number, p), costs=costs)  # noqa: E731
    trials = simulate(lambda: MultiObjectiveBayesian(acquisition=acquisition), toys.cells(), 15, evaluate=evaluate)
    assert any(trial.origin.startswith("largest expected") for trial in trials)


@BOTH
def test_three_objectives(acquisition: Any) -> None:
    def evaluate(number: int, proposal: Proposal) -> Outcome:
        outcome = toys.evaluate(number, proposal)
        return replace(outcome, costs={**outcome.costs, "latency_ms": 1 + number % 3} if number % 4 else outcome.costs)

    strategy = MultiObjectiveBayesian(["parameters", "latency_ms"], acquisition)
    assert len(simulate(lambda: strategy, toys.layers(), 15, evaluate=evaluate, workers=3)) == 15


def test_it_looks_for_small_networks_where_their_size_is_to_be_small() -> None:
    sizes = []
    for minimise in ("parameters", "unknown"):
        strategy = MultiObjectiveBayesian([minimise])
        trials = simulate(lambda strategy=strategy: strategy, toys.layers(), 25)
        sizes.append(np.median([toys.price(trial.candidate) for trial in trials[10:]]))
    assert sizes[0] < 0.7 * sizes[1]


def test_what_is_under_way_counts_as_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    fronts: list[np.ndarray] = []

    def spy(mean: np.ndarray, deviation: np.ndarray, front: np.ndarray, reference: np.ndarray) -> np.ndarray:
        fronts.append(front)
        return expected_hypervolume_improvement(mean, deviation, front, reference)

    monkeypatch.setattr("archwise.strategies.multi_objective.expected_hypervolume_improvement", spy)
    space, strategy = toys.layers(), MultiObjectiveBayesian()
    history = simulate(lambda: strategy, space, 12)
    fronts.clear()
    first, second = strategy.propose(space, history, [], 0, 2)
    assert space.key(first.candidate) != space.key(second.candidate)
    alone, beside = (hypervolume(front, [-20.0, -20.0]) for front in fronts)
    assert beside > alone + 0.01


def test_weights_are_drawn_anew_for_every_proposal() -> None:
    space = toys.layers()
    history = [as_trial(number, Proposal(space.sample(number))) for number in range(30)]
    strategy = MultiObjectiveBayesian(acquisition="chebyshev")
    prices = [toys.price(proposal.candidate) for proposal in strategy.propose(space, history, [], 0, 10)]
    assert max(prices) > 2 * min(prices), "some weigh quality, some the cost"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"minimise": ()}, "one cost or more"),
        ({"minimise": "flops"}, "not 'flops'"),
        ({"acquisition": "luck"}, "'luck'"),
        ({"first": 1}, "not 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ArchwiseError, match=words):
        MultiObjectiveBayesian(**settings)
