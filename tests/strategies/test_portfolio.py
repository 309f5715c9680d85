"""A portfolio of strategies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract
from tests.strategies.test_in_turns import Nothing, names

from archwise.bench.curves import regret_changes
from archwise.bench.simulation import simulate as simulate_on_table
from archwise.errors import ArchwiseError
from archwise.evaluators.table import read_table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.strategies import LocalSearch, Portfolio, RandomSearch, RegularisedEvolution, Strategy
from archwise.strategies.portfolio import area
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Outcome, Pending, Proposal, Trial


class TestPortfolio(StrategyContract):
    seeds = 4

    def make(self) -> Strategy:
        return Portfolio({"evolution": RegularisedEvolution(), "local": LocalSearch()})


def two(**settings: float) -> Portfolio:
    return Portfolio({"a": RandomSearch(), "b": RandomSearch()}, **settings)


def improving(*who: str):
    """Return an evaluation in which the trials of one member after another improve, 60 trials each, and no others."""

    def evaluate(number: int, proposal: Proposal) -> Outcome:
        good = who[min(number // 60, len(who) - 1)]
        return Outcome("finished", float(number if proposal.origin.startswith(good) else -number))

    return evaluate


@pytest.mark.parametrize("workers", [1, 4])
def test_trials_shift_to_who_improves_and_back_again(workers: int):
    run = names(simulate(two, toys.layers(), 240, workers=workers, evaluate=improving("a", "b", "none")))
    assert run[:2] in (["a", "b"], ["b", "a"])
    assert run[20:60].count("a") > 30
    assert run[80:120].count("b") > 30
    assert 10 < run[200:240].count("a") < 30, "where nobody improves, everyone gets alike"


def test_nobody_starves():
    always = improving("a", "a", "a", "a")
    bold, even = (
        names(simulate(lambda: two(window=20, exploration=exploration), toys.layers(), 120, evaluate=always))  # noqa: B023
        for exploration in (1e-6, 1.0)
    )
    for end in range(21, 120):
        assert bold[end - 21 : end].count("b") >= 1, "who has no trial in the window has the next"
    assert bold[20:].count("b") * 2 < even[20:].count("b") < even[20:].count("a")


class Climber(OneAtATime):
    """Mutates the best trial: much better than chance where every choice counts alone."""

    def propose_one(self, now: Situation) -> Proposal | None:
        best = max(now.finished, key=lambda trial: trial.score or 0.0, default=None)
        found = best and now.draw_new(lambda: now.space.mutate(best.candidate, now.rng))
        return Proposal(found, origin="climb") if found else now.random()


def test_the_better_member_gets_more_while_there_is_something_to_improve():
    early, late = [], []
    for seed in range(10):
        make = lambda: Portfolio({"chance": RandomSearch(), "climber": Climber()})  # noqa: E731
        run = names(simulate(make, toys.layers(), 60, seed=seed))
        early.append(run[:10].count("climber") / 10)
        late.append(run[10:60].count("climber") / 50)
    assert np.mean(late) > 0.6
    assert np.mean(late) > np.mean(early) - 0.1


def test_failed_trials_and_those_under_way_count_as_trials_without_improvement():
    space = toys.layers()
    history = [trial("a", 0, 1.0), trial("b", 1, 2.0)]
    failed = [*history, *(Trial(n, space.sample(n), 1.0, 0, Outcome("failed"), origin="b: x") for n in (2, 3, 4))]
    assert two().propose(space, failed, [], 0, 1)[0].origin == "a: random"
    pending = [Pending(n, Proposal(space.sample(n), origin="b: x")) for n in (2, 3, 4)]
    assert two().propose(space, history, pending, 0, 1)[0].origin == "a: random"
    assert two().propose(space, history, [], 0, 1)[0].origin == "a: random", "of equal ones the first"
    better = [*history, trial("a", 2, 0.0), trial("b", 3, 3.0)]
    assert two().propose(space, better, [], 0, 1)[0].origin == "b: random"


def trial(who: str, number: int, score: float, fidelity: float = 1.0) -> Trial:
    proposal = Proposal(toys.layers().sample(number), fidelity, origin=f"{who}: x")
    return as_trial(number, proposal, lambda *_: Outcome("finished", score))


def test_scores_of_different_fidelities_are_not_compared():
    space = toys.layers()
    alike = [trial("a", 0, 0.5), trial("b", 1, 0.4), trial("b", 2, 0.3), trial("a", 3, 0.2)]
    less = [*alike[:2], trial("b", 2, 0.3, fidelity=0.5), alike[3]]
    more = [*alike[:2], trial("b", 2, 0.6), alike[3]]
    worths = [two().propose(space, history, [], 0, 1)[0].origin for history in (alike, less, more)]
    assert worths == ["a: random", "b: random", "b: random"]


def test_who_has_nothing_to_propose_is_passed_over():
    run = simulate(lambda: Portfolio({"no": Nothing(), "a": RandomSearch()}), toys.layers(), 5)
    assert names(run) == ["a"] * 5


def test_the_area_weighs_late_improvements_more():
    assert area([]) == area([False] * 3) == 0
    assert area([True] * 4) == 1
    assert area([True, False, False]) < area([False, True, False]) < area([False, False, True])


@pytest.mark.parametrize("settings", [{"window": 0}, {"exploration": 0.0}, {"exploration": float("nan")}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]):
    with pytest.raises(ArchwiseError, match="window of 1"):
        two(**settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hpobench_mlp", "nasbench201"])
def test_on_a_published_table_it_finds_more_than_random_search(shared_data: Path, name: str):
    table = read_table(shared_data / "nas" / f"{name}.npz")
    evaluator = TableEvaluator(table_space(table))

    def regrets(make, seeds: range) -> list[float]:
        found = []
        for seed in seeds:
            task = table.tasks[seed % len(table.tasks)]
            steps = simulate_on_table(make(), evaluator, TableTask(task), seed, 100).steps
            found.append(regret_changes(steps, table, task)[-1].regret)
        return found

    ours = regrets(lambda: Portfolio({"evolution": RegularisedEvolution(), "local": LocalSearch()}), range(9))
    assert np.mean(ours) < np.mean(regrets(RandomSearch, range(9)))
