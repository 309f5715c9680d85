from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archwise.evaluators.schedule import EVERY, GRID, Schedule, derive_seed


@given(
    examples=st.integers(2, 100_000),
    validation=st.integers(1, 30_000),
    epochs=st.floats(0.01, 100),
    batch=st.integers(1, 512),
)
def test_the_grid_divides_the_steps_without_rest(examples, validation, epochs, batch):
    schedule = Schedule.of(examples, validation, epochs, batch, 0.1)
    ends = [schedule.end(interval) for interval in range(len(schedule.ends) + 1)]
    assert ends[0] == 0 and ends[-1] == schedule.steps
    assert all(a < b for a, b in pairwise(ends))
    assert min(GRID // EVERY, schedule.steps) <= len(schedule.ends) <= GRID
    assert schedule.steps >= epochs * examples / batch > schedule.steps - 1


def test_validating_dear_makes_the_grid_coarse():
    # Fashion-MNIST, 4 epochs: one validation costs as much as 4,000 of the 192,000 examples to train on.
    assert len(Schedule.of(48_000, 12_000, 4, 128, 0).ends) == 1 + GRID // EVERY
    assert len(Schedule.of(48_000, 1_000, 4, 128, 0).ends) == GRID
    assert len(Schedule.of(48_000, 12_000, 25, 128, 0).ends) == GRID


@pytest.mark.parametrize("validation", [1_000, 12_000])
@pytest.mark.parametrize("rung", [1 / 27, 1 / 9, 1 / 3, 1.0])
def test_the_rungs_of_successive_halving_are_trained_as_far_as_they_say(validation, rung):
    schedule = Schedule.of(48_000, validation, 4, 128, 0)
    assert schedule.share(schedule.interval_at(rung)) == pytest.approx(rung, abs=1 / schedule.steps)


@pytest.mark.parametrize("epochs", [1, 4, 10, 30, 150])
def test_a_fidelity_is_as_many_examples_whatever_the_batch_size(epochs):
    schedules = [Schedule.of(1150, 288, epochs, batch, 0) for batch in (32, 64, 128)]
    for rung in (1 / 27, 1 / 9, 1 / 3, 1):
        shares = [schedule.share(schedule.interval_at(rung)) for schedule in schedules]
        assert shares == pytest.approx([rung] * 3, abs=max(1 / schedule.steps for schedule in schedules))


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_rate_rises_to_its_peak_and_falls_to_almost_nothing(warmup):
    schedule = Schedule((100, 200), warmup)
    rates = [schedule.rate(step) for step in range(200)]
    peak = max(range(200), key=rates.__getitem__)
    assert peak == max(0, round(warmup * 200) - 1)
    assert rates[peak] == pytest.approx(1, abs=1e-3)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 < rates[-1] < 1e-3
    if peak:
        assert rates[0] == pytest.approx(1 / (peak + 1))


@pytest.mark.parametrize(("fidelity", "interval"), [(1e-9, 1), (0.1, 1), (0.29, 1), (0.31, 2), (0.5, 3), (1, 5)])
def test_a_fidelity_falls_on_the_nearest_grid_point(fidelity, interval):
    assert Schedule((20, 40, 60, 80, 100)).interval_at(fidelity) == interval


def test_seeds_of_different_purposes_differ():
    seeds = {derive_seed(seed, label, index) for seed in (-1, 0, 1, 2**63) for label in (1, 2) for index in range(9)}
    assert len(seeds) == 4 * 2 * 9
    assert all(0 <= seed < 2**63 for seed in seeds)
