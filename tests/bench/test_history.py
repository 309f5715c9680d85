"""What strategies are told of a table's other tasks, and what they gain by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.bench.conftest import small_table

from archwise.bench.benchmark import Plan
from archwise.bench.entrants import simulate_entrant
from archwise.bench.gains import gains
from archwise.bench.history import KINDS, History
from archwise.bench.results import Run
from archwise.bench.runner import Job, run_job
from archwise.evaluators.table import Table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.trial import Proposal


def table() -> Table:
    """Return a table of three tasks: up, the same with noise, and turned round."""
    small = small_table()
    select, report = (
        np.column_stack([scores[:, 0], scores[:, 0] + small.report[:, 1] % 0.3, scores[:, 1]])
        for scores in (small.select, small.report)
    )
    return replace(small, tasks=("up", "like", "down"), select=select, report=report, cheap=None, cost_seconds=None)


@pytest.fixture(scope="module")
def evaluator() -> TableEvaluator:
    return TableEvaluator(table_space(table()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_task_itself_is_not_in_its_history(evaluator: TableEvaluator, kind) -> None:
    past = History(10, kind).past_tasks(evaluator, "up", seed=0)
    assert {task.name for task in past} <= {"like", "down"} and all(len(task.trials) >= 9 for task in past)
    assert [t.candidate for p in past for t in p.trials] == [
        t.candidate for p in History(10, kind).past_tasks(evaluator, "up", seed=0) for t in p.trials
    ]


def test_what_misleads_does(evaluator: TableEvaluator) -> None:
    def truth(task) -> list[float | None]:
        return [evaluator.evaluate(Proposal(trial.candidate), TableTask(task.name)).score for trial in task.trials]

    histories = {kind: History(20, kind).past_tasks(evaluator, "up", seed=1) for kind in KINDS}
    for kind, factor in (("random", 1), ("search", 1), ("negated", -1)):
        for task in histories[kind]:
            pairs = [(t.score, s) for t, s in zip(task.trials, truth(task), strict=True) if s is not None]
            assert all(score == factor * true for score, true in pairs) and len(pairs) > 10
    for task in histories["shuffled"]:
        scores, true = [trial.score for trial in task.trials], [score for score in truth(task) if score is not None]
        assert sorted(scores) == sorted(true) and scores != true
    assert [task.name for task in histories["one"]] == ["down"]
    assert [task.name for task in histories["copies"]] == ["down", "down"]
    assert len(History(None).past_tasks(evaluator, "up", 0)[0].trials) == 36
    assert len({str(History(n, kind)) for n in (None, 20) for kind in KINDS}) == 2 * len(KINDS)


def test_gains_are_over_the_same_seeds_and_the_worst_comes_first(tmp_path, monkeypatch) -> None:
    made = table()
    monkeypatch.setattr("archwise.bench.runner.find_table", lambda name: made)
    monkeypatch.setattr("archwise.bench.benchmark.find_table", lambda name: made)
    plan = Plan(("any",), ("mean-prediction", "default"), seeds=2, evaluations=8, history=History(30))
    runs = [run_job(job) for job in plan.jobs()]
    found = gains(runs)["small"]
    assert list(found) == ["mean-prediction"]
    assert found["mean-prediction"][0].task == "down", "its others are all the wrong way round"
    by_task = {gain.task: gain for gain in found["mean-prediction"]}
    assert by_task["down"].mean < 0 < by_task["up"].mean + 0.2
    up = {(run.strategy, run.seed): np.mean(run.regret) for run in runs if run.task == "up"}
    expected = np.mean([up["default", seed] - up["mean-prediction", seed] for seed in (0, 1)])
    assert by_task["up"].mean == pytest.approx(expected) and by_task["up"].seeds == 2
    assert gains([run for run in runs if run.strategy != "default"]) == {}


def test_a_strategy_learns_from_the_history_it_is_given(evaluator: TableEvaluator) -> None:
    def first_regret(history: History) -> float:
        past = history.past_tasks(evaluator, "down", seed=0)
        found = simulate_entrant("mean-prediction", evaluator, "down", 0, 1, past=past)
        row = found.steps[0].row
        return float(table().report[:, 2].max() - table().report[row, 2])

    assert first_regret(History(30, "negated")) < first_regret(History(30))


def test_runs_of_other_histories_are_other_runs(evaluator: TableEvaluator, monkeypatch) -> None:
    made = table()
    monkeypatch.setattr("archwise.bench.runner.find_table", lambda name: made)
    runs: list[Run] = [
        run_job(Job("any", "up", "mean-prediction", 0, 3, history=History(30, kind))) for kind in ("random", "one")
    ]
    assert runs[0].key != runs[1].key
