"""An ensemble of meta-trained networks that rank candidates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.contracts import toys
from tests.contracts.strategy_contract import foreign
from tests.meta.conftest import known, like_tasks
from tests.meta.model_contract import NetworkContract, gains

from archwise.errors import ArchwiseError
from archwise.meta.agreement import rank_correlation
from archwise.meta.ranking_ensemble import RankingEnsemble, _Networks, _stacked
from archwise.meta.sources import Sources
from archwise.strategies import Strategy
from archwise.strategies.strategy import Situation


class TestRankingEnsemble(NetworkContract):
    def make(self) -> Strategy:
        return RankingEnsemble(like_tasks(), members=2, steps=3, tuning=1)


def light(past) -> Strategy:
    return RankingEnsemble(past, members=4, steps=100, tuning=10)


def test_it_is_better_than_from_scratch(hpobench_mlp):
    assert gains(light, hpobench_mlp, ("car", "phoneme"), 12).mean() > 0.05


def test_past_tasks_teach_the_networks_to_rank_a_new_one(nasbench201):
    space, past = nasbench201.space, known(nasbench201, "cifar100")
    model = light(past).learn(Sources(past, space))
    new = model.observed(known(nasbench201, "cifar10", seed=3)[0].trials)
    nothing = _stacked([new.some(np.arange(0))])
    rows = torch.from_numpy(new.rows)[None].float()
    with torch.no_grad():
        taught = model.networks.scores(model.meta_train(), nothing, rows)[:, 0].numpy()
        untaught = model.networks.scores(model.networks.start(np.random.default_rng(0)), nothing, rows)[:, 0].numpy()
    assert rank_correlation(taught.mean(axis=0), new.scores) > 0.6
    assert min(rank_correlation(one, new.scores) for one in taught) > 0.5
    assert rank_correlation(untaught.mean(axis=0), new.scores) < 0.5
    assert not np.array_equal(taught[0].argsort(), taught[1].argsort()), "networks disagree"


def test_tuning_ranks_the_trials_better():
    space = toys.layers()
    trials = [replace(trial, number=20 + trial.number) for trial in foreign(space, 20, seed=3)]
    now = Situation(space, trials, [], set(), 20, 0)
    correlations = []
    for tuning in (0, 60):
        model = RankingEnsemble(like_tasks(), members=3, steps=10, tuning=tuning).learn(Sources(like_tasks(), space))
        observed = model.observed(now.own)
        shown, rows = _stacked([observed.some(np.arange(20))]), torch.from_numpy(observed.rows)[None].float()
        scored = model.networks.scores(model.tuned(now), shown, rows)[:, 0]
        correlations.append(rank_correlation(scored.mean(dim=0).detach().numpy(), observed.scores))
    assert correlations[1] > correlations[0] + 0.1 and correlations[1] > 0.7


def test_the_loss_is_the_weighted_likelihood_of_the_order():
    networks = _Networks(3, 2)
    rng = np.random.default_rng(0)
    parameters = networks.start(rng)
    rows, none = torch.from_numpy(rng.normal(size=(1, 4, 3))).float(), torch.zeros(1, 0)
    nothing = torch.zeros(1, 0, 3), none, none
    scores = networks.scores(parameters, nothing, rows)[:, 0].numpy()
    weights = 1 / np.log(np.arange(4) + 2)
    likely = np.array([[s[i] - np.log(np.exp(s[i:]).sum()) for i in range(4)] for s in scores])
    expected = -(likely * weights).sum() / weights.sum() / 2
    whole = networks.loss(parameters, nothing, (rows, torch.zeros(1, 4), torch.ones(1, 4)))
    assert float(whole) == pytest.approx(expected, rel=1e-4)
    padded = torch.cat([rows, torch.ones(1, 2, 3)], dim=1), torch.zeros(1, 6), torch.tensor([[1.0, 1, 1, 1, 0, 0]])
    assert float(networks.loss(parameters, nothing, padded)) == pytest.approx(expected, rel=1e-4)


def test_the_order_of_the_trials_at_hand_does_not_matter_and_their_scores_do():
    networks = _Networks(3, 2)
    rng = np.random.default_rng(0)
    parameters = networks.start(rng)
    rows, shown = (torch.from_numpy(rng.normal(size=(1, 5, 3))).float() for _ in range(2))
    values, known, turned = torch.arange(5.0)[None], torch.ones(1, 5), torch.tensor([3, 1, 0, 4, 2])
    scores = networks.scores(parameters, (shown, values, known), rows)
    assert torch.allclose(scores, networks.scores(parameters, (shown[:, turned], values[:, turned], known), rows))
    assert not torch.allclose(scores, networks.scores(parameters, (shown, values.flip(1), known), rows))


def test_settings_that_make_no_sense_are_refused():
    for settings in ({"members": 1}, {"steps": 0}, {"tuning": -1}):
        with pytest.raises(ArchwiseError, match="2 networks, 1 step of meta-training"):
            RankingEnsemble([], **settings)
