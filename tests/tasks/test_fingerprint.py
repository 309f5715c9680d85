"""The fingerprint: equal for equal rows in any order, different otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_wine

from archwise.tasks.fingerprint import fingerprint, row_hashes


def of(x: pd.DataFrame | np.ndarray, y: np.ndarray) -> str:
    return fingerprint(row_hashes(x, pd.Series(y)))


@given(st.permutations(range(40)), st.integers(0, 39), st.integers(0, 12))
def test_order_is_irrelevant_and_every_value_counts(order: list[int], row: int, column: int) -> None:
    x, y = load_wine(return_X_y=True)
    x, y = x[20:60], y[20:60]
    for form in (np.asarray, pd.DataFrame):
        before = of(form(x), y)
        assert len(before) == 64 and of(form(x[order]), y[order]) == before
        changed = x.copy()
        changed[row, column] += 1e-9
        assert of(form(changed), y) != before
        assert of(form(x), np.where(np.arange(40) == row, 9, y)) != before


def test_rows_of_images_are_told_apart_and_types_are_not() -> None:
    images, labels = load_digits(return_X_y=True)
    hashes = row_hashes(images, pd.Series(labels))
    assert len(np.unique(hashes)) == len(np.unique(images, axis=0)) == 1797
    assert of(images, labels) == of(images.astype(np.float32), labels.astype(np.uint8))
    assert of(images, labels) != of(images.reshape(-1, 8, 8), labels)
    assert of(images, labels) != fingerprint(hashes[:1000], hashes[1000:])


def test_names_words_and_gaps_of_a_frame_count() -> None:
    frame, y = pd.DataFrame({"a": ["x", None, "z"], "b": [0.0, np.nan, 2.0]}), np.arange(3)
    seen = {
        of(frame, y),
        of(frame.rename(columns={"a": "c"}), y),
        of(frame.fillna({"a": "y"}), y),
        of(frame.fillna({"b": 0}), y),
    }
    assert len(seen) == 4
    swapped = pd.DataFrame({"a": frame["b"], "b": frame["a"]})
    assert of(swapped, y) not in seen and of(frame.assign(b=[-0.0, np.nan, 2]), y) in seen
