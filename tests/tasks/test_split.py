"""Splits: seeded, disjoint, complete, and every class in each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archwise.errors import DataError
from archwise.tasks.split import split_rows


@given(st.lists(st.integers(4, 60), min_size=2, max_size=6), st.integers(0, 99), st.booleans())
def test_every_class_has_its_share_in_every_split(counts: list[int], seed: int, own_test: bool) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    if len(labels) < 10:
        return
    parts = split_rows(labels, len(labels), seed=seed, own_test=own_test)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(labels)))
    assert list(parts) == (["train", "validation"] if own_test else ["train", "validation", "test"])
    remaining = np.array(counts)
    for name in ("validation",) if own_test else ("test", "validation"):
        taken = np.bincount(labels[parts[name]], minlength=len(counts))
        assert (taken >= 1).all() and (np.abs(taken - 0.2 * remaining) <= 1).all()
        assert abs(taken.sum() - 0.2 * remaining.sum()) <= len(counts)
        remaining = remaining - taken
    assert (np.bincount(labels[parts["train"]], minlength=len(counts)) >= 1).all()


def test_shares_are_exact_where_the_classes_allow_it() -> None:
    parts = split_rows(np.arange(1000) % 7, 1000, seed=1, test_share=0.3, validation_share=0.1)
    assert {name: len(part) for name, part in parts.items()} == {"train": 630, "validation": 70, "test": 300}


def test_the_validation_split_of_large_data_stays_affordable() -> None:
    parts = split_rows(np.arange(60_000) % 10, 60_000, seed=0, own_test=True)
    assert {name: len(part) for name, part in parts.items()} == {"train": 54_000, "validation": 6_000}
    assert (np.bincount(parts["validation"] % 10) == 600).all()


def test_the_seed_decides() -> None:
    one, two, other = (split_rows(None, 100, seed=seed)["test"] for seed in (5, 5, 6))
    assert (one == two).all() and len(one) == 20 and set(one) != set(other)
    assert list(one) != sorted(one)


def test_too_few_rows() -> None:
    with pytest.raises(DataError, match="only 9 rows"):
        split_rows(None, 9, seed=0)
    assert len(split_rows(None, 10, seed=0)["train"]) == 6
    with pytest.raises(DataError, match="validation share"):
        split_rows(None, 100, seed=0, validation_share=0)
