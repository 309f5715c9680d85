"""The transformation at prediction time: standalone, stored without pickle, the same in every form of the same rows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_wine

from archwise.tasks.fit import fit_array, fit_frame
from archwise.tasks.load import make_task
from archwise.tasks.preprocessing import Preprocessing, load_preprocessing, preprocess
from archwise.tasks.scaling import InputError

NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9))
WORDS = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]), st.text(max_size=5))
DATES = st.one_of(st.none(), st.datetimes(pd.Timestamp(1950, 1, 1), pd.Timestamp(2050, 1, 1)))


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    rows = draw(st.integers(2, 30))
    columns = {"fixed": pd.Series(np.arange(rows) ** 2.0)}  # so that there always is something to learn from
    for i, values in enumerate(draw(st.lists(st.sampled_from([NUMBERS, WORDS, DATES, st.booleans()]), max_size=4))):
        columns[f"c{i}"] = pd.Series(draw(st.lists(values, min_size=rows, max_size=rows)))
    return pd.DataFrame(columns)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames())
def test_what_is_stored_and_reloaded_transforms_equally(frame: pd.DataFrame) -> None:
    fitted, _ = fit_frame(frame, np.arange(len(frame)) * 3, "target")
    expected = fitted.transform(frame)
    assert expected.dtype == np.float32 and len(expected) == len(frame) and np.isfinite(expected).all()
    with tempfile.TemporaryDirectory() as folder:
        store(fitted, Path(folder))
        np.testing.assert_array_equal(preprocess(frame, folder), expected)
        np.testing.assert_array_equal(
            np.concatenate([preprocess(frame[i : i + 1], folder) for i in range(len(frame))]), expected
        )


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([("table", "none", (3,)), ("series", "first", (2, 4)), ("image", "last", (3, 2, 2))]),
    st.integers(2, 12),
    st.data(),
)
def test_arrays_are_transformed_row_by_row_and_the_training_rows_are_standardised(
    form: tuple[str, str, tuple[int, ...]], rows: int, data: st.DataObject
) -> None:
    kind, layout, shape = form
    size = int(np.prod(shape)) * rows
    values = st.floats(-1e9, 1e9, width=32) if kind == "image" else st.floats(-1e9, 1e9, width=32) | st.just(np.nan)
    x = np.array(data.draw(st.lists(values, min_size=size, max_size=size)), dtype=np.float32).reshape(rows, *shape)
    x[:2].reshape(2, -1)[:] = np.array([[0.0], [1.0]])  # so that no feature is constant
    fitted, _ = fit_array(x, np.arange(rows), kind, layout)
    result = fitted.transform(x)
    assert result.dtype == np.float32 and np.isfinite(result).all()
    np.testing.assert_array_equal(np.concatenate([fitted.transform(x[i : i + 1]) for i in range(rows)]), result)
    if kind == "image":
        assert result.shape == (rows, 2, 3, 2)
        np.testing.assert_allclose(result.mean(axis=(0, 2, 3), dtype=np.float64), 0, atol=1e-3)
        np.testing.assert_allclose(result.std(axis=(0, 2, 3), dtype=np.float64), 1, atol=1e-3)


def store(fitted: Preprocessing, folder: Path) -> None:
    import json

    (folder / "preprocessing.json").write_text(json.dumps(fitted.settings), encoding="utf-8")
    arrays: dict[str, Any] = fitted.arrays
    np.savez(folder / "preprocessing.npz", **arrays)


def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": random.integers(18, 80, 100),
            "pay": np.where(np.arange(100) % 9 == 0, np.nan, random.lognormal(8, 1, 100)),
            "city": random.choice(["Oslo", "Rome", "Lima"], 100).astype(object),
            "member": random.random(100) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 99999, 100), unit="h"),
            "outcome": np.arange(100) % 2,
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "task"
    return make_task(table(), "outcome", folder=folder).folder


def test_the_form_of_a_table(folder: Path, tmp_path: Path) -> None:
    frame = table()
    expected = preprocess(frame, folder)
    inputs = frame.drop(columns="outcome")
    np.testing.assert_array_equal(preprocess(inputs[inputs.columns[::-1]], folder), expected)
    np.testing.assert_array_equal(preprocess(inputs.assign(more=1), folder), expected)
    np.testing.assert_array_equal(preprocess(inputs.to_numpy(), folder), expected)
    for name, sep in (("a.csv", ","), ("b.csv", ";"), ("c.tsv.gz", "\t")):
        inputs.to_csv(tmp_path / name, sep=sep, index=False)
        np.testing.assert_allclose(preprocess(tmp_path / name, folder), expected, atol=1e-6)


def test_unseen_words_and_gaps_and_single_rows(folder: Path) -> None:
    settings_ = load_preprocessing(folder).settings
    city = next(column for column in settings_["columns"] if column["name"] == "city")
    assert (city["levels"], city["other"], city["missing"]) == (["Lima", "Oslo", "Rome"], False, False)
    row = table()[1:2].assign(city="Rome")
    known, unseen, gap = (preprocess(row.assign(city=word), folder)[0, -3:] for word in ("Rome", "Atlantis", None))
    assert known.tolist() == [0, 0, 1] and unseen.tolist() == gap.tolist() == [0, 0, 0]
    assert np.isfinite(preprocess(row.assign(age=None, pay=None, member=None, since=None), folder)).all()
    assert preprocess(table()[:0], folder).shape == (0, preprocess(row, folder).shape[1])
    normal, outlier = preprocess(row, folder), preprocess(row.assign(pay=1e30), folder)
    assert (normal != outlier).sum() == 1 and np.abs(outlier).max() < 12


def test_what_does_not_fit_is_said(folder: Path, tmp_path: Path) -> None:
    frame = table()
    with pytest.raises(InputError, match="no column 'city', which the network was trained with"):
        preprocess(frame.drop(columns="city"), folder)
    with pytest.raises(InputError, match="Column 'age' holds 'old', which is no number"):
        preprocess(frame.assign(age="old"), folder)
    with pytest.raises(InputError, match="Column 'since' holds 'soon', which is no date"):
        preprocess(frame.assign(since="soon"), folder)
    with pytest.raises(InputError, match="Column 'pay' holds the infinite value inf in row 5"):
        preprocess(frame.assign(pay=[1.0] * 5 + [np.inf] * 95), folder)
    with pytest.raises(InputError, match=r"age, pay, city, member, since is expected, not an array of \(3, 2\)"):
        preprocess(np.zeros((3, 2)), folder)
    with pytest.raises(InputError, match="There is no file"):
        preprocess(tmp_path / "none.csv", folder)


def test_arrays_tensors_and_files_of_images(tmp_path: Path) -> None:
    images = load_digits().images
    made = make_task("digits", folder=tmp_path / "task").folder
    expected = preprocess(images, made)
    assert expected.shape == (1797, 1, 8, 8)
    np.savez(tmp_path / "one.npz", x=images, y=np.zeros(3))
    np.savez(tmp_path / "two.npz", pictures=images)
    for data in (torch.tensor(images), images.tolist(), tmp_path / "one.npz", str(tmp_path / "two.npz")):
        np.testing.assert_array_equal(preprocess(data, made), expected)
    with pytest.raises(InputError, match=r"An array of shape \(rows, 8, 8\) is expected, not \(1797, 64\)"):
        preprocess(images.reshape(-1, 64), made)
    with pytest.raises(InputError, match=r"holds nan at \[0, 0, 0\]"):
        preprocess(np.full((1, 8, 8), np.nan), made)
    np.savez(tmp_path / "three.npz", a=images, b=images)
    with pytest.raises(InputError, match="holds a, b, but no array 'x'"):
        preprocess(tmp_path / "three.npz", made)


def test_heavy_tails_and_gaps_in_an_array_table(tmp_path: Path) -> None:
    x, y = load_wine(return_X_y=True)
    x = np.column_stack([x, np.exp(x[:, 0] * 3)])
    x[::5, 3] = np.nan
    task = make_task((x, y), folder=tmp_path / "task")
    train, _ = task.arrays("train")
    assert task.signature.input == (15,) and np.abs(train[:, 13]).max() < 5
    rows = np.load(task.folder / "splits.npz")["train"]
    np.testing.assert_array_equal(train[:, 14], np.isnan(x[rows, 3]))
    kept = train[:, :13].std(axis=0)
    np.testing.assert_allclose(kept[[0, 1, 2, 4]], 1, atol=1e-3)
