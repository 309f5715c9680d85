"""Records, sampling, enumeration and exact sizes, over random spaces."""

from __future__ import annotations

import copy
import json
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import chisquare

from archwise.errors import SpaceError
from archwise.spaces import Architecture, Cell, Chain, Choice, Repeat, Residual, Settings, Shared, Space, Sum, identity
from archwise.spaces.parts import activation, dense, head, relu
from archwise.spaces.ready import READY

from .random_spaces import SEEDS, members, spaces


@given(members(), SEEDS)
def test_records_round_trip_through_json_and_compare_by_content(drawn: tuple[Space, Architecture], seed: int) -> None:
    space, architecture = drawn
    text = json.dumps(architecture.to_json(), sort_keys=True, allow_nan=False)
    again = Architecture.from_json(json.loads(text))
    assert again == architecture and hash(again) == hash(architecture) and again in space
    assert copy.deepcopy(architecture) == architecture and pickle.loads(pickle.dumps(architecture)) == architecture
    other = space.sample(seed)
    assert (other == architecture) == (dict(other) == dict(architecture))
    assert len({other, architecture}) == (1 if other == architecture else 2)


def test_labels_of_different_types_are_different() -> None:
    records = [Architecture({"x": label}) for label in (1, 1.0, True, "1")]
    assert len(set(records)) == 4 and all(a != b for i, a in enumerate(records) for b in records[:i])
    assert all(Architecture.from_json(json.loads(json.dumps(a.to_json()))) == a for a in records)
    mixed = Space(Settings(x=Choice("x", [False, 2, 0.5, "1", True])))
    assert [dict(a)["x"] for a in mixed.enumerate()] == [False, 2, 0.5, "1", True]
    assert mixed.size == 5 and Architecture({"x": 1}) not in mixed and Architecture({"x": "1"}) in mixed


@pytest.mark.parametrize("label", [float("nan"), float("inf"), None, [1], np.float32(1)])
def test_records_hold_plain_labels_alone(label: Any) -> None:
    with pytest.raises(SpaceError, match="words, finite numbers and truth values"):
        Architecture({"x": label})


def test_numbers_of_numpy_become_plain() -> None:
    space = Space(Settings(rate=Choice("rate", np.logspace(-3, -1, 3)), units=Choice("units", np.array([16, 32]))))
    architecture = space.sample(0)
    assert {type(label) for label in architecture.values()} == {int, float}
    assert Architecture.from_json(json.loads(json.dumps(architecture.to_json()))) in space


@given(spaces())
@settings(max_examples=150, deadline=None)
def test_enumeration_has_the_exact_size_and_no_duplicates(space: Space) -> None:
    every = list(space.enumerate())
    assert len(every) == len(set(every)) == space.size
    assert all(architecture in space for architecture in every)
    assert {space.sample(seed) for seed in range(30)} | {space.default} <= set(every)


def test_sizes_known_by_hand() -> None:
    width = Choice("width", [1, 2, 3])
    assert Space(dense(width)).size == 3
    assert Space(Repeat(dense(width), 4)).size == 3  # tied
    assert Space(Repeat(dense(width), 4, tied=False)).size == 3**4
    assert Space(Repeat(dense(width), Choice("times", [0, 1, 3]))).size == 1 + 3 + 3
    assert Space(Repeat(dense(width), Choice("times", [0, 1, 3]), tied=False)).size == 1 + 3 + 27
    assert Space(Cell(Choice("nodes", [2, 3]), dense(width))).size == 3 + 27
    assert Space(Residual(dense(width), when=Choice("when", [True, False]))).size == 6
    conditional = Choice("op", [identity(called="none"), dense(width, called="dense"), relu()])
    assert Space(Sum(conditional, conditional)).size == 25
    once = Choice("act", ["relu", "tanh"], shared=True)
    assert Space(Chain(activation(once), dense(width), activation(once))).size == 6
    under = Choice("op", [identity(called="none"), activation(once, called="act")])
    assert Space(Sum(under, under)).size == 1 + 2 + 2 + 2  # the shared choice counts where it is met, and once
    part = Shared(Chain(dense(width), Choice("op", [relu(), identity()])), "part")
    assert Space(Chain(part, part, part)).size == 6
    copies = Choice("copies", [1, 2, 3], shared=True)
    stage = Repeat(dense(width), copies, tied=False)
    assert Space(Sum(stage, stage)).size == sum((3**n) ** 2 for n in (1, 2, 3))
    optional = Choice("stage", [identity(called="no"), Chain(stage, name="yes")])
    assert Space(Sum(optional, optional)).size == 1 + 2 * (3 + 9 + 27) + (9 + 81 + 729)


