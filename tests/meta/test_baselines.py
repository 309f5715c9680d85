"""What needs no model of the new task."""

from __future__ import annotations

import pytest
from tests.contracts import toys
from tests.contracts.strategy_contract import StrategyContract
from tests.meta.conftest import known, like_tasks

from archwise.bench.curves import regret_changes, regret_curve
from archwise.bench.history import History
from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableTask
from archwise.meta.baselines import MeanPrediction, MeanRank, NearestTask
from archwise.meta.past_task import PastTask
from archwise.spaces.architecture import Candidate
from archwise.strategies import Strategy
from archwise.strategies.strategy import Situation
from archwise.trial import Outcome, Trial


class Favourites(StrategyContract):
    uses_others = False
    begins_alike = True
    learns = False

    def test_the_seed_decides(self):
        pytest.skip("it begins with the same list whatever the seed")

    def test_beats_random_search_or_equals_it(self):
        pytest.skip("it beats it by what past tasks know")


class TestMeanPrediction(Favourites):
    def make(self) -> Strategy:
        return MeanPrediction(like_tasks())


class TestMeanRank(Favourites):
    def make(self) -> Strategy:
        return MeanRank(like_tasks())


class TestNearestTask(Favourites):
    def make(self) -> Strategy:
        return NearestTask(like_tasks())


def test_mean_rank_on_complete_tables_is_as_published(nasbench201):
    """The reference's figures with complete tables: 0.095, 0.044, 0.081, 0.048 and 0.039."""
    table = nasbench201.space.table
    curves = []
    for task in table.tasks:
        strategy = MeanRank(History(None).past_tasks(nasbench201, task, 0))
        steps = simulate(strategy, nasbench201, TableTask(task), 0, 50).steps
        curves.append(regret_curve(regret_changes(steps, table, task), 50))
    means = [sum(curve[n - 1] for curve in curves) / 3 for n in (1, 5, 10, 20, 50)]
    assert means == pytest.approx([0.095, 0.044, 0.081, 0.048, 0.039], abs=0.0006)


def test_a_task_counts_once_however_often_it_tried_a_candidate():
    space = toys.layers()
    often, steady, rest, other = (space.sample(seed) for seed in range(4))

    def past(name: str, *best_first: Candidate) -> PastTask:
        scored = enumerate(best_first)
        return PastTask(name, [Trial(i, c, 1.0, 0, Outcome("finished", -float(i))) for i, c in scored])

    strategy = MeanRank([past("a", often, often, often, steady, rest), past("b", rest, steady, other, often)])
    proposed: list[Candidate] = []
    for number in range(4):
        found = strategy.propose_one(Situation(space, [], [], {space.key(c) for c in proposed}, number, 0))
        proposed.append(found.candidate)
    assert proposed == [rest, steady, often, other], "mean ranks 0.5, 0.54, 0.625 and 0.67"


def test_the_nearest_task_is_the_one_that_agrees(nasbench201):
    past = known(nasbench201, "cifar100", count=200)
    strategy = NearestTask(past)
    trials = simulate(strategy, nasbench201, TableTask("imagenet16-120"), 0, 30).trials
    best = sorted(past[1].trials, key=lambda trial: -trial.score)[:60]
    assert past[1].name == "imagenet16-120"
    assert sum(trial.candidate in {t.candidate for t in best} for trial in trials[5:]) >= 20
