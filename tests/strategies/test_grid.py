"""Grid search."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import StrategyContract, allowed_keys, foreign

from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
from archwise.spaces.parts import dense, head
from archwise.strategies import Strategy, grid
from archwise.strategies.grid import GridSearch


class TestGridSearch(StrategyContract):
    learns = False
    uses_others = False

    def make(self) -> Strategy:
        return GridSearch()


class TestGridSearchThatListsNoSpace(TestGridSearch):
    """Every space is as a large one."""

    @pytest.fixture(autouse=True)
    def nothing_is_small(self, monkeypatch):
        monkeypatch.setattr(grid, "SMALL", 0)


def settings(**options: list[int]) -> JointSpace:
    """Return a space of one network and recipes of numbers."""
    recipe = Settings(**{name: Choice(name, values) for name, values in options.items()})
    return JointSpace(Space(Chain(dense(8), head())), Space(recipe))


def taken(space: JointSpace, seed: int, count: int) -> list[tuple]:
    """Return the options of the first candidates of a space of settings."""
    proposals = GridSearch().propose(space, [], [], seed, count)
    return [tuple(proposal.candidate.recipe.values()) for proposal in proposals]


def test_the_order_comes_from_the_seed_alone():
    space = toys.layers()
    plain = simulate(GridSearch, space, 20)
    failed = simulate(GridSearch, space, 20, evaluate=toys.failing(1, "failed"))
    helped = simulate(GridSearch, space, 20, known=foreign(space, 20))
    together = GridSearch().propose(space, [], [], 0, 20)
    order = [trial.candidate for trial in plain]
    assert order == [trial.candidate for trial in failed]
    assert order == [trial.candidate for trial in helped if trial.number >= 0]
    assert order == [proposal.candidate for proposal in together]


def test_what_a_kill_lost_comes_next():
    space = toys.layers()
    order = [trial.candidate for trial in simulate(GridSearch, space, 12)]
    strategy = GridSearch()
    known = [trial for trial in simulate(lambda: strategy, space, 10) if trial.number not in (3, 8)]
    for restarted in (strategy, GridSearch()):
        proposals = restarted.propose(space, known, [], 0, 4)
        assert [proposal.candidate for proposal in proposals] == [order[i] for i in (3, 8, 10, 11)]


@pytest.mark.parametrize("small", [grid.SMALL, 0])
def test_each_function_once(small, monkeypatch):
    monkeypatch.setattr(grid, "SMALL", small)
    space = toys.cells()
    proposals = GridSearch().propose(space, [], [], 0, 250)
    assert len(proposals) == len(allowed_keys(space)) < space.size
    assert {space.key(proposal.candidate) for proposal in proposals} == allowed_keys(space)


def test_a_small_space_is_shuffled_evenly():
    space = settings(x=list(range(30)), y=[0, 1])
    orders = [taken(space, seed, 60) for seed in range(20)]
    assert all(set(order) == set(product(range(30), range(2))) for order in orders)
    assert len({order[0] for order in orders}) > 10
    assert 0.3 < sum(y for order in orders for _, y in order[:20]) / 400 < 0.7


@pytest.mark.parametrize("seed", range(3))
def test_a_large_space_is_counted_through_from_the_first_choice_on(seed):
    space = toys.layers()
    proposals = GridSearch().propose(space, [], [], seed, 4 * 3 * 4 * 5)
    first = [tuple(proposal.candidate.architecture.values())[:3] for proposal in proposals]
    for start in range(0, len(first), 48):
        assert len(set(first[start : start + 48])) == 48, "every combination of the first three choices"
    for start in range(0, len(first), 4):
        assert len({width for width, *_ in first[start : start + 4]}) == 4, "every option of the first"
    last = Counter(proposal.candidate.recipe["learning_rate"] for proposal in proposals)
    assert all(30 < count < 90 for count in last.values()), "what is not counted through yet is as good as random"
    assert len(last) == 4


def test_combinations_of_later_choices_are_shuffled_anew_for_each_of_the_earlier():
    space = settings(x=[0, 1], y=list(range(200)), z=list(range(200)))
    assert space.size > grid.SMALL
    first, second = ({(y, z) for x, y, z in taken(space, 0, 200) if x == option} for option in (0, 1))
    assert len({y for y, _ in first}) == len({y for y, _ in second}) == 100, "none twice before all were taken"
    assert len(first & second) < 10
    assert len({z for _, z in first}) > 50


def test_a_large_space_is_gone_through_to_its_end(monkeypatch):
    monkeypatch.setattr(grid, "SMALL", 999)
    space = settings(x=list(range(40)), y=list(range(25)))
    assert len(set(taken(space, 0, 2_000))) == space.size


def test_a_space_too_large_to_list_is_walked():
    space = settings(**{f"x{i}": list(range(10)) for i in range(40)})
    assert len(set(taken(space, 0, 50))) == 50


@pytest.mark.parametrize(("barren", "everything"), [(1, False), (60, True)])
def test_the_order_of_a_large_space_ends_where_so_many_places_in_a_row_bring_nothing(barren, everything, monkeypatch):
    """Of 250 candidates 130 are copies of others or cannot be built, never more than 59 of them in a row."""
    monkeypatch.setattr(grid, "SMALL", 0)
    monkeypatch.setattr(grid, "BARREN", barren)
    space = toys.cells()
    found = GridSearch().propose(space, [], [], 0, 250)
    assert len(found) == len(allowed_keys(space)), "what the order leaves out is drawn"
    assert all(proposal.origin == "grid" for proposal in found) == everything
    assert GridSearch().propose(toys.impossible(), [], [], 0, 3) == []


def test_limits_that_forbid_all_the_beginning_of_the_order_do_not_end_the_search():
    space = replace(toys.small_layers(), most_parameters=600)
    strategy = GridSearch()
    run = simulate(lambda: strategy, space, 10)  # the simulation checks that every proposal is allowed and new
    assert len(run) == 10 and {trial.origin for trial in run} == {"random"}
    [proposal] = GridSearch().propose(space, run[:4], [], 0, 1)
    assert proposal.candidate == run[4].candidate


def test_options_of_what_is_not_always_there_are_all_reached(monkeypatch):
    monkeypatch.setattr(grid, "SMALL", 0)
    long = Chain(dense(Choice("width", [8, 16, 32])), dense(8), name="long")
    space = JointSpace(Space(Chain(Choice("op", [dense(8, called="short"), long]), head())), toys.rates(2))
    proposals = GridSearch().propose(space, [], [], 0, 20)
    assert len(proposals) == 8
    assert {proposal.candidate for proposal in proposals} == set(space.enumerate())
