from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archwise.evaluators.batches import Examples, Order
from archwise.tasks.task import Task

CPU = torch.device("cpu")


@given(count=st.integers(2, 60), batch=st.integers(1, 70), seed=st.integers(0, 2**40))
def test_every_epoch_meets_every_row_once_in_full_batches(count, batch, seed):
    order = Order(count, batch, seed)
    size = min(count, batch)
    batches = [order.batch(step) for step in range(2 * count)]
    assert {len(rows) for rows in batches} == {size}
    stream = torch.cat(batches)
    for epoch in range(len(stream) // count):
        assert sorted(stream[epoch * count : (epoch + 1) * count].tolist()) == list(range(count))


def test_a_batch_depends_on_seed_and_step_alone():
    steps = [9, 0, 3, 9, 4, 0]
    straight = [Order(23, 8, seed=5).batch(step).tolist() for step in steps]
    order = Order(23, 8, seed=5)
    assert [order.batch(step).tolist() for step in steps] == straight
    assert Order(23, 8, seed=6).batch(0).tolist() != straight[1]
    assert straight[0] != straight[2]


@pytest.mark.parametrize("rows", [[0, 1436, 3, 1200, 1149, 1148], [5], [1400, 1401]])
def test_rows_of_two_splits_keep_their_targets(task_folder, rows):
    task = Task.load(task_folder("digits"))
    train, validation = task.arrays("train"), task.arrays("validation")
    x, y = Examples([train, validation], CPU).take(torch.tensor(rows))
    inputs, targets = (np.concatenate(both) for both in zip(train, validation, strict=True))
    found = {(a.numpy().tobytes(), int(b)) for a, b in zip(x, y, strict=True)}
    assert found == {(inputs[row].tobytes(), int(targets[row])) for row in rows}


def test_arrays_are_read_in_place(task_folder):
    arrays = Task.load(task_folder("digits")).arrays("train")
    x, _ = Examples([arrays], CPU)[0]
    assert x.data_ptr() == arrays[0].__array_interface__["data"][0]
