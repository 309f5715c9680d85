"""Rewards of an outcome, and how a series of them is compared."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archwise.errors import ArchwiseError
from archwise.strategies.rewards import CostWeighted, Logistic, Metric, advantages
from archwise.trial import Outcome

FAILED = Outcome("failed", reason="diverged")


def outcome(score: float, **costs: float) -> Outcome:
    return Outcome("finished", score, costs=costs)


@pytest.mark.parametrize("reward", [Metric(), Logistic(), CostWeighted(1.0), CostWeighted(1.0, of=Logistic())])
def test_what_did_not_finish_has_no_reward(reward):
    assert reward(FAILED) is None
    assert reward(Outcome("pruned", 0.5, costs={"flops": 1.0})) is None


def test_the_metric_is_the_score():
    assert Metric()(outcome(-1e6)) == -1e6


def test_the_logistic_is_the_logistic_function():
    reward = Logistic(centre=2.0, scale=0.5)
    for score in (-3.0, 0.0, 1.9, 2.0, 2.5, 4.0):
        assert reward(outcome(score)) == pytest.approx(1 / (1 + math.exp(-(score - 2) / 0.5)))
    assert (reward(outcome(-1e300)), reward(outcome(1e300))) == (0.0, 1.0)


def test_the_soft_constraint_is_the_paper_s():
    reward = CostWeighted(80.0, "latency_ms")
    for latency in (20.0, 80.0, 320.0):
        expected = 0.75 * (latency / 80) ** -0.07
        assert reward(outcome(0.75, latency_ms=latency, flops=1.0)) == pytest.approx(expected)
    assert reward(outcome(0.75, latency_ms=160.0)) == pytest.approx(0.75 * 0.95, abs=0.002), "5 % for twice the time"


def test_the_hard_constraint_looks_only_beyond_the_target():
    reward = CostWeighted(80.0, "latency_ms", within=0, beyond=-1)
    scores = [reward(outcome(0.8, latency_ms=latency)) for latency in (1.0, 80.0, 160.0)]
    assert scores == pytest.approx([0.8, 0.8, 0.4])


@pytest.mark.parametrize("score", [0.5, -0.5])
def test_what_costs_more_is_worse_whatever_the_sign_of_the_score(score):
    rewards = [CostWeighted(1e3)(outcome(score, flops=flops)) for flops in (1.0, 1e3, 1e3 + 1, 1e9)]
    assert rewards == sorted(rewards, reverse=True)
    assert len(set(rewards)) == 4


@pytest.mark.parametrize("costs", [{}, {"flops": 0.0}, {"flops": math.nan}, {"flops": math.inf}])
def test_a_cost_that_is_not_known_leaves_no_reward(costs):
    assert CostWeighted(1e3)(Outcome("finished", 0.5, costs=costs)) is None


def test_rewards_are_made_of_rewards():
    reward = CostWeighted(1.0, of=Logistic())
    assert reward(outcome(0.0, flops=2.0)) == pytest.approx(0.5 * 2**-0.07)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Logistic(scale=0.0), "scale above 0"),
        (lambda: CostWeighted(0.0), "target above 0"),
        (lambda: CostWeighted(1.0, within=0.07), "0.07"),
        (lambda: CostWeighted(1.0, beyond=1.0), "1.0"),
    ],
)
def test_what_cannot_be_is_refused(make, named):
    with pytest.raises(ArchwiseError, match=named):
        make()


# ---------------------------------------------------------------------- advantages


def test_advantages_are_distances_from_the_moving_average_in_standard_deviations():
    rewards = [1.0, 3.0, 2.0, 5.0]
    averages = [1.0, 1.5, 1.625, 2.46875]  # three quarters stay
    expected = (np.array(rewards) - averages) / np.std(rewards)
    assert advantages(rewards, decay=0.75) == pytest.approx(expected)


@pytest.mark.parametrize(("scale", "offset"), [(1e6, 0.0), (1e-6, 0.0), (1.0, -50.0), (1e6, -3e5), (1e290, 0.0)])
def test_unit_and_zero_of_the_rewards_do_not_matter(scale, offset):
    rewards = np.random.default_rng(0).normal(size=50)
    assert advantages(list(scale * rewards + offset)) == pytest.approx(advantages(list(rewards)), abs=1e-8)


@pytest.mark.parametrize("missing", [None, math.nan, -math.inf])
def test_a_missing_reward_counts_as_the_lowest(missing):
    assert advantages([0.5, 0.7, missing, 0.6]) == pytest.approx(advantages([0.5, 0.7, 0.5, 0.6]))


@pytest.mark.parametrize("rewards", [[], [None, None], [0.3], [0.3, 0.3, None]])
def test_where_nothing_differs_nothing_is_better(rewards):
    assert advantages(rewards).tolist() == [0.0] * len(rewards)


def test_broken_candidates_do_not_make_the_others_look_alike():
    above = advantages([*[0.8, 0.9] * 10, -1e9, *[0.8, 0.9] * 10])
    assert above[-1] - above[-2] > 1
    assert above[20] == above.min() < -2
