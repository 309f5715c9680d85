"""Spaces in which one level of choices is open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contracts import toys

from archwise.errors import SpaceError
from archwise.evaluators.recipe import training_recipe
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
from archwise.spaces.architecture import Candidate
from archwise.spaces.cell import cell, nasbench201
from archwise.spaces.cnn import cnn, conv1d
from archwise.spaces.levels import level_space, levels_of
from archwise.spaces.mlp import mlp
from archwise.spaces.parts import dense, head

SPACES = {
    "cnn": JointSpace(cnn(), training_recipe("image"), Signature((3, 32, 32), 10, "image")),
    "conv1d": JointSpace(conv1d(), training_recipe("series")),
    "cell": JointSpace(cell(), training_recipe("image")),
    "mlp": JointSpace(mlp(), training_recipe("table")),
}


def test_the_levels_of_the_ready_made_spaces():
    assert {name: levels_of(space) for name, space in SPACES.items()} == {
        "cnn": ("macro", "network", "cell", "recipe"),
        "conv1d": ("macro", "network", "cell", "recipe"),
        "cell": ("macro", "cell", "recipe"),
        "mlp": ("network", "recipe"),
    }
    assert levels_of(JointSpace(nasbench201(), Space(Settings(epochs=200)))) == ("cell",)


@pytest.mark.parametrize("name", SPACES)
def test_only_one_level_is_open_and_all_of_it(name: str):
    space = SPACES[name]
    for level in levels_of(space):
        for seed in range(8):
            base = space.sample(seed)
            inside = level_space(space, level, base)
            assert base in inside
            assert inside.key(base) == space.key(base)
            seen = set()
            for draw in range(30):
                drawn = inside.sample(draw)
                assert drawn in space
                assert inside.allows(drawn) == space.allows(drawn)
                seen.add(drawn)
                for d in space.network.decisions(drawn.architecture):
                    if d.choice.level != level:
                        taken = base.architecture.get(d.path, d.choice.labels[d.choice.default])
                        assert d.label == taken, (level, d.path)
                assert level == "recipe" or drawn.recipe == base.recipe
            assert len(seen) == 1 if inside.size == 1 else len(seen) > 1


@pytest.mark.parametrize("name", ["cell", "mlp"])
def test_its_candidates_are_those_of_the_whole_that_differ_at_the_level_alone(name: str):
    space = SPACES[name]
    base = space.sample(3)
    recipes = level_space(space, "recipe", base)
    assert recipes.size == space.recipe.size == len(list(recipes.enumerate()))
    macro = levels_of(space)[0]
    inside = level_space(space, macro, base)
    other = next(c for c in map(space.sample, range(50)) if c.recipe != base.recipe)
    assert other not in inside
    assert Candidate(other.architecture, base.recipe) in level_space(space, macro, other._replace(recipe=base.recipe))


def test_what_a_user_has_fixed_stays_fixed():
    network = Space(
        Chain(dense(Choice("width", [8, 16, 32], level="macro")), dense(Choice("inner", [8, 16, 32])), head())
    )
    space = JointSpace(network.fix({"width": [16, 32], "inner": 32}), Space(Settings(rate=Choice("rate", [0.1, 0.2]))))
    inside = level_space(space, "macro", space.default)
    assert {c.architecture["width"] for c in inside.enumerate()} == {16, 32}
    assert {c.architecture["inner"] for c in inside.enumerate()} == {32}


@pytest.mark.parametrize("limits", [{"most_parameters": 8_000}, {"most_flops": 1e6}])
def test_a_level_is_within_the_limits_of_the_whole(limits: dict[str, float]):
    space = replace(SPACES["cnn"], **limits)
    assert not space.allows(space.default) and space.allowed_default is not None
    for level in levels_of(space):
        inside = level_space(space, level, space.allowed_default)
        assert (inside.most_parameters, inside.most_flops) == (space.most_parameters, space.most_flops)
        drawn = [inside.sample(seed) for seed in range(10)]
        assert len(set(drawn)) > 1 and all(map(space.allows, drawn)), level


def test_where_no_choice_of_the_network_is_open_nothing_is_brought_nearer_to_the_limits():
    space = replace(SPACES["cnn"], most_parameters=8_000, most_flops=7e4)
    recipes = level_space(space, "recipe", space.default)
    assert {recipes.sample(seed).architecture for seed in range(5)} == {space.default.architecture}


def test_the_allowed_default_is_the_default_or_near_it_or_none():
    space = SPACES["cnn"]
    assert space.allowed_default == space.default
    limited = toys.small_layers()
    assert limited.allows(limited.allowed_default)
    assert replace(limited, most_parameters=10).allowed_default is None
    assert toys.impossible().allowed_default is None


def test_an_unknown_level_or_candidate_is_refused():
    space = SPACES["mlp"]
    with pytest.raises(SpaceError, match="no level 'cell': take some of 'network', 'recipe'"):
        level_space(space, "cell", space.default)
    with pytest.raises(SpaceError):
        level_space(space, "recipe", SPACES["cell"].default)
