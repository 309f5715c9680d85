"""Surrogates of past tasks that learn from each other."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contracts import toys
from tests.meta.conftest import known, like_tasks, negated
from tests.meta.test_foreign import READY, own_space, tried

from archwise.bench.history import History
from archwise.meta.agreement import rank_correlation
from archwise.meta.informed import InformedSources
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources


def test_past_tasks_that_agree_fill_each_others_gaps(nasbench201):
    """With 50 trials each, two past tasks predict their own tables better than alone, whichever third is left out."""
    space, table = nasbench201.space, nasbench201.space.table
    rows = np.random.default_rng(1).permutation(len(table.architectures))[:400].tolist()
    candidates = [space.candidate(row) for row in rows]
    gains = []
    for task in table.tasks:
        past = History(50).past_tasks(nasbench201, task, 0)
        alone, informed = (kind(past, space) for kind in (Sources, InformedSources))
        before, after = alone.predict(candidates), informed.predict(candidates)
        for column, source in enumerate(informed.used):
            truth = table.report[rows, table.task_number(source.name)]
            gains.append(rank_correlation(after[:, column], truth) - rank_correlation(before[:, column], truth))
    assert np.mean(gains) > 0.005
    assert np.min(gains) > -0.005


def test_a_past_task_that_is_turned_round_is_not_spoilt_by_others(nasbench201):
    """The weights of other past tasks are learnt: one that says the opposite is not believed."""
    space = nasbench201.space
    right, wrong = known(nasbench201, "cifar10")
    candidates = [space.sample(seed) for seed in range(200)]
    alone, informed = (
        kind([right, *negated([wrong])], space).predict(candidates) for kind in (Sources, InformedSources)
    )
    for before, after in zip(alone.T, informed.T, strict=True):
        assert rank_correlation(before, after) > 0.8


def test_it_is_standardised_like_that_of_one_task_alone():
    sources = InformedSources(like_tasks(), toys.layers())
    said = sources.predict(sources.references)
    assert said.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert said.std(axis=0) == pytest.approx(sources.reliability)


def test_one_past_task_has_nobody_to_learn_from():
    candidates = [toys.layers().sample(seed) for seed in range(20)]
    alone, informed = (kind(like_tasks()[:1], toys.layers()) for kind in (Sources, InformedSources))
    assert np.array_equal(alone.predict(candidates), informed.predict(candidates))
    assert InformedSources([], toys.layers()).predict(candidates).shape == (20, 0)


def test_trials_of_another_space_are_heard_and_stay_as_they_are():
    here, there = PastTask("here", tried(own_space(), 60)), PastTask("there", tried(READY, 60), space=READY)
    candidates = [own_space().sample(seed) for seed in range(20)]
    alone, informed = (kind([here, there], own_space()).predict(candidates) for kind in (Sources, InformedSources))
    assert alone.shape == informed.shape == (20, 2)
    assert informed[:, 1] == pytest.approx(alone[:, 1])
    assert not np.allclose(informed[:, 0], alone[:, 0])
