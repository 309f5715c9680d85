"""Training times and failures on a new task, from those of past ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.meta.conftest import known

from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.meta.agreement import rank_correlation
from archwise.meta.costs import CostTransfer
from archwise.meta.guard import GuardedTransfer
from archwise.meta.past_task import PastTask
from archwise.meta.transfer import Transfer
from archwise.spaces.architecture import Candidate
from archwise.strategies import BayesianOptimization, Strategy
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.surrogate import Surrogate
from archwise.trial import CurvePoint, Outcome, Proposal, Trial

TASK = "segment"
SEARCHED = 15


def drawn(table: TableEvaluator, count: int, seed: int) -> list[Trial]:
    rows = np.random.default_rng([seed, 5]).permutation(len(table.space.table.select))[:count].tolist()
    candidates = [table.space.candidate(row) for row in rows]
    return [Trial(i, c, 1.0, 0, table.evaluate(Proposal(c), TableTask(TASK))) for i, c in enumerate(candidates)]


def seconds_of(trials: Sequence[Trial]) -> np.ndarray:
    return np.array([trial.outcome.costs["train_seconds"] for trial in trials])


def limit(table: TableEvaluator, task: str, kept: float = 0.7) -> float:
    """A training time that a share of candidates keep."""
    return float(np.quantile(table.space.table.cost_seconds[:, table.space.table.task_number(task)], kept))


def limited(trial: Trial, most: float) -> Trial:
    """Return the trial as it would have been where it may not take longer."""
    seconds = trial.outcome.costs["train_seconds"]
    if seconds <= most:
        return trial
    reason = f"time limit: stopped after {most:g} seconds"
    curve = (CurvePoint(0.9 * most / seconds, 0.9 * most, 1.0, 1.0, 0.5),)
    return replace(trial, outcome=Outcome("failed", curve=curve, reason=reason), seconds=most)


def limited_past(table: TableEvaluator, seed: int, task: str = TASK) -> list[PastTask]:
    tasks = known(table, task, seed, 60)
    return [replace(past, trials=[limited(t, limit(table, past.name)) for t in past.trials]) for past in tasks]


def is_right(chance: np.ndarray, ended: np.ndarray) -> float:
    """Return how often one that ended got the higher chance of two of which one failed."""
    better = chance[ended][:, None] - chance[~ended][None]
    return float(np.mean(better > 0) + 0.5 * np.mean(better == 0))


def test_past_tasks_know_who_trains_for_long_and_own_trials_how_long(hpobench_mlp):
    trials = drawn(hpobench_mlp, 305, 0)
    candidates, seconds = [trial.candidate for trial in trials[5:]], seconds_of(trials[5:])
    costs, alone = (CostTransfer(past, hpobench_mlp.space) for past in (known(hpobench_mlp, TASK, 0, 60), []))
    assert rank_correlation(costs.train_seconds(candidates), seconds) > 0.93
    costs.fit(trials[:5])
    alone.fit(trials[:5])
    predicted = costs.train_seconds(candidates)
    assert np.median(np.abs(np.log(predicted / seconds))) < 0.6
    assert rank_correlation(predicted, seconds) > 0.1 + rank_correlation(alone.train_seconds(candidates), seconds)


def test_past_failures_are_expected_again(hpobench_mlp):
    trials = drawn(hpobench_mlp, 300, 1)
    ended = seconds_of(trials) <= limit(hpobench_mlp, TASK)
    costs = CostTransfer(limited_past(hpobench_mlp, 0), hpobench_mlp.space)
    chance = costs.feasible([trial.candidate for trial in trials])
    assert is_right(chance, ended) > 0.93
    assert chance.min() > 0 and chance.max() <= 1.0
    assert abs(chance.mean() - ended.mean()) < 0.15


def test_own_trials_correct_what_past_tasks_say_of_failures(hpobench_mlp):
    trials = drawn(hpobench_mlp, 330, 2)
    costs = CostTransfer(limited_past(hpobench_mlp, 0), hpobench_mlp.space)
    candidates = [trial.candidate for trial in trials[30:]]
    before = costs.feasible(candidates)
    costs.fit(trials[:30])  # none of which failed: here there is no limit
    after = costs.feasible(candidates)
    assert after.mean() > before.mean() + 0.1 and after.mean() > 0.8
    costs.fit([])
    assert np.array_equal(costs.feasible(candidates), before)


def test_a_limit_is_kept_by_what_trainings_cost(hpobench_mlp):
    trials, most = drawn(hpobench_mlp, 320, 3), limit(hpobench_mlp, TASK)
    ended = seconds_of(trials) <= most
    costs = CostTransfer(known(hpobench_mlp, TASK, 0, 60), hpobench_mlp.space, {"train_seconds": most})
    costs.fit([limited(trial, most) for trial in trials[:20]])
    chance = costs.feasible([trial.candidate for trial in trials[20:]])
    assert is_right(chance, ended[20:]) > 0.95
    assert np.mean((chance > 0.5) == ended[20:]) > 0.85


def test_any_cost_that_trials_record_can_be_limited(hpobench_mlp):
    trials = drawn(hpobench_mlp, 120, 4)
    large = np.array([trial.outcome.costs["parameters"] for trial in trials])
    most = float(np.median(large))
    costs = CostTransfer([PastTask("before", trials[:60])], hpobench_mlp.space, {"parameters": most})
    costs.fit(trials[60:65])
    assert is_right(costs.feasible([trial.candidate for trial in trials[65:]]), large[65:] <= most) > 0.95


@pytest.mark.parametrize(
    ("reason", "said"), [("diverged at step 3: the loss is nan", True), ("the weights of trial 3 are not here", False)]
)
def test_only_what_is_the_candidates_fault_counts(hpobench_mlp, reason, said):
    trials = drawn(hpobench_mlp, 60, 5)
    fast = np.array([trial.candidate.recipe["learning_rate_init"] > 0.1 for trial in trials])
    failed = Outcome("failed", reason=reason)
    past = PastTask("t", [replace(t, outcome=failed) if f else t for t, f in zip(trials, fast, strict=True)])
    chance = CostTransfer([past], hpobench_mlp.space).feasible([trial.candidate for trial in trials])
    assert is_right(chance, ~fast) == pytest.approx(1.0 if said else 0.5, abs=0.1)


def test_how_far_a_training_came_tells_how_long_it_would_have_taken(hpobench_mlp):
    trials = drawn(hpobench_mlp, 130, 6)

    def stopped(trial: Trial) -> Trial:
        seconds = trial.outcome.costs["train_seconds"]
        curve = (CurvePoint(0.25, 0.25 * seconds, 1.0, 1.0, 0.5),)
        return replace(trial, outcome=Outcome("failed", curve=curve, reason="time limit: stopped after 9 seconds"))

    costs = CostTransfer([PastTask("t", [stopped(trial) for trial in trials[:100]])], hpobench_mlp.space)
    predicted = costs.train_seconds([trial.candidate for trial in trials[100:]])
    assert rank_correlation(predicted, seconds_of(trials[100:])) > 0.9
    assert np.median(np.abs(np.log(predicted / seconds_of(trials[100:])))) < 0.4


@pytest.mark.parametrize(
    ("seconds", "fidelity"), [(float("inf"), 1.0), (1e300, 1e-30), (0.0, 1.0), (float("nan"), 1.0)]
)
def test_times_that_no_training_can_take_are_not_learnt_from(hpobench_mlp, seconds, fidelity):
    trials = drawn(hpobench_mlp, 60, 7)
    odd = [
        replace(t, fidelity=fidelity, outcome=replace(t.outcome, costs={"train_seconds": seconds})) for t in trials[:9]
    ]
    candidates = [trial.candidate for trial in trials[40:]]
    found, clean = (
        CostTransfer([PastTask("t", past)], hpobench_mlp.space).train_seconds(candidates)
        for past in (odd + trials[9:40], trials[9:40])
    )
    assert clean.std() > 0 and found == pytest.approx(clean)


def failures(table: TableEvaluator, task: str, costs: CostTransfer | None, seed: int = 0) -> int:
    """Return how many trials of a search fail that proposes the largest expected improvement times feasibility."""
    own: list[Trial] = []
    surrogate = Surrogate(table.space.encoding)
    most = limit(table, task)
    for number in range(SEARCHED):
        rng = np.random.default_rng([seed, number])
        pool: list[Candidate] = [table.space.sample(rng) for _ in range(60)]
        promise = np.zeros(len(pool))
        if sum(trial.score is not None for trial in own) >= 2:
            surrogate.fit(own)
            mean, deviation = surrogate.predict(pool)
            promise = log_expected_improvement(mean, deviation, surrogate.best)
            promise = promise if costs else promise + surrogate.log_feasible(pool)
        if costs:
            costs.fit(own)
            promise = promise + costs.log_feasible(pool)
        candidate = pool[int(np.argmax(promise))]
        outcome = table.evaluate(Proposal(candidate), TableTask(task))
        own.append(limited(Trial(number, candidate, 1.0, 0, outcome), most))
    return sum(trial.outcome.status == "failed" for trial in own)


@pytest.mark.parametrize("limits_are_known", [False, True])
def test_fewer_trials_of_a_search_fail(hpobench_mlp, limits_are_known):
    tasks = ("kc1", "phoneme", "vehicle")
    without = [failures(hpobench_mlp, task, None) for task in tasks]
    experienced = []
    for task in tasks:
        limits = {"train_seconds": limit(hpobench_mlp, task)} if limits_are_known else {}
        costs = CostTransfer(limited_past(hpobench_mlp, 0, task), hpobench_mlp.space, limits)
        experienced.append(failures(hpobench_mlp, task, costs))
    assert sum(without) > 5
    assert sum(experienced) < 0.7 * sum(without), (without, experienced)


def searched(strategy: Strategy, table: TableEvaluator, most: float, count: int, task: str = "kc1") -> list[Trial]:
    """Return the trials of a search whose trainings may not take longer."""
    trials: list[Trial] = []
    for number in range(count):
        [proposal] = strategy.propose(table.space, trials, [], 0, 1)
        outcome = table.evaluate(proposal, TableTask(task))
        trials.append(limited(Trial(number, proposal.candidate, 1.0, 0, outcome, proposal.origin), most))
    return trials


@pytest.mark.parametrize("who", ["bayesian", "transfer", "transfer that knows no failures"])
def test_no_search_ends_with_one_failure_after_another(hpobench_mlp, who):
    """What fails has no score, so it long seems to be the best that is left."""
    past = known(hpobench_mlp, "kc1", 0, 60)
    stopped = [
        replace(task, trials=[limited(t, limit(hpobench_mlp, task.name, 0.5)) for t in task.trials]) for task in past
    ]
    strategies = {"bayesian": BayesianOptimization(), "transfer": GuardedTransfer(stopped)}
    trials = searched(strategies.get(who, GuardedTransfer(past)), hpobench_mlp, limit(hpobench_mlp, "kc1", 0.5), 50)
    failed = [trial.score is None for trial in trials]
    assert sum(failed[30:]) <= 8, failed  # of random ones, 10


def test_a_search_learns_from_failures_before_anything_has_finished(hpobench_mlp):
    space, past = hpobench_mlp.space, known(hpobench_mlp, "kc1", 0, 60)
    trials = searched(Transfer(past), hpobench_mlp, limit(hpobench_mlp, "kc1", 0.1), 30)
    finished = [trial.score is not None for trial in trials]
    assert not any(finished[:4]) and sum(finished) > 8, finished  # of random ones, 3
    used = Transfer(past)
    searched(used, hpobench_mlp, limit(hpobench_mlp, "kc1", 0.5), 8)
    first, second = (strategy.propose(space, trials[:4], [], 0, 1) for strategy in (used, Transfer(past)))
    assert first == second, "what it was asked before does not matter"
