"""Regularised evolution."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies import RandomSearch, RegularisedEvolution, Strategy
from archwise.trial import Outcome, Proposal, Trial


class TestRegularisedEvolution(StrategyContract):
    def make(self) -> Strategy:
        return RegularisedEvolution(population=20, sample=5)


class TestTinyPopulation(StrategyContract):
    uses_others = False  # three trials of another search are too few to show

    def make(self) -> Strategy:
        return RegularisedEvolution(population=3, sample=2)


def random_trials(count: int) -> list[Trial]:
    return simulate(RandomSearch, toys.layers(), count)


def scored(trial: Trial, score: float) -> Trial:
    return replace(trial, outcome=Outcome("finished", score))


def parents(strategy: Strategy, history: list[Trial], seeds: int = 60) -> set[int]:
    """Return the trials that proposals with several seeds say they mutate; checks that they do."""
    found = set()
    for seed in range(seeds):
        [proposal] = strategy.propose(toys.layers(), history, [], seed, 1)
        number = int(proposal.origin.removeprefix("mutation of trial "))
        [parent] = [trial for trial in history if trial.number == number]
        assert differences(parent.candidate, proposal.candidate) == 1
        found.add(number)
    return found


def differences(first: Candidate, second: Candidate) -> int:
    """Count the choices that two candidates of the space without conditions make differently."""
    pairs = zip(first, second, strict=True)
    return sum(a[path] != b[path] for a, b in pairs for path in a)


def test_the_first_population_is_that_of_random_search():
    evolved = simulate(lambda: RegularisedEvolution(12, 4), toys.layers(), 12)
    assert [t.candidate for t in evolved] == [t.candidate for t in random_trials(12)]
    [after] = RegularisedEvolution(12, 4).propose(toys.layers(), evolved, [], 0, 1)
    assert after.origin.startswith("mutation of trial ")


def test_the_oldest_leave_however_good_they_are():
    history = random_trials(14)
    history[:4] = [scored(trial, 1000.0) for trial in history[:4]]
    assert parents(RegularisedEvolution(population=10, sample=1), history) == set(range(4, 14))


def test_a_tournament_is_won_by_its_best():
    history = [scored(trial, trial.number / 100 - 5) for trial in random_trials(10)]
    everyone = parents(RegularisedEvolution(population=10, sample=10), history)
    assert everyone == {9}, "all take part, and the best wins; scores below zero are scores"
    pairs = parents(RegularisedEvolution(population=10, sample=2), history, seeds=200)
    assert pairs == set(range(1, 10)), "the worst wins against nobody; everyone else meets someone worse"


def test_a_sample_larger_than_the_population_is_all_of_it():
    history = [scored(trial, -float(trial.number)) for trial in random_trials(8)]
    assert parents(RegularisedEvolution(population=4, sample=50), history) == {4}


def test_failed_trials_are_no_parents_and_do_not_push_out_others():
    history = random_trials(12)
    for number in (1, 5, 6, 11):
        history[number] = replace(history[number], outcome=Outcome("failed", reason="diverged"))
    assert parents(RegularisedEvolution(population=6, sample=1), history) == {3, 4, 7, 8, 9, 10}


def test_trials_under_way_are_no_parents_and_age_counts_by_number():
    history = random_trials(12)
    late = [*history[:3], *history[4:], history[3]]  # trial 3 ended last
    late.sort(key=lambda trial: trial.number)
    assert parents(RegularisedEvolution(population=8, sample=1), late) == set(range(4, 12))


def test_others_best_fill_the_first_population_and_are_never_compared_with_own_trials():
    space = toys.layers()
    others = [scored(trial, 1e6 + trial.score) for trial in foreign(space, 40) if trial.score is not None]
    trials = simulate(lambda: RegularisedEvolution(8, 40), space, 20, known=others)
    best = max(others[-8:], key=lambda trial: trial.outcome.score or 0)
    assert trials[0].candidate == best.candidate
    known = {trial.candidate for trial in others[-8:]}
    assert [trial.origin == "from another search" for trial in trials] == [trial.candidate in known for trial in trials]
    assert all(trial.origin.startswith("mutation of trial ") for trial in trials[8:])
    assert min(int(trial.origin.split()[-1]) for trial in trials[8:]) >= 0


def test_where_no_mutation_is_new_it_says_that_the_candidate_is_random():
    space = toys.pools()
    history = [as_trial(0, Proposal(space.default))]
    neighbours = [c for c in space.neighbours(space.default) if space.allows(c)]
    history += [
        replace(as_trial(number, Proposal(candidate)), outcome=Outcome("failed", reason="diverged"))
        for number, candidate in enumerate(neighbours, 1)
    ]
    [proposal] = RegularisedEvolution(1, 1).propose(space, history, [], 0, 1)
    assert proposal.origin == "random"
    assert space.key(proposal.candidate) not in {space.key(trial.candidate) for trial in history}


def test_a_population_of_one_in_a_space_of_one_candidate():
    assert len(simulate(lambda: RegularisedEvolution(1, 1), toys.single(), 5)) == 1


@pytest.mark.parametrize(("population", "sample"), [(0, 5), (5, 0), (-1, -1)])
def test_an_empty_population_is_refused(population, sample):
    with pytest.raises(ArchwiseError, match="1 or more"):
        RegularisedEvolution(population, sample)
