"""Mutation, crossover and neighbours, over random spaces."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy.stats import chisquare

from archwise.errors import SpaceError
from archwise.signature import Signature
from archwise.spaces import Architecture, Candidate, Chain, Choice, JointSpace, Repeat, Settings, Space, identity
from archwise.spaces.parts import dense, head, relu
from archwise.spaces.ready import READY

from .random_spaces import SEEDS, TABLE, members, spaces


def changed(before: Architecture, after: Architecture) -> list[str]:
    """The choices that both records make, differently."""
    return [path for path in before if path in after and (before[path], 0) != (after[path], 0)]


@given(members(), SEEDS)
@settings(deadline=None)
def test_mutation_changes_one_active_choice_and_stays_inside(drawn: tuple[Space, Architecture], seed: int) -> None:
    space, architecture = drawn
    if not any(len(decision.allowed) > 1 for decision in space.decisions(architecture)):
        with pytest.raises(SpaceError, match="no choice left to mutate"):
            space.mutate(architecture, seed)
        return
    mutant = space.mutate(architecture, seed)
    assert mutant in space and mutant == space.mutate(architecture, seed)
    assert len(changed(architecture, mutant)) == 1


@given(members(most=60))
@settings(max_examples=60, deadline=None)
def test_neighbours_are_exactly_the_single_mutations(drawn: tuple[Space, Architecture]) -> None:
    space, architecture = drawn
    neighbours = list(space.neighbours(architecture))
    brute = {other for other in space.enumerate() if len(changed(architecture, other)) == 1}
    assert len(neighbours) == len(set(neighbours)) and set(neighbours) == brute
    if neighbours:
        mutants = {space.mutate(architecture, seed) for seed in range(60 * len(neighbours))}
        assert mutants <= brute
        assert mutants == brute or len(neighbours) > 12  # each of up to 12 comes up, but for a chance below 1e-3


def test_mutation_picks_choices_and_options_uniformly_and_samples_what_opens() -> None:
    op = Choice("op", [identity(called="none"), dense(Choice("width", [1, 2, 3, 4]), called="dense"), relu()])
    space = Space(Chain(op, dense(Choice("last", [5, 6, 7]), called="last"), head()))
    start = Architecture({"op": "none", "last/last": 5})
    rng = np.random.default_rng(1)
    found = Counter(space.mutate(start, rng) for _ in range(6000))
    shares = {
        Architecture({"op": "none", "last/last": 6}): 1 / 4,
        Architecture({"op": "none", "last/last": 7}): 1 / 4,
        Architecture({"op": "activation(relu)", "last/last": 5}): 1 / 4,
    }
    for width in (1, 2, 3, 4):
        shares[Architecture({"op": "dense", "op=dense/width": width, "last/last": 5})] = 1 / 16
    assert found.keys() == shares.keys()
    assert chisquare([found[a] for a in shares], [6000 * share for share in shares.values()]).pvalue > 1e-4


@given(spaces(), SEEDS, SEEDS, SEEDS)
@settings(deadline=None)
def test_crossover_stays_inside_and_takes_what_the_parents_took(space: Space, one: int, two: int, seed: int) -> None:
    first, second = space.sample(one), space.sample(two)
    child = space.cross(first, second, seed)
    assert child in space and child == space.cross(first, second, seed)
    for path, label in child.items():
        made = [parent[path] for parent in (first, second) if path in parent]
        assert not made or label in made
    assert space.cross(first, first, seed) == first


def test_crossover_tosses_a_fair_coin_for_each_choice() -> None:
    space = Space(Settings(**{name: Choice(name, [0, 1, 2]) for name in "abc"}))
    first, second = Architecture(dict.fromkeys("abc", 0)), Architecture(dict.fromkeys("abc", 2))
    rng = np.random.default_rng(0)
    found = Counter(space.cross(first, second, rng) for _ in range(4000))
    assert len(found) == 8 and chisquare(list(found.values())).pvalue > 1e-4


def test_crossover_decides_what_neither_parent_met() -> None:
    copies = Choice("copies", [1, 2], shared=True)
    stage = Repeat(dense(Choice("width", [3, 4])), copies, tied=False)
    space = Space(Chain(Choice("stage", [Chain(name="no"), Chain(stage, name="yes")]), Repeat(relu(), copies), head()))
    first = Architecture({"stage": "yes", "/copies": 1, "stage=yes/0/width": 4})
    second = Architecture({"stage": "no", "/copies": 2})
    children = {space.cross(first, second, seed) for seed in range(60)}
    both = [c for c in children if len(c) == 4]
    assert {c["stage=yes/1/width"] for c in both} == {3, 4} and {c["stage=yes/0/width"] for c in both} == {4}
    assert all(child in space for child in children) and second in children


def test_foreign_parents_are_refused() -> None:
    space, foreign = READY["mlp"](), READY["cell"]().default
    for move in (
        lambda: space.mutate(foreign, 0),
        lambda: space.cross(space.default, foreign, 0),
        lambda: list(space.neighbours(foreign)),
    ):
        with pytest.raises(SpaceError, match="does not say what it takes at"):
            move()


@given(members(), SEEDS)
@settings(deadline=None)
def test_mutation_of_a_level_leaves_the_others(drawn: tuple[Space, Architecture], seed: int) -> None:
    space, architecture = drawn
    decisions = {d.path: d for d in space.decisions(architecture)}
    assert {d.choice.level for d in decisions.values()} <= set(space.levels)
    for level in space.levels:
        if any(d.choice.level == level and len(d.allowed) > 1 for d in decisions.values()):
            path = changed(architecture, space.mutate(architecture, seed, levels=[level]))[0]
            assert decisions[path].choice.level == level
        else:
            with pytest.raises(SpaceError, match="no choice left to mutate"):
                space.mutate(architecture, seed, levels=[level])


@given(members(most=12), members(most=12), SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_network_and_its_recipe_move_as_one(
    net: tuple[Space, Architecture], other: tuple[Space, Architecture], seed: int
) -> None:
    recipe = Space(Settings(rate=Choice("rate", [0.1, 0.2]), kind=Choice("kind", [Settings("a"), Settings("b")])))
    space = JointSpace(net[0], recipe, TABLE)
    candidate = space.sample(seed)
    every = list(space.enumerate())
    assert len(every) == len(set(every)) == space.size and candidate in space and candidate in every
    mutant = space.mutate(candidate, seed)
    assert mutant in space
    assert len(changed(candidate.architecture, mutant.architecture) + changed(candidate.recipe, mutant.recipe)) == 1
    neighbours = list(space.neighbours(candidate))
    assert mutant in neighbours and len(neighbours) == len(set(neighbours))
    assert set(neighbours) == {
        c
        for c in every
        if len(changed(candidate.architecture, c.architecture) + changed(candidate.recipe, c.recipe)) == 1
    }
    child = space.cross(candidate, mutant, seed)
    assert child in space and child in (candidate, mutant, *neighbours)
    assert space.allows(candidate) == (net[0].check(candidate.architecture, TABLE) is None)
    assume(other[1] not in net[0])
    assert Candidate(other[1], candidate.recipe) not in space and other[1] not in space


def test_one_coin_covers_network_and_recipe() -> None:
    network = Space(Chain(dense(Choice("width", [1, 2])), head()))
    recipe = Space(Settings(**{name: Choice(name, [0, 1]) for name in "abc"}))
    space = JointSpace(network, recipe, Signature((3,), 2, "table"))
    rng = np.random.default_rng(3)
    same = sum(space.mutate(space.default, rng).architecture == network.default for _ in range(2000))
    assert 0.70 < same / 2000 < 0.80  # three of four choices are the recipe's
    assert space.mutate(space.default, 0, levels=["network"]) != space.default
    with pytest.raises(SpaceError, match="leave no choice to mutate"):
        space.mutate(space.default, 0, levels=["nothing"])
