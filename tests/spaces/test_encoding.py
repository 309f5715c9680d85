"""Candidates as rows of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contracts import toys

from archwise.spaces import encoding


def test_rows_that_were_forgotten_are_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    space = toys.layers()
    candidates = [space.sample(seed) for seed in range(30)]
    rows = encoding.Encoding(space)(candidates)
    assert len(np.unique(rows, axis=0)) == 30
    monkeypatch.setattr(encoding, "REMEMBERED", 7)
    forgetful = encoding.Encoding(space)
    for _ in range(2):
        assert np.array_equal(forgetful(candidates), rows)
        assert len(forgetful._rows) == 7
