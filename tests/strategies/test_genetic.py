"""The genetic algorithm."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies import RandomSearch, Strategy, SuccessiveHalving
from archwise.strategies.genetic import GeneticAlgorithm
from archwise.trial import Outcome, Pending, Proposal, Trial


class TestGeneticAlgorithm(StrategyContract):
    def make(self) -> Strategy:
        return GeneticAlgorithm()


class TestTournamentsInATinyPopulation(StrategyContract):
    uses_others = False  # three trials of another search are too few to show

    def make(self) -> Strategy:
        return GeneticAlgorithm(population=3, parents=1.0, mutation=1.0, elite=1, tournament=2)


FAILURE = Outcome("failed", reason="diverged")


def random_trials(count: int, scores: Sequence[float] | None = None) -> list[Trial]:
    """Return trials of random search; without scores, each is better than the one before, and all are below zero."""
    scores = scores or [number - 1000.0 for number in range(count)]
    trials = simulate(RandomSearch, toys.layers(), count)
    return [scored(trial, score) for trial, score in zip(trials, scores, strict=True)]


def scored(trial: Trial, score: float) -> Trial:
    return replace(trial, outcome=Outcome("finished", score))


def parents_of(proposal: Proposal | Trial) -> list[int]:
    """Return the parents that the origin names."""
    return [int(number) for number in re.findall(r"\d+", proposal.origin)]


def children(strategy: Strategy, history: Sequence[Trial], seeds: int = 60) -> list[Proposal]:
    return [proposal for seed in range(seeds) for proposal in strategy.propose(toys.layers(), history, [], seed, 1)]


def parents(strategy: Strategy, history: Sequence[Trial], seeds: int = 60) -> set[int]:
    return {number for proposal in children(strategy, history, seeds) for number in parents_of(proposal)}


def choices(candidate: Candidate) -> dict[str, object]:
    return {**candidate.architecture, **candidate.recipe}


def differences(first: Candidate, second: Candidate) -> int:
    """Count the choices that two candidates of the space without conditions make differently."""
    return sum(label != choices(second)[path] for path, label in choices(first).items())


# ---------------------------------------------------------------------- generations


def test_the_first_generation_is_that_of_random_search():
    trials = simulate(lambda: GeneticAlgorithm(12), toys.layers(), 13)
    assert [t.candidate for t in trials[:12]] == [t.candidate for t in simulate(RandomSearch, toys.layers(), 12)]
    assert trials[12].origin != "random"


def test_a_generation_has_its_parents_in_the_one_before():
    trials = simulate(lambda: GeneticAlgorithm(8, parents=0.5, elite=0), toys.layers(), 40)
    for generation in range(1, 5):
        before = trials[8 * generation - 8 : 8 * generation]
        best = {t.number for t in sorted(before, key=lambda t: t.score or 0, reverse=True)[:4]}
        found = {number for trial in trials[8 * generation : 8 * generation + 8] for number in parents_of(trial)}
        assert found <= best
        assert len(found) > 2


def test_the_elite_outlives_its_generation():
    trials = random_trials(30, [50.0, 60.0, *range(28)])
    assert parents(GeneticAlgorithm(10, parents=0.3, elite=0), trials) == {27, 28, 29}
    assert parents(GeneticAlgorithm(10, parents=0.3, elite=1), trials) == {1, 28, 29}
    assert parents(GeneticAlgorithm(10, parents=0.3, elite=2), trials) == {0, 1, 29}
    same_generation = random_trials(10)
    assert parents(GeneticAlgorithm(10, parents=0.2, elite=2), same_generation) == {8, 9}, "nobody is there twice"


def test_of_equal_scores_the_earlier_become_parents():
    assert parents(GeneticAlgorithm(10, parents=0.3), random_trials(10, [0.0] * 10)) == {0, 1, 2}


def test_failed_trials_are_no_parents_and_earlier_generations_fill_their_places():
    history = random_trials(20)
    for number in (11, 12, 13, 18, 19):
        history[number] = replace(history[number], outcome=FAILURE)
    everyone = parents(GeneticAlgorithm(10, parents=1.0, elite=0), history, 150)
    assert everyone == {5, 6, 7, 8, 9, 10, 14, 15, 16, 17}
    history = [replace(trial, outcome=FAILURE) for trial in history[:10]]
    assert {p.origin for p in children(GeneticAlgorithm(10), history)} == {"random"}


def test_free_workers_begin_the_next_generation_while_one_waits():
    space, strategy = toys.layers(), GeneticAlgorithm(10, parents=0.3, elite=1)
    history = random_trials(20)
    slow = [Pending(number, Proposal(history[number].candidate)) for number in (15, 19)]
    waiting = [trial for trial in history if trial.number not in (15, 19)]
    proposals = [p for seed in range(40) for p in strategy.propose(space, waiting, slow, seed, 12)]
    assert {n for p in proposals for n in parents_of(p)} == {16, 17, 18}, "two more than a generation are no children"
    later = [Pending(20 + i, p) for i, p in enumerate(strategy.propose(space, waiting, slow, 0, 5))]
    [after] = strategy.propose(space, history, later, 0, 1)
    assert set(parents_of(after)) <= {17, 18, 19}, "what came in late counts from then on"


def test_who_is_late_keeps_the_place_in_the_generation():
    history = random_trials(15)
    slow = Pending(3, Proposal(history[3].candidate))
    waiting = [trial for trial in history if trial.number != 3]
    found = [p for seed in range(40) for p in GeneticAlgorithm(10).propose(toys.layers(), waiting, [slow], seed, 1)]
    assert {number for proposal in found for number in parents_of(proposal)} == {7, 8, 9}


def test_members_are_counted_not_numbers():
    """Kills leave gaps in the numbers: nine of a first generation of ten are there, so the tenth is random."""
    history = [replace(trial, number=3 * trial.number) for trial in random_trials(10)]
    [tenth] = GeneticAlgorithm(10).propose(toys.layers(), history[:9], [], 0, 1)
    [eleventh] = GeneticAlgorithm(10).propose(toys.layers(), history, [], 0, 1)
    assert tenth.origin == "random"
    assert set(parents_of(eleventh)) <= {21, 24, 27}


def test_generations_are_whole_under_successive_halving():
    strategy = SuccessiveHalving(GeneticAlgorithm(9))
    trials = simulate(lambda: strategy, toys.layers(), 40)
    started = [trial for trial in trials if trial.parent is None]
    assert len(started) > 27
    assert [trial.origin == "random" for trial in started] == [place < 9 for place in range(len(started))]
    generation = {trial.number: place // 9 for place, trial in enumerate(started)}
    for trial in started[9:]:
        assert all(generation[number] < generation[trial.number] for number in parents_of(trial))


# ---------------------------------------------------------------------- children


def test_truncation_takes_the_best_tenth_of_a_hundred():
    history = random_trials(100)
    classic = GeneticAlgorithm(population=100, parents=0.1, crossover=0.7, mutation=0.2)
    found = children(classic, history, 300)
    assert {number for proposal in found for number in parents_of(proposal)} == set(range(90, 100))
    crossed = [proposal for proposal in found if len(parents_of(proposal)) == 2]
    assert 0.62 < len(crossed) / len(found) < 0.78
    mutated = [proposal for proposal in crossed if proposal.origin.endswith(", mutated")]
    assert 0.13 < len(mutated) / len(crossed) < 0.28
    assert all(len(set(parents_of(proposal))) == 2 for proposal in crossed)


def test_there_are_two_parents_however_small_the_share():
    assert parents(GeneticAlgorithm(10, parents=0.01), random_trials(10)) == {8, 9}
    assert parents(GeneticAlgorithm(30, parents=0.1), random_trials(30)) == {27, 28, 29}


def test_a_crossed_child_takes_each_choice_from_a_parent():
    history = random_trials(10)
    shares = []
    for child in children(GeneticAlgorithm(10, crossover=1.0, mutation=0.0), history):
        first, second = (history[number].candidate for number in parents_of(child))
        if not child.origin.endswith(", mutated"):
            taken = [label in (choices(first)[p], choices(second)[p]) for p, label in choices(child.candidate).items()]
            assert all(taken)
            shares.append(differences(first, child.candidate) / differences(first, second))
    assert len(shares) > 50
    assert 0.4 < np.mean(shares) < 0.6


def test_a_child_of_one_parent_is_its_mutation():
    history = random_trials(10)
    for mutation in (0.0, 1.0):
        for child in children(GeneticAlgorithm(10, crossover=0.0, mutation=mutation), history):
            [parent] = parents_of(child)
            assert child.origin == f"mutation of trial {parent}"
            assert differences(history[parent].candidate, child.candidate) == 1


def test_a_mutated_child_differs_in_one_choice_more():
    history, found = random_trials(10), []
    for child in children(GeneticAlgorithm(10, crossover=1.0, mutation=1.0), history):
        made = [choices(history[number].candidate) for number in parents_of(child)]
        strange = [p for p, label in choices(child.candidate).items() if label not in (made[0][p], made[1][p])]
        found.append(len(strange))
        assert child.origin.endswith(", mutated")
    assert set(found) == {0, 1}, "a mutation may also lead to what the other parent has"


def test_a_child_whose_neighbours_were_all_seen_moves_on():
    space = toys.layers()
    [parent] = random_trials(1)
    around = [as_trial(n, Proposal(candidate)) for n, candidate in enumerate(space.neighbours(parent.candidate), 1)]
    history = [parent, *(replace(trial, outcome=FAILURE) for trial in around)]
    found = children(GeneticAlgorithm(len(history)), history, 20)
    assert {proposal.origin for proposal in found} == {"mutation of trial 0"}
    assert all(2 <= differences(parent.candidate, proposal.candidate) <= 4 for proposal in found)


def test_where_no_mutation_is_new_it_says_that_the_candidate_is_random():
    space = toys.pools()
    key = space.key(space.default)
    others = [c for c in space.enumerate() if space.key(c) != key and space.allows(c)]
    first = {space.key(c): c for c in others}
    *rest, last = first.values()
    history = [as_trial(0, Proposal(space.default))]
    history += [replace(as_trial(n, Proposal(c)), outcome=FAILURE) for n, c in enumerate(rest, 1)]
    found = [p for seed in range(4) for p in GeneticAlgorithm(len(history)).propose(space, history, [], seed, 1)]
    assert {space.key(p.candidate) for p in found} == {space.key(last)}
    assert {p.origin for p in found} <= {"random", "mutation of trial 0"}


def test_a_tournament_favours_the_best():
    history = random_trials(10)

    def first_parents(tournament: int) -> list[int]:
        strategy = GeneticAlgorithm(10, parents=1.0, crossover=0.0, tournament=tournament)
        return [number for proposal in children(strategy, history, 200) for number in parents_of(proposal)]

    assert abs(np.mean(first_parents(1)) - 4.5) < 0.7
    assert abs(np.mean(first_parents(3)) - 7.0) < 0.6  # the mean of the largest of three, drawn with replacement
    assert set(first_parents(100)) == {9}


def test_a_lonely_parent():
    for population in (1, 10):
        history = random_trials(1) + [replace(t, outcome=FAILURE) for t in random_trials(population)[1:]]
        assert parents(GeneticAlgorithm(population, elite=0), history, 10) == {0}
    assert len(simulate(lambda: GeneticAlgorithm(1), toys.layers(), 30)) == 30


# ---------------------------------------------------------------------- other searches, settings


def test_others_best_begin_the_first_generation_and_are_never_compared_with_own_trials():
    space = toys.layers()
    others = [scored(trial, 1e6 + trial.score) for trial in foreign(space, 40) if trial.score is not None]
    trials = simulate(lambda: GeneticAlgorithm(10, parents=0.4), space, 30, known=others)
    best = sorted(others[-10:], key=lambda trial: trial.score or 0, reverse=True)[:4]
    assert {trial.candidate for trial in trials[:4]} == {trial.candidate for trial in best}
    assert [trial.origin for trial in trials[:10]] == ["from another search"] * 4 + ["random"] * 6
    assert all(0 <= number < 20 for trial in trials[10:] for number in parents_of(trial))


def test_what_failed_elsewhere_is_not_taken_up():
    others = [scored(trial, -5.0) for trial in foreign(toys.layers(), 10)]
    others[::2] = [replace(trial, outcome=FAILURE) for trial in others[::2]]
    trials = simulate(lambda: GeneticAlgorithm(10, parents=0.5), toys.layers(), 10, known=others)
    assert {trial.candidate for trial in trials[:5]} == {trial.candidate for trial in others[1::2]}
    assert [trial.origin for trial in trials[5:]] == ["random"] * 5


@pytest.mark.parametrize(
    "settings",
    [{"population": 0}, {"tournament": 0}, {"elite": -1}],
)
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(ArchwiseError, match="1 or more"):
        GeneticAlgorithm(**settings)


@pytest.mark.parametrize("settings", [{"parents": 0}, {"parents": 10}, {"crossover": 1.1}, {"mutation": -0.1}])
def test_shares_out_of_range_are_refused(settings):
    with pytest.raises(ArchwiseError, match="probabilities"):
        GeneticAlgorithm(**settings)
