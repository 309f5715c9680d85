"""Images, series and tables are told apart by their axes and values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archwise.errors import DataError
from archwise.tasks.layout import recognise_layout


@pytest.mark.parametrize(
    ("shape", "dtype", "tensors", "expected"),
    [
        ((5, 30), "float32", False, ("table", "none")),
        ((5, 28, 28), "uint8", False, ("image", "none")),
        ((5, 28, 28), "float32", False, ("image", "none")),
        ((5, 20, 30), "uint8", False, ("image", "none")),
        ((5, 20, 30), "int64", False, ("image", "none")),
        ((5, 6, 100), "float64", False, ("series", "first")),
        ((5, 1, 100), "int16", False, ("series", "first")),
        ((5, 1, 1), "float64", False, ("series", "first")),
        ((5, 32, 32, 3), "uint8", False, ("image", "last")),
        ((5, 3, 32, 32), "uint8", False, ("image", "first")),
        ((5, 1, 28, 28), "float32", True, ("image", "first")),
        ((5, 32, 48, 1), "float32", True, ("image", "last")),
        ((5, 9, 32, 32), "float32", False, ("image", "first")),
        ((5, 32, 32, 9), "float32", True, ("image", "last")),
        ((5, 3, 3, 3), "float32", False, ("image", "last")),
        ((5, 3, 3, 3), "float32", True, ("image", "first")),
    ],
)
def test_rules(shape: tuple[int, ...], dtype: str, tensors: bool, expected: tuple[str, str]) -> None:
    found = recognise_layout(np.ones(shape, dtype=dtype), tensors=tensors)
    assert (found.kind, found.channels) == expected


def test_values_tell_series_from_images() -> None:
    square = np.ones((4, 12, 12))
    square[0, 0, 5:] = np.nan
    assert recognise_layout(square).kind == "series"
    assert recognise_layout(np.full((4, 3, 12), -1)).kind == "series"
    assert recognise_layout(np.ones((4, 12, 12)), "series")[:2] == ("series", "first")
    assert recognise_layout(np.ones((4, 6, 12)), "image")[:2] == ("image", "none")


def test_real_sets(shared_data: Path) -> None:
    with np.load(shared_data / "sets" / "timeseries_classification.npz") as stored:
        for name in ("ACSF1", "ArrowHead", "BasicMotions", "GunPoint", "ItalyPowerDemand", "JapaneseVowels"):
            found = recognise_layout(stored[f"{name}/X"])
            assert found.kind == "series" and "series of" in found.note
    with np.load(shared_data / "sets" / "omniglot28.npz") as stored:
        assert recognise_layout(stored["images"][:20, 0]).kind == "image"


def test_what_cannot_be() -> None:
    with pytest.raises(DataError, match="choose table or series"):
        recognise_layout(np.ones((4, 12)), "image")
    with pytest.raises(DataError, match="choose table or image"):
        recognise_layout(np.ones((4, 3, 12, 12)), "series")
    with pytest.raises(DataError, match=r"\(4, 0\)"):
        recognise_layout(np.ones((4, 0)))
