"""What columns and targets are told to be, on real columns and odd ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from archwise.errors import DataError
from archwise.tasks.recognise import recognise_column, recognise_target

ROWS = np.random.default_rng(0).permutation(100)


def column(values: Any, name: str = "c", rows: np.ndarray = ROWS) -> tuple[str | None, str]:
    series = pd.Series(values, name=name)
    settings, note = recognise_column(series, rows[: len(series)])
    return (settings and settings["type"]), note


def numbered(text: str) -> list[str]:
    return [text.format(i=i, d=i % 28 + 1, m=i % 12 + 1, y=2000 + i % 30) for i in range(100)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.arange(100) ** 2, "number"),
        ([str(i * 1.5) for i in range(100)], "number"),
        ([f" {i}e3 " for i in range(100)], "number"),
        (numbered("{i},5"), "number"),
        (numbered("1,{i:03}"), "number"),
        ([*map(str, range(50)), *["none"] * 50], "number"),
        (pd.array([1, None] * 50, dtype="Int64"), "number"),
        (pd.to_timedelta(np.arange(100), unit="h"), "number"),
        (["a", "b"] * 50, "words"),
        (["90-100", "80-89", "lt-80", "?"] * 25, "words"),
        (pd.Categorical(["x", "y"] * 50), "words"),
        ([["a"], ["b"]] * 50, "words"),
        ([True, False] * 50, "boolean"),
        ([True, None] * 50, "boolean"),
        (["TRUE", "false"] * 50, "boolean"),
        (pd.array([True, None, False, True] * 25, dtype="boolean"), "boolean"),
        (numbered("{y}-{m:02}-{d:02}"), "date"),
        (numbered("{y}-{m:02}-{d:02}T10:00:00Z"), "date"),
        (numbered("{m}/{d}/{y}"), "date"),
        (numbered("{d}.{m}.{y} 12:30"), "date"),
        (numbered("{d} March {y}"), "date"),
        (pd.date_range("2020-01-01", periods=100, tz="Europe/Oslo"), "date"),
        ([pd.Timestamp(2020, 1, 1 + i % 9).date() for i in range(100)], "date"),
        (range(500, 600), "number"),
        ([None] * 100, None),
        (["same"] * 100, None),
        (numbered("text number {i}"), None),
    ],
)  # fmt: skip
def test_columns(values: Any, kind: str | None) -> None:
    assert column(values)[0] == kind


def test_columns_that_number_the_rows_are_left_out() -> None:
    assert column(ROWS + 7)[0] is None and "numbers the rows" in column(ROWS + 7)[1]
    shuffled = np.random.default_rng(1).permutation(100) * 3
    assert column(shuffled, "patient_id")[0] is column(shuffled, "ID")[0] is column(shuffled, "rowId")[0] is None
    assert column(shuffled, "paid")[0] == column(shuffled % 50, "id")[0] == "number"


def test_odd_values_among_numbers_and_dates_are_said() -> None:
    kind, note = column(["abc", *map(str, range(99))])
    assert kind == "number" and "1 values that are no number ('abc') count as missing" in note
    assert column(["9+"] * 30 + [str(i % 9) for i in range(70)])[0] == "words"
    assert column(["?", *[f"bad {i}" for i in range(30)], *map(str, range(69))])[0] == "number"
    assert "read as dates (m/d/Y)" in column(numbered("{m}/{m}/{y}"))[1]
    assert "read as dates (d/m/Y)" in column(numbered("{d}/{m}/{y}"))[1]


def test_commas() -> None:
    for values, expected in ((["1,5", "1.000,25", "7"], "decimal"), (["1,500", "7", "12,000.5"], "thousands")):
        settings, note = recognise_column(pd.Series(values * 30, name="c"), ROWS[:90])
        assert settings == {"name": "c", "type": "number", "comma": expected}
        assert f"commas as {expected} separators" in note
    assert recognise_target(pd.Series([f"{i + 1},{i + 100}" for i in range(99)], name="y")).values[4] == 5104


def test_rare_words_count_as_other() -> None:
    words = [f"rare {i}" for i in range(5)] + ["a", "b", None] * 30
    settings, note = recognise_column(pd.Series(words, name="c"), np.arange(95))
    assert settings == {"name": "c", "type": "words", "levels": ["a", "b"], "other": True, "missing": True}
    assert "5 rare words of 7 count as other" in note


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1] * 20, (0, 1)),
        ([-1.0, 1.0] * 20, (-1.0, 1.0)),
        ([0.5, 1.5] * 20, (0.5, 1.5)),
        (["no", "yes"] * 20, ("no", "yes")),
        (["True", "False"] * 20, (False, True)),
        ([True, False] * 20, (False, True)),
        (["3", "1", "2"] * 20, (1, 2, 3)),
        (["1.0", "2.0", "3.0"] * 20, (1.0, 2.0, 3.0)),
        (pd.Categorical(["b", "a"] * 20), ("a", "b")),
        (list(range(26)) * 4, tuple(range(26))),
        (np.arange(100) / 3, ()),
        ([1, 2, 3.5] * 30, ()),
        (np.arange(100), ()),
        ([f"{i},5" for i in range(100)], ()),
        (np.random.default_rng(0).poisson(30, 1000), ()),
    ],
)
def test_targets(values: Any, classes: tuple[Any, ...]) -> None:
    series = pd.Series(values, name="y")
    target = recognise_target(series)
    assert target.classes == classes and [type(c) for c in target.classes] == [type(c) for c in classes]
    if classes:
        plain = series.astype(str).str.lower().to_numpy()
        for number, label in enumerate(classes):
            assert ((target.values == number) == (plain == str(label).lower())).all()
        np.testing.assert_array_equal(target.encode(series[::-1]), target.values[::-1])
    assert target.note.startswith("Classification" if classes else "Regression")


def test_numbered_classes_of_images_need_not_be_alike() -> None:
    counts = np.repeat(np.arange(30), np.arange(30) + 3)
    assert recognise_target(pd.Series(counts, name="y")).problem == "regression"
    assert len(recognise_target(pd.Series(counts, name="y"), labels=True).classes) == 30


def test_a_chosen_problem_wins() -> None:
    whole = pd.Series(np.arange(60) % 3, name="y")
    assert recognise_target(whole, "regression").problem == "regression"
    assert recognise_target(pd.Series([0.5, 1.5, 2.5] * 9, name="y"), "classification").classes == (0.5, 1.5, 2.5)
    with pytest.raises(DataError, match="has 1 row,"):
        recognise_target(pd.Series(np.arange(40) / 7, name="y"), "classification")


def test_words_in_a_test_split_of_numbers() -> None:
    target = recognise_target(pd.Series(np.arange(50) / 7, name="y"))
    with pytest.raises(DataError, match="holds 'much' in the test split"):
        target.encode(pd.Series(["much"], name="y"))
