"""Surrogates of past tasks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tests.contracts import toys
from tests.meta.conftest import known, like_tasks, negated, scores_of, shuffled, with_scores

from archwise.bench.history import History
from archwise.meta.agreement import rank_correlation
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources


def test_a_past_task_predicts_its_own_table(nasbench201):
    space, table = nasbench201.space, nasbench201.space.table
    past = known(nasbench201, "cifar10")
    sources = Sources(past, space)
    assert [task.name for task in sources.used] == ["cifar100", "imagenet16-120"]
    rows = np.random.default_rng(1).permutation(len(table.architectures))[:500]
    predicted = sources.predict([space.candidate(int(row)) for row in rows])
    for column, task in zip(predicted.T, sources.used, strict=True):
        truth = table.report[rows, table.task_number(task.name)]
        assert rank_correlation(column, truth) > 0.8
        assert abs(column.mean()) < 0.2 and 0.7 < column.std() < 1.3
    assert (sources.reliability > 0.6).all()


def test_what_follows_nothing_is_left_out_and_what_is_turned_round_is_not(nasbench201):
    past = known(nasbench201, "cifar10")
    assert len(Sources(shuffled(past), nasbench201.space)) == 0
    turned = Sources(negated(past), nasbench201.space)
    assert len(turned) == 2
    candidates = [nasbench201.space.sample(seed) for seed in range(100)]
    straight = Sources(past, nasbench201.space).predict(candidates)
    assert rank_correlation(straight[:, 0], turned.predict(candidates)[:, 0]) < -0.8


def test_shuffled_scores_are_hardly_ever_believed(hpobench_mlp, nasbench201):
    """With trials that are left out one by one, five of these past tasks agree: the kernel was chosen by them."""
    believed = {"shuffled": 0, "random": 0}
    for table in (hpobench_mlp, nasbench201):
        first = table.space.table.tasks[0]
        for kind, seed in product(believed, (2, 6, 8, 11)):
            believed[kind] += len(Sources(History(100, kind).past_tasks(table, first, seed), table.space))
    assert believed["random"] == 4 * (7 + 2)
    assert believed["shuffled"] <= 1


def test_the_largest_scores_are_scores_like_others():
    finished = [trial for trial in like_tasks()[0].inside(toys.layers()) if trial.score is not None]
    task = PastTask("like", finished)
    ranks = np.argsort(np.argsort(scores_of(finished))) / (len(finished) - 1)
    scores = 1 - 2 * (1 - ranks) ** 3  # from -1 to 1, the median at 0.75: differences can be more than any number
    candidates = [toys.layers().sample(seed) for seed in range(50)]
    small, large = (
        Sources([with_scores(task, unit * scores)], toys.layers()).predict(candidates) for unit in (1.0, 1.7e308)
    )
    assert small.std() > 0.3
    assert large == pytest.approx(small, abs=1e-6)


def test_the_promising_are_promising(nasbench201):
    space, table = nasbench201.space, nasbench201.space.table
    promising = Sources(known(nasbench201, "cifar10"), space).promising(20)
    assert len(set(promising)) == 20
    regrets = table.regret([space.row(candidate) for candidate in promising], "cifar10")
    assert regrets.mean() < 0.3, "the median of the table has 1"


def test_past_tasks_of_other_spaces_or_without_trials_say_nothing():
    sources = Sources(like_tasks(), toys.layers())
    assert [task.name for task in sources.used] == ["like", "too"]
    assert len(Sources([PastTask("none", [])], toys.layers())) == 0
    assert Sources([], toys.layers()).predict([toys.layers().default]).shape == (1, 0)
    of_cells = [PastTask("cells", [trial for trial in like_tasks()[0].trials if trial.candidate in toys.cells()])]
    assert len(of_cells[0].trials) > 5
    assert len(Sources(of_cells, toys.layers())) == 0
