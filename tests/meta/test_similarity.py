"""Weights of past tasks by their resemblance to a new one."""

from __future__ import annotations

import time

import numpy as np
import pytest

from archwise.meta.similarity import similarity


def tasks(count: int, *centers: float) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    return [{f"n{i}": center + rng.normal() for i in range(10)} for center in centers for _ in range(count)]


def test_nearer_tasks_weigh_more_whatever_the_units() -> None:
    past = tasks(5, 0.0, 3.0)
    new = tasks(6, 0.0)[5]
    weights = similarity(new, past)
    assert weights.sum() == pytest.approx(1) and weights[:5].min() > 2 * weights[5:].max() and weights.min() > 0
    scaled = [{name: 1000 * value - 7 for name, value in task.items()} for task in [new, *past]]
    np.testing.assert_allclose(similarity(scaled[0], scaled[1:]), weights)
    order = np.random.default_rng(1).permutation(10)
    np.testing.assert_allclose(similarity(new, [past[i] for i in order]), weights[order])


def test_what_is_not_known_weighs_as_much_as_the_average() -> None:
    past = tasks(3, 0.0, 4.0)
    new = past[0]
    some = similarity(new, [*past, None, {"other": 1.0}])
    assert some[6] == some[7] == pytest.approx(1 / 8)
    np.testing.assert_allclose(some[:6], similarity(new, past) * 6 / 8)
    assert set(similarity(None, past)) == {1 / 6}
    assert set(similarity(new, [None, None])) == {0.5}
    assert similarity(new, []).shape == (0,)


def test_one_number_does_not_decide_alone_and_missing_ones_do_not_count() -> None:
    past = tasks(4, 0.0, 3.0)
    new = dict.fromkeys(past[0], 0.0)
    spoilt = [past[0] | {"n0": 1e12}, *past[1:]]
    assert similarity(new, spoilt)[0] > similarity(new, spoilt)[4:].max()
    gaps = [{name: value for name, value in past[0].items() if name != "n3"}, *past[1:]]
    gaps[1] = past[1] | {"n4": float("nan")}
    assert (
        np.isfinite(similarity(new, gaps)).all() and similarity(new, gaps)[:4].min() > similarity(new, gaps)[4:].max()
    )


def test_copies_and_a_single_past_task() -> None:
    new = tasks(1, 0.0)[0]
    assert list(similarity(new, [new, new])) == [0.5, 0.5]
    assert list(similarity(new, [{name: value + 9 for name, value in new.items()}])) == [1.0]
    other = {name: value + 9 for name, value in new.items()}
    assert similarity(new, [new, new, other])[2] < 0.2 < similarity(new, [new, new, other])[0]


def test_a_thousand_past_tasks_take_no_time() -> None:
    past = tasks(500, 0.0, 1.0)
    begun = time.perf_counter()
    similarity(past[0], past)
    assert time.perf_counter() - begun < 0.5