def test_sizes_stay_exact_when_they_are_astronomic() -> None:
    space = Space(Repeat(dense(Choice("width", [1, 2, 3])), 500, tied=False))
    assert space.size == 3**500
    assert len(space.sample(0)) == 500


def _uniform(counts: Counter[Any], options: int) -> bool:
    """Whether counts fit equally likely options: a false alarm is rarer than one in ten thousand."""
    return len(counts) == options and (options == 1 or chisquare(list(counts.values())).pvalue > 1e-4)


def test_sampling_is_uniform_over_the_options_of_every_choice_that_is_met() -> None:
    inner = dense(Choice("width", [1, 2, 3, 4, 5]), called="dense")
    op = Choice("op", [identity(called="none"), inner, relu()])
    copies = Repeat(op, Choice("times", [0, 1, 2]), tied=False, name="stage")
    space = Space(Chain(copies, activation(Choice("act", ["relu", "tanh", "gelu", "silu"], shared=True)), head()))
    rng = np.random.default_rng(5)
    taken: dict[str, Counter[Any]] = {}
    for _ in range(6000):
        for path, label in space.sample(rng).items():
            taken.setdefault(path, Counter())[label] += 1
    options = {"/act": 4, "stage/times": 3}
    for copy_ in (0, 1):
        options |= {f"stage/{copy_}/op": 3, f"stage/{copy_}/op=dense/width": 5}
    assert taken.keys() == options.keys()
    assert all(_uniform(taken[path], options[path]) for path in options), taken
    # uniform over options, not over architectures: no copy is as likely as one and as two
    assert 0.30 < taken["stage/times"][0] / 6000 < 0.37 and space.size == 4 * (1 + 7 + 49)


@given(spaces(), SEEDS)
def test_sampling_depends_on_the_seed_alone(space: Space, seed: int) -> None:
    assert space.sample(seed) == space.sample(seed)
    rng = np.random.default_rng(seed)
    assert space.sample(rng) == space.sample(seed)


@given(members())
def test_what_is_no_member_is_named(drawn: tuple[Space, Architecture]) -> None:
    space, architecture = drawn
    with pytest.raises(SpaceError, match="no active choice 'nonsense'"):
        space.decisions(Architecture({**architecture, "nonsense": 1}))
    for path in architecture:
        less = Architecture({p: label for p, label in architecture.items() if p != path})
        with pytest.raises(SpaceError, match=r"does not say what it takes at|has no active choice"):
            space.decisions(less)
        with pytest.raises(SpaceError, match=r"'no such option' is not open at .* take one of"):
            space.decisions(Architecture({**architecture, path: "no such option"}))
        assert less not in space
    assert {"not": "an architecture"} not in space


@pytest.mark.parametrize("name", READY)
def test_ready_made_spaces_sample_their_members(name: str) -> None:
    space = READY[name]()
    assert space.default in space
    drawn = {space.sample(seed) for seed in range(40)}
    assert len(drawn) >= 25 and all(a in space for a in drawn)
    assert space.hash == READY[name]().hash and space.hash != READY["mlp" if name != "mlp" else "cnn"]().hash
