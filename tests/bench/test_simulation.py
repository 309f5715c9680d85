"""Searches on a virtual clock, and the curves they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from archwise.bench.curves import Change, area, evaluations_to, regret_changes, regret_curve, regret_in_time
from archwise.bench.simulation import Step, simulate
from archwise.evaluators.table import Table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.ready import SCHEDULING, ready_strategy
from archwise.spaces.joint import JointSpace
from archwise.strategies import RandomSearch, Strategy, SuccessiveHalving
from archwise.trial import Pending, Proposal, Trial


def search(table: Table, strategy: Strategy | None = None, task: str = "up", budget: float = 20, workers: int = 1):
    return simulate(strategy or RandomSearch(), TableEvaluator(table_space(table)), TableTask(task), 3, budget, workers)


def test_the_clock_adds_what_the_table_says_and_workers_share_it(table: Table) -> None:
    space = table_space(table)
    assert table.cost_seconds is not None
    one, three = search(table), search(table, workers=3)
    rows = [space.row(trial.candidate) for trial in one.trials]
    assert len(rows) == len(set(rows)) == 20
    assert one.steps[-1].seconds == pytest.approx(sum(table.cost_seconds[row, 0] for row in rows))
    assert one.steps[-1].seconds / 3.5 < three.steps[-1].seconds < one.steps[-1].seconds / 2.5
    assert [step.seconds for step in three.steps] == sorted(step.seconds for step in three.steps)


def test_a_time_that_is_not_known_is_the_average(table: Table) -> None:
    assert table.cost_seconds is not None
    gaps = np.where(np.arange(36)[:, None] % 2 == 0, np.nan, table.cost_seconds)
    found = search(replace(table, cost_seconds=gaps), budget=36)
    known = gaps[1::2, 0]
    assert found.steps[-1].seconds == pytest.approx(known.sum() + 18 * known.mean())


def test_no_more_is_proposed_than_can_be_paid_for(table: Table) -> None:
    asked: list[int] = []

    class Asked(RandomSearch):
        def propose(
            self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
        ) -> list[Proposal]:
            asked.append(n)
            return super().propose(space, history, pending, seed, n)

    full = replace(table, cheap=None)
    assert len(search(full, Asked(), budget=5, workers=3000).trials) == 5
    assert max(asked) == 5


def test_the_incumbent_is_the_best_that_was_seen(table: Table) -> None:
    found, space = search(table), table_space(table)
    seen: list[float] = []
    for trial, step in zip(found.trials, found.steps, strict=True):
        seen.append(trial.score or 0.0)
        assert step.row is not None and table.select[step.row, 0] == max(seen)
    assert [step.spent for step in found.steps] == list(range(1, 21))
    assert space.row(found.trials[int(np.argmax(seen))].candidate) == found.steps[-1].row


def test_a_search_ends_with_its_space(table: Table) -> None:
    found = search(table, budget=100)
    assert len(found.steps) == 36
    assert regret_curve(regret_changes(found.steps, table, "up"), 100)[-1] == pytest.approx(0.0, abs=0.05)


def test_low_fidelity_costs_its_share_and_full_training_outranks_it(table: Table) -> None:
    found = search(table, SuccessiveHalving(RandomSearch(), eta=4, rungs=2), budget=6)
    lows = [trial for trial in found.trials if trial.fidelity < 1]
    assert {trial.fidelity for trial in lows} == {0.25}, "the schedule finds its own rungs again"
    full = [trial for trial in found.trials if trial.fidelity == 1]
    assert len(full) >= 4 and all(trial.parent is not None for trial in full)
    low = table.cheap_fidelity
    assert found.steps[-1].spent == pytest.approx(len(lows) * low + len(full) * (1 - low))
    last = table_space(table).candidate(found.steps[-1].row or 0)
    assert last in {trial.candidate for trial in full}


@pytest.mark.parametrize("schedule", SCHEDULING)
def test_schedules_promote_and_their_proposers_see_scores(table: Table, schedule: str) -> None:
    found = search(table, ready_strategy(f"{schedule}-bayesian", trials=30), budget=3)
    continued = [trial for trial in found.trials if trial.parent is not None]
    assert len(found.trials) > 8 and any(trial.fidelity == 1 for trial in continued)
    assert any("expected improvement" in trial.origin for trial in found.trials)
    assert 3 <= found.steps[-1].spent < 4


class Watching(RandomSearch):
    """Notes what is under way whenever it is asked."""

    def __init__(self) -> None:
        self.pending: list[int] = []

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        self.pending.append(len(pending))
        assert [item.number for item in pending] == sorted(item.number for item in pending)
        assert [trial.number for trial in history] == sorted(trial.number for trial in history)
        return super().propose(space, history, pending, seed, n)


def test_workers_have_trials_under_way_while_others_are_proposed(table: Table) -> None:
    strategy = Watching()
    search(table, strategy, workers=4)
    assert max(strategy.pending) == 3


def test_curves_are_read_at_whole_evaluations(table: Table) -> None:
    best = int(table.report[:, 0].argmax())
    other = int(np.abs(table.regret(range(36), "up") - 0.5).argmin())
    steps = [Step(0.06, 1, None), Step(0.5, 2, other), Step(2.5, 3, best)]
    curve = regret_curve(regret_changes(steps, table, "up"), 4)
    assert curve == pytest.approx([table.regret([other], "up")[0]] * 2 + [0.0, 0.0])
    assert regret_curve(regret_changes([Step(1, 1, None)], table, "up"), 2) == [10.0, 10.0]
    holes = replace(table, report=np.where(np.arange(36)[:, None] == best, np.nan, table.report))
    assert regret_curve(regret_changes([Step(1, 1, best)], holes, "up"), 1) == [10.0]


def test_curves_over_time_end_with_what_was_paid_for() -> None:
    changes = [Change(0.06, 5, 1.0), Change(2, 25, 0.5), Change(3, 26, 0.1)]
    assert regret_in_time(changes, 4, 10, 2.0) == [1.0, 1.0, 0.1, 0.1]
    assert regret_in_time(changes, 2, 25, 2.0) == [0.5, 0.5], "a shorter search does not have what came later"


def test_areas_and_evaluations() -> None:
    curve = [1.0] * 30 + [0.0] * 100
    assert area(curve) == 0.5 and area(curve[:40]) == 0.75
    assert (evaluations_to(curve, 0.1), evaluations_to(curve[:30], 0.1)) == (31, None)
