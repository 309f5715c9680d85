"""Settings: the recipe as a space in the same language."""

from __future__ import annotations

import json

import numpy as np
import pytest
from torch import nn

from archwise.errors import SpaceError
from archwise.spaces import Architecture, Chain, Choice, Settings, Space
from archwise.spaces.parts import relu


def recipe() -> Space:
    rate = Choice("learning_rate", np.array([0.01, 0.1]), default=0.1)
    adam = Settings("adam", learning_rate=rate, decay=Choice("decay", [0.0, 0.5]))
    sgd = Settings("sgd", learning_rate=0.3, momentum=Choice("momentum", [True, False]))
    return Space(Settings(optimizer=Choice("optimizer", [adam, sgd]), epochs=np.int64(3), sizes=[1, 2]), "recipe")


def test_values_stand_side_by_side() -> None:
    space = recipe()
    assert space.size == 4 + 2 and len({space.key(a) for a in space.enumerate()}) == 6
    values = space.values(space.default)
    assert values == {"optimizer": "adam", "learning_rate": 0.1, "decay": 0.0, "epochs": 3, "sizes": [1, 2]}
    assert json.loads(json.dumps(values)) == values
    second = space.values(Architecture({"optimizer": "sgd", "optimizer=sgd/momentum": False}))
    assert second == {"optimizer": "sgd", "learning_rate": 0.3, "momentum": False, "epochs": 3, "sizes": [1, 2]}


def test_equal_values_are_one_recipe() -> None:
    twice = Choice("way", [Settings("a", rate=Choice("rate", [0.1, 0.2])), Settings("b", rate=0.1)])
    space = Space(Settings(way=twice))
    assert len({space.key(a) for a in space.enumerate()}) == 3  # the way is a value as well
    plain = Space(Settings(rate=Choice("rate", [0.1, 0.2])))
    other = Space(Settings(rate=Choice("learning rate", [0.2, 0.1])))
    assert {plain.key(a) for a in plain.enumerate()} == {other.key(a) for a in other.enumerate()}


def test_what_is_no_setting_is_refused() -> None:
    optimizer = Choice("optimizer", [Settings("adam", rate=0.1), Settings("sgd", rate=0.2)])
    with pytest.raises(SpaceError, match="Two settings are called 'rate': rename one"):
        Settings(rate=0.3, optimizer=optimizer)
    with pytest.raises(SpaceError, match="Two settings are called 'rate'"):
        Settings(optimizer=optimizer, other=Choice("other", [Settings("x", rate=1)]))
    for wrong in (nn.ReLU, object(), float("nan"), Choice("part", [relu()])):
        with pytest.raises(SpaceError, match="as the setting 'act': it takes finite numbers"):
            Settings(act=wrong)
    with pytest.raises(SpaceError, match="is no part of a network"):
        Chain(3)
