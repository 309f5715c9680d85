"""How a search by transfer explains itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate as simulated
from tests.meta.conftest import known, like_tasks, negated, scores_of, shuffled, with_scores

from archwise.bench.history import History
from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.meta.account import account
from archwise.meta.guard import SCRATCH, TRANSFER, GuardedTransfer
from archwise.meta.past_task import PastTask
from archwise.meta.transfer import Transfer
from archwise.strategies import BayesianOptimization, SuccessiveHalving
from archwise.trial import Outcome, Proposal, Trial

SEARCHED = 12


def of_table(table: TableEvaluator, task: str, seed: int = 0, count: int = 100) -> PastTask:
    """Return random evaluations on a task of a table."""
    another = next(name for name in table.space.table.tasks if name != task)
    return next(past for past in History(count).past_tasks(table, another, seed) if past.name == task)


def opposed(table: TableEvaluator) -> list[PastTask]:
    """Return three past tasks: the task itself, the same turned round, and one whose scores follow nothing."""
    own = of_table(table, "segment")
    [turned], [noise] = negated([own]), shuffled([own])
    return [replace(own, name="itself"), replace(turned, name="turned"), replace(noise, name="noise")]


def told_of(past: Sequence[PastTask], table: TableEvaluator, trials: Sequence[Trial], **options: Any) -> dict[str, Any]:
    told = account(GuardedTransfer(past), table.space, trials, **options)
    assert told is not None
    assert told == json.loads(json.dumps(told))
    return told


def test_nothing_rests_on_past_tasks_that_were_left_aside(hpobench_mlp: TableEvaluator) -> None:
    true = known(hpobench_mlp, "car", 0)
    for past, aside in ((negated(true), True), (true, False)):
        trials = simulate(GuardedTransfer(past), hpobench_mlp, TableTask("car"), 0, 8).trials
        told = told_of(past, hpobench_mlp, trials, seconds=0.0)
        assert told["aside"] == [False, aside, aside]
        assert (told["left_aside"] > 2) == aside
        assert (told["none"][-1] == 1) == aside
        assert all((task["share"][-1] == 0) == aside for task in told["tasks"][:2])


def test_a_past_task_may_have_a_colon_in_its_name(hpobench_mlp: TableEvaluator) -> None:
    past = [replace(task, name=f"sales: {task.name}") for task in known(hpobench_mlp, "segment", 0)]
    strategy = Transfer(past)
    trials = simulate(strategy, hpobench_mlp, TableTask("segment"), 0, 8).trials
    told = account(strategy, hpobench_mlp.space, trials, seconds=0.0)
    assert told is not None
    assert sum(task["proposed"] for task in told["tasks"]) > 3
    assert told["origins"]["transfer"]["proposals"] == 7, "all but the default"


def weights(told: dict[str, Any], name: str) -> list[float]:
    [task] = [task for task in told["tasks"] if task["name"] == name]
    return list(task["weight"])


def test_what_agrees_is_believed_more_and_what_does_not_less(hpobench_mlp: TableEvaluator) -> None:
    past, trials = opposed(hpobench_mlp), of_table(hpobench_mlp, "segment", seed=5, count=30).trials
    told = told_of(past, hpobench_mlp, trials, seconds=0.0)
    assert told["unused"] == ["noise"]
    assert told["after"] == [0, 5, 10, 20, 30]
    own, turned = weights(told, "itself"), weights(told, "turned")
    assert own[0] == turned[0]
    assert own[-1] > own[0] + 0.1 and turned[-1] < turned[0] - 0.1
    assert [task["name"] for task in told["tasks"]] == ["itself", "turned"], "the most believed first"
    for task in told["tasks"]:
        assert task["deviation"][-1] < task["deviation"][0], "trials make surer"
    everything = np.sum([told["none"], *(task["share"] for task in told["tasks"])], axis=0)
    assert everything == pytest.approx(np.ones(5), abs=1e-3)
    assert told["none"][0] == 0.0 < told["none"][-1], "before any trial there are past tasks alone"
    other_way = told_of(past, hpobench_mlp, with_scores(PastTask("", trials), -scores_of(trials)).trials, seconds=0.0)
    assert weights(other_way, "turned")[-1] > weights(other_way, "itself")[-1], "other trials, other beliefs"


def test_a_search_tells_who_proposed_and_for_which_past_task(hpobench_mlp: TableEvaluator) -> None:
    strategy = GuardedTransfer(opposed(hpobench_mlp))
    trials = simulate(strategy, hpobench_mlp, TableTask("segment"), 0, SEARCHED).trials
    named = [trial.origin for trial in trials if trial.origin.startswith(f"{TRANSFER}: promised by past tasks")]
    assert sum(origin.endswith("most by itself") for origin in named) > len(named) / 2
    told = account(strategy, hpobench_mlp.space, trials)
    assert told is not None
    counts = {who: amounts["proposals"] for who, amounts in told["origins"].items()}
    assert counts["the default"] == 1 and sum(counts.values()) == told["trials"] == SEARCHED
    assert counts[SCRATCH] == sum(trial.origin.startswith(SCRATCH) for trial in trials)
    assert [task["proposed"] for task in told["tasks"]] == [
        sum(origin.endswith(f"most by {task['name']}") for origin in named) for task in told["tasks"]
    ]
    better = sum(amounts["improvements"] for amounts in told["origins"].values())
    best = np.maximum.accumulate(scores_of(trials))
    assert better == len(set(best)) - 1
    assert told["guard"] == [round(strategy.share(trials[:count]), 4) for count in told["after"]]
    assert account(GuardedTransfer(opposed(hpobench_mlp)), hpobench_mlp.space, trials) == told, "the same from anew"


def test_proposals_are_of_the_past_task_that_they_name(hpobench_mlp: TableEvaluator) -> None:
    long = "a name longer than what is said of a proposal, which is sixty characters"
    past = [replace(opposed(hpobench_mlp)[0], name=name) for name in ("iris-2024", "iris", long)]
    trials = of_table(hpobench_mlp, "segment", seed=5, count=8).trials
    said = ["iris"] * 4 + ["iris-2024", long[:60], long[:60], "ir"]
    named = [replace(t, origin=f"{TRANSFER}: promised, most by {s}") for t, s in zip(trials, said, strict=True)]
    told = told_of(past, hpobench_mlp, named, seconds=0.0)
    assert {task["name"]: task["proposed"] for task in told["tasks"]} == {"iris": 4, "iris-2024": 1, long: 2}


def test_the_saving_depends_on_how_soon_the_best_was_found(hpobench_mlp: TableEvaluator) -> None:
    past, table = opposed(hpobench_mlp)[:1], hpobench_mlp.space.table
    trials = list(of_table(hpobench_mlp, "segment", seed=5, count=29).trials)
    lucky = Proposal(hpobench_mlp.space.candidate(int(np.argmax(table.select[:, table.task_number("segment")]))))
    trials.append(Trial(0, lucky.candidate, 1.0, 0, hpobench_mlp.evaluate(lucky, TableTask("segment"))))
    trials.sort(key=lambda trial: trial.score or 0.0)

    def saving(order: Sequence[Trial]) -> dict[str, Any]:
        numbered = [replace(trial, number=number) for number, trial in enumerate(order)]
        found: dict[str, Any] = told_of(past, hpobench_mlp, numbered)["saving"]
        return found

    late, early, poor = saving(trials), saving(trials[::-1]), saving(trials[:15])
    assert (late["found_after"], early["found_after"], poor["found_after"]) == (30, 1, 15)
    assert late["most"] == 60 and early["most"] == 40

    def middle(found: dict[str, Any]) -> float:
        return float(np.median([found["most"] + 1 if count is None else count for count in found["needed"]]))

    assert middle(poor) < 5 < min(middle(late), middle(early)), "what is poor is found soon"
    assert told_of(past, hpobench_mlp, trials[:4])["saving"] == {"reason": "fewer than 5 trials finished"}
    assert "no time" in told_of(past, hpobench_mlp, trials, seconds=0.0)["saving"]["reason"]


@pytest.mark.slow
def test_estimates_are_near_what_searches_from_scratch_need(nasbench201: TableEvaluator) -> None:
    def needed(trials: Sequence[Trial], best: float) -> int:
        return next((place for place, trial in enumerate(trials, 1) if (trial.score or 0.0) >= best), 41)

    off = []
    for name in ("cifar100", "imagenet16-120"):
        task, past = TableTask(name), known(nasbench201, name)
        scratch = [simulate(BayesianOptimization(), nasbench201, task, 10 + seed, 40).trials for seed in range(3)]
        trials = simulate(GuardedTransfer(past), nasbench201, task, 0, 12).trials
        real = np.median([needed(found, max(scores_of(trials))) for found in scratch])
        estimated = np.median([count or 41 for count in told_of(past, nasbench201, trials)["saving"]["needed"]])
        off.append(abs(np.log(estimated / real)))
    assert np.mean(off) < np.log(2.5)


def test_a_schedule_is_told_of_by_the_trainings_that_can_be_compared() -> None:
    past = like_tasks()
    schedule = SuccessiveHalving(GuardedTransfer(past))

    space = toys.layers()
    trials = simulated(lambda: schedule, space, 13)
    told = account(schedule, space, trials, seconds=0.0)
    assert told is not None
    begun = [trial for trial in trials if trial.parent is None]
    assert told["fidelity"] == pytest.approx(1 / 9) and told["trials"] == len(begun) < len(trials)
    assert told["guard"] is not None


def test_without_transfer_there_is_nothing_to_tell(hpobench_mlp: TableEvaluator) -> None:
    trials = of_table(hpobench_mlp, "segment", count=6).trials
    for strategy in (BayesianOptimization(), GuardedTransfer([]), SuccessiveHalving(BayesianOptimization())):
        assert account(strategy, hpobench_mlp.space, trials) is None
    alone = account(Transfer(opposed(hpobench_mlp)), hpobench_mlp.space, trials, seconds=0.0)
    assert alone is not None and alone["guard"] is None
    nothing = told_of(opposed(hpobench_mlp)[2:], hpobench_mlp, trials)
    assert nothing["tasks"] == [] and nothing["unused"] == ["noise"]


def test_failures_alone_leave_the_belief_as_it_was(hpobench_mlp: TableEvaluator) -> None:
    trials = of_table(hpobench_mlp, "segment", count=6).trials
    failed = [replace(trial, outcome=Outcome("failed", reason="diverged")) for trial in trials]
    told = told_of(opposed(hpobench_mlp), hpobench_mlp, failed)
    assert len(set(weights(told, "itself"))) == 1 and "reason" in told["saving"]


def test_the_most_believed_of_many_are_told_one_by_one(
    hpobench_mlp: TableEvaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archwise.meta.account.SHOWN", 2)
    past = History(100).past_tasks(hpobench_mlp, "segment", 0)
    trials = of_table(hpobench_mlp, "segment", seed=5, count=20).trials
    told = told_of(past, hpobench_mlp, trials, seconds=0.0)
    assert len(told["tasks"]) == 2 and told["others"]["count"] == len(past) - len(told["unused"]) - 2
    shares = [task["share"][-1] for task in told["tasks"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) + told["others"]["share"][-1] + told["none"][-1] == pytest.approx(1, abs=1e-3)
