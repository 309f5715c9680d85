"""Options that are written as text mean the options of the spaces."""

from __future__ import annotations

import pytest

from archwise.errors import SpaceError
from archwise.evaluators.recipe import training_recipe
from archwise.limits import limit_spaces
from archwise.spaces.occurrences import occurrences
from archwise.spaces.ready import READY, ready_space

RECIPES = [training_recipe("table", imbalanced=True), training_recipe("image"), training_recipe("series", False)]


@pytest.mark.parametrize("name", READY)
def test_every_option_of_every_space_can_be_fixed_by_its_text(name: str) -> None:
    for space in [ready_space(name), *RECIPES]:
        for path, choice in list(occurrences(space.root))[:12]:
            for label in choice.labels:
                [fixed] = limit_spaces([space], {path: str(label).lower()}, {})
                if path in fixed.default:
                    assert fixed.default[path] == label and type(fixed.default[path]) is type(label)


def test_a_pattern_is_applied_where_it_fits() -> None:
    network, recipe = limit_spaces([ready_space("mlp"), RECIPES[0]], {"batch_size": ["32", "64"]}, {"depth": 0})
    assert network.size < ready_space("mlp").size
    assert recipe.size * 2 == RECIPES[0].size
    assert {recipe.sample(seed)["batch_size"] for seed in range(20)} == {32, 64}


def test_numbers_are_compared_by_value() -> None:
    [recipe] = limit_spaces([RECIPES[0]], {"optimizer=adamw/learning_rate": "1e-3", "optimizer": "adamw"}, {})
    assert recipe.sample(0)["optimizer=adamw/learning_rate"] == 0.001


@pytest.mark.parametrize(
    ("fix", "exclude", "named"),
    [
        ({"dpeth": "1"}, {}, "did you mean 'depth'"),
        ({"colour": "1"}, {}, "depth, "),
        ({"depth": "99"}, {}, "'99'"),
        ({"depth": "1"}, {"depth": "1"}, "no option"),
    ],
)
def test_what_does_not_fit_is_named(fix: dict[str, str], exclude: dict[str, str], named: str) -> None:
    with pytest.raises(SpaceError, match=named):
        limit_spaces([ready_space("mlp"), RECIPES[0]], fix, exclude)
