"""Smaller spaces: fix, exclude and freeze hold in every view."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archwise.errors import SpaceError
from archwise.spaces import Architecture, Chain, Choice, Repeat, Settings, Space, identity
from archwise.spaces.occurrences import occurrences
from archwise.spaces.parts import dense, head, relu
from archwise.spaces.ready import READY

from .random_spaces import SEEDS, members, spaces


def check_views(small: Space, inside: Callable[[Architecture], bool], whole: Space) -> None:
    """Every view of `small` must show exactly the members of `whole` for which `inside` holds."""
    expected = [a for a in whole.enumerate() if inside(a)]
    assert list(small.enumerate()) == expected and small.size == len(expected) > 0
    assert all((a in small) == inside(a) for a in whole.enumerate())
    assert inside(small.default)
    rng = np.random.default_rng(0)
    for _ in range(10):
        first, second = small.sample(rng), small.sample(rng)
        assert inside(first) and inside(small.cross(first, second, rng))
        neighbours = set(small.neighbours(first))
        assert neighbours == {a for a in whole.neighbours(first) if inside(a)}
        if neighbours:
            assert small.mutate(first, rng) in neighbours
        assert small.graph(first) == whole.graph(first)
        for decision in small.decisions(first):
            assert decision.index in decision.allowed
    assert (small.hash == whole.hash) == (small.describe()["limits"] == {})


@given(spaces(most=100), st.data())
@settings(max_examples=80, deadline=None)
def test_fixed_and_excluded_options_hold_in_every_view(space: Space, data: st.DataObject) -> None:
    paths = dict(occurrences(space.root))
    assume(paths)
    path = data.draw(st.sampled_from(sorted(paths)))
    labels = data.draw(st.lists(st.sampled_from(paths[path].labels), min_size=1, unique=True))
    fixed = space.fix({path: labels})
    check_views(fixed, lambda a: path not in a or a[path] in labels, space)
    assert fixed.fix({path: labels}).hash == space.fix({path: list(reversed(labels))}).hash == fixed.hash
    rest = [label for label in paths[path].labels if label not in labels]
    if rest:
        excluded = space.exclude({path: labels})
        check_views(excluded, lambda a: path not in a or a[path] not in labels, space)
        assert excluded.hash == space.fix({path: rest}).hash
    else:
        with pytest.raises(SpaceError, match="no option would be left open"):
            space.exclude({path: labels})


@given(members(most=100), SEEDS)
@settings(max_examples=60, deadline=None)
def test_frozen_levels_hold_in_every_view(drawn: tuple[Space, Architecture], seed: int) -> None:
    space, architecture = drawn
    for level in space.levels:
        frozen = {d.path: d.label for d in space.decisions(architecture) if d.choice.level == level}
        smaller = space.freeze(architecture, [level])
        check_views(smaller, lambda a, f=frozen: all(a[p] == f[p] for p in f if p in a), space)
        assert smaller.freeze(architecture, level).hash == smaller.hash
    if space.levels:
        assert architecture in space.freeze(architecture, space.levels)


def widths() -> Space:
    width, inner = Choice("width", [1, 2, 3]), Choice("width", [2, 3, 4])
    return Space(Chain(dense(width), Chain(dense(inner), name="stage"), Chain(dense(inner), name="a[1]"), head()))


def open_at(space: Space, path: str) -> list[Any]:
    choice = dict(occurrences(space.root))[path]
    return [choice.labels[i] for i in space._limits.allowed(path, choice)]


def test_a_path_is_one_choice_a_name_several_and_a_pattern_those_that_fit() -> None:
    space = widths()
    assert open_at(space.fix({"width": 1}), "width") == [1]
    assert open_at(space.fix({"width": 1}), "stage/width") == [2, 3, 4]
    assert open_at(space.exclude({"width": 2}), "stage/width") == [2, 3, 4]
    frozen = space.freeze(Architecture({"width": 2, "stage/width": 4, "a[1]/width": 3}), ["network"])
    assert [dict(a) for a in frozen.enumerate()] == [{"width": 2, "stage/width": 4, "a[1]/width": 3}]
    assert open_at(space.fix({"a[1]/width": [2, 3]}), "a[1]/width") == [2, 3]
    assert open_at(space.fix({"stage/*": 2}), "stage/width") == [2]
    assert space.fix({"*width": [2, 3]}).size == 8
    net = READY["cnn"]().fix({"skip": True, "stage[12]/depth": [1, 2]})
    assert open_at(net, "stage1/skip") == open_at(net, "stage2/skip") == [True]
    assert open_at(net, "stage2/depth") == [1, 2]


def test_later_limits_narrow_earlier_ones() -> None:
    space = widths().fix({"width": [1, 2]})
    assert open_at(space.exclude({"width": 1}), "width") == [2]
    assert widths().fix({"width": [1, 2]}).size == 18 and space.size == 18 and widths().size == 27
    with pytest.raises(SpaceError, match=r"At the choice 'width' 3 is not open: choose among \[1, 2\]"):
        space.fix({"width": 3})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"depth": 1}, "No choice fits 'depth'; there are 'width', 'stage/width'"),
        ({"width": 9}, r"At the choice 'width' 9 is not open: choose among \[1, 2, 3\]"),
        ({"width": 1.0}, "1.0 is not open"),
        ({"width": True}, "True is not open"),
        ({"width": []}, "no option would be left open"),
        ({"*": 1}, "At the choice 'stage/width' 1 is not open"),
    ],
)
def test_limits_that_fit_nothing_are_named(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        widths().fix(limits)


def test_freezing_an_unknown_level_is_refused() -> None:
    space = READY["cell"]()
    assert space.levels == ("macro", "cell")
    with pytest.raises(SpaceError, match=r"no level 'micro': take some of \('macro', 'cell'\)"):
        space.freeze(space.default, ["micro"])


def test_macro_before_micro() -> None:
    space = READY["cell"]()
    macro = space.freeze(space.default, ["cell"])
    assert macro.size == 3 * 3
    best = macro.sample(1)
    micro = space.freeze(best, ["macro"])
    assert micro.size == 5**6 and all(micro.sample(s)["width"] == best["width"] for s in range(5))


def test_options_that_limits_close_are_not_reached_by_defaults_or_crossing() -> None:
    space = Space(Settings(x=Choice("x", [0, 1, 2], default=2), y=Choice("y", ["a", "b"])))
    small = space.exclude({"x": 2})
    assert small.default == Architecture({"x": 0, "y": "a"})
    with pytest.raises(SpaceError, match="2 is not open at 'x'"):
        small.cross(space.default, small.default, 0)


def test_a_space_is_described_as_json_with_its_limits() -> None:
    space = Space(Chain(Repeat(Choice("op", [relu(), identity()]), Choice("times", [1, 2])), head()))
    text = json.dumps(space.fix({"times": 2}).describe())
    assert json.loads(text)["limits"] == {"times": [2]} and '"op"' in text
    assert space.hash != Space(Chain(Repeat(Choice("op", [relu(), identity()]), Choice("times", [1, 3])), head())).hash
