"""A ranking-weighted ensemble of Gaussian processes."""

from __future__ import annotations

import numpy as np
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import foreign
from tests.meta.conftest import known, like_tasks, negated
from tests.meta.model_contract import ModelContract, gains

from archwise.bench.simulation import simulate as simulate_table
from archwise.evaluators.table_evaluator import TableTask
from archwise.meta.past_task import PastTask
from archwise.meta.rgpe import RankingWeightedEnsemble, ensemble_weights, misranked
from archwise.meta.sources import Sources
from archwise.strategies import BayesianOptimization, RandomSearch, Strategy
from archwise.strategies.gaussian_process import GaussianProcess
from archwise.strategies.strategy import Situation
from archwise.strategies.surrogate import Surrogate


class TestRankingWeightedEnsemble(ModelContract):
    def make(self) -> Strategy:
        return RankingWeightedEnsemble(like_tasks())


def test_it_is_better_than_from_scratch(hpobench_mlp):
    gained = gains(RankingWeightedEnsemble, hpobench_mlp, ("car", "phoneme"), 12)
    assert gained.mean() > 0.05


def test_without_past_tasks_it_is_bayesian_optimisation():
    found, expected = (
        [trial.candidate for trial in simulate(lambda: strategy, toys.layers(), 12)]  # noqa: B023
        for strategy in (RankingWeightedEnsemble([PastTask("nothing", [])]), BayesianOptimization())
    )
    assert found == expected


def test_first_the_promising_spread_apart_and_the_default(nasbench201):
    space = nasbench201.space
    past = known(nasbench201, "cifar10")
    trials = simulate_table(RankingWeightedEnsemble(past), nasbench201, TableTask("cifar10"), 0, 7).trials
    assert trials[0].candidate == Sources(past, space).promising(1)[0]
    assert trials[4].candidate == space.default
    assert {trial.origin for trial in trials[5:]} == {"largest expected improvement of the ensemble"}
    rows = space.encoding([trial.candidate for trial in trials[:3]])
    best = space.encoding(Sources(past, space).promising(3))
    assert nearest(rows) > nearest(best)


def nearest(rows: np.ndarray) -> float:
    return min(float(np.linalg.norm(a - b)) for i, a in enumerate(rows) for b in rows[:i])


def test_tasks_are_weighted_by_how_they_rank_the_trials(hpobench_mlp):
    space = hpobench_mlp.space
    trials = simulate_table(RandomSearch(), hpobench_mlp, TableTask("phoneme"), 0, 12).trials
    now = Situation(space, trials, [], set(), 12, 0)
    past = known(hpobench_mlp, "phoneme", count=60)[:4]
    model = RankingWeightedEnsemble([]).learn(Sources([*past, *negated(past)], space))
    model.target.fit(now.own)
    weights = model._weights(now)
    assert np.isclose(weights.sum(), 1) and weights[-1] > 0
    assert weights[:4].sum() > 0.2 > weights[4:-1].sum(), "what is turned round is not believed"


def test_misranked_pairs_are_those_of_the_wrong_order():
    rng = np.random.default_rng(0)
    scores, drawn = rng.normal(size=7), rng.normal(size=(5, 7))
    expected = [sum((f[j] < f[k]) != (scores[j] < scores[k]) for j in range(7) for k in range(7)) for f in drawn]
    assert misranked(drawn, drawn, scores).tolist() == expected
    assert misranked(scores[None], scores, scores).tolist() == [0]


def test_who_misranks_more_than_the_own_model_has_no_weight():
    rng = np.random.default_rng(0)
    own, bad = rng.integers(20, 40, 256), rng.integers(30, 60, 256)
    bad[:60] = 0  # best by chance in a quarter of the draws
    good = rng.integers(10, 30, 256)
    weights = ensemble_weights([bad, good, own])
    assert weights[0] == 0 and weights[1] > 0.8 and np.isclose(weights.sum(), 1)
    assert ensemble_weights([own, own]).tolist() == [0, 1], "ties are the new task's"


def test_draws_follow_the_posterior():
    space = toys.layers()
    trials = foreign(space, 30)
    surrogate = Surrogate(space.encoding)
    surrogate.fit(trials)
    candidates = [space.sample(seed) for seed in range(100, 106)]
    drawn = surrogate.drawn(candidates, np.random.default_rng(0).standard_normal((20_000, 6)))
    mean, deviation = surrogate.predict(candidates)
    assert np.allclose(drawn.mean(axis=0), mean, atol=0.02)
    assert np.allclose(drawn.std(axis=0), deviation, rtol=0.05)
    near = [candidates[0], next(space.neighbours(candidates[0])), candidates[1]]
    together = np.corrcoef(surrogate.drawn(near, np.random.default_rng(0).standard_normal((2_000, 3))).T)
    assert together[0, 1] > together[0, 2] + 0.2, "what is alike is drawn alike"


def test_draws_of_what_is_left_out_are_those_of_a_process_without_it():
    space = toys.layers()
    rows = space.encoding([space.sample(seed) for seed in range(20)])
    trend, values = space.encoding.sizes([space.sample(seed) for seed in range(20)])[:, None], rows[:, 0] - rows[:, 5]
    whole, part = GaussianProcess(space.encoding.groups), GaussianProcess(space.encoding.groups)
    whole.fit(rows, trend, values, whole.parameters)
    part.fit(rows[1:], trend[1:], values[1:], part.parameters)
    mean, deviation = part.predict(rows[:1], trend[:1])
    assert np.allclose([whole.left_out()[0], whole.left_out_deviation()[0]], [mean[0], deviation[0]], rtol=1e-5)
