"""The features view: vectors that surrogates can learn from."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

from archwise.signature import Signature
from archwise.spaces import Architecture, Chain, Choice, Space, zero
from archwise.spaces.parts import dense, head
from archwise.spaces.ready import READY

from .random_spaces import TABLE, members

SIGNATURES = {
    "mlp": Signature((10,), 3, "table"),
    "cnn": Signature((1, 16, 16), 10, "image"),
    "conv1d": Signature((3, 40), 4, "series"),
    "cell": Signature((1, 8, 8), 10, "image"),
}


@given(members(most=10**9), members(most=10**9))
@settings(max_examples=60, deadline=None)
def test_vectors_have_one_length_and_are_finite(
    one: tuple[Space, Architecture], two: tuple[Space, Architecture]
) -> None:
    vectors = [space.features(architecture, TABLE) for space, architecture in (one, two)]
    assert vectors[0].shape == vectors[1].shape == (198,) and np.isfinite(vectors).all()
    assert np.array_equal(vectors[0], one[0].features(one[1], TABLE))
    if one[0].key(one[1]) == two[0].key(two[1]):
        assert np.allclose(vectors[0], vectors[1])


@pytest.mark.parametrize("name", SIGNATURES)
def test_different_graphs_mostly_have_different_vectors(name: str) -> None:
    space, signature = READY[name](), SIGNATURES[name]
    drawn = {space.key(a): a for a in (space.sample(seed) for seed in range(20 if name == "mlp" else 12))}
    vectors = {tuple(np.round(space.features(a, signature), 9)) for a in drawn.values()}
    assert len(vectors) >= 0.95 * len(drawn) > 9


def test_vectors_see_sizes_and_costs() -> None:
    space = Space(Chain(dense(Choice("width", [4, 8, 16, 64])), head()))
    vectors = np.array([space.features(a, TABLE) for a in space.enumerate()])
    assert (np.diff(vectors[:, -6]) > 0).all()  # log10 of the parameters
    assert vectors[:, -1].tolist() == [2.0, 3.0, 4.0, 6.0]  # log2 of the widest layer
    assert vectors[0, -3:-1].tolist() == [2.0, 4.0]  # depth and vertices
    closest = np.abs(vectors[:, :-6] - vectors[1, :-6]).sum(axis=1)
    assert closest[0] < closest[3]


def test_what_cannot_be_built_has_a_vector_too() -> None:
    space = Space(Chain(Choice("op", [zero(), dense(3)]), head()))
    vector = space.features(Architecture({"op": "zero"}), TABLE)
    assert np.isfinite(vector).all() and not vector[-6:-3].any()


PROGRAM = """
from archwise.signature import Signature
from archwise.spaces.ready import READY
space = READY["conv1d"]()
for seed in range(3):
    a = space.sample(seed)
    print(space.key(a), space.hash, space.features(a, Signature((3, 40), 4, "series")).tolist(), dict(a))
"""


@pytest.mark.slow
def test_hashes_and_vectors_are_those_of_every_process() -> None:
    """Python's own hash of texts differs from process to process; nothing here may depend on it."""
    outputs = []
    for salt in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": salt}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] and len(outputs[0].splitlines()) == 3
