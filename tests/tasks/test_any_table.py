"""Whatever a table or file holds: a task with finite inputs, or one sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archwise.errors import DataError
from archwise.tasks.load import make_task
from archwise.tasks.preprocessing import preprocess
from archwise.tasks.scaling import InputError

VALUES = [
    st.floats(),
    st.integers(-(10**18), 10**18),
    st.integers(0, 2),
    st.booleans(),
    st.none() | st.floats(-10, 10),
    st.sampled_from(["a", "b", "?", "", "none", "True", "1,5", "2,500", "inf", "3"]),
    st.text(max_size=4),
    st.datetimes(),
    st.dates().map(str),
    st.sampled_from(["01/02/2020", "31/12/1999", "12/31/1999"]),
    st.sampled_from([1, "a", 2.5, None, True]),
]


@st.composite
def tables(draw: Any) -> pd.DataFrame:
    rows = draw(st.sampled_from([12, 30, 60]))
    chosen = draw(st.lists(st.sampled_from(VALUES), min_size=2, max_size=5))
    columns = {}
    for i, values in enumerate(chosen):
        few = draw(st.lists(values, min_size=1, max_size=8))  # repeated, so that classes have enough rows
        every = few * rows if draw(st.booleans()) else draw(st.lists(values, min_size=rows, max_size=rows))
        columns[f"c{i}"] = pd.Series(every[:rows], dtype=object if draw(st.booleans()) else None)
    return pd.DataFrame(columns)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), st.booleans())
def test_any_table(table: pd.DataFrame, as_file: bool) -> None:
    # A lone carriage return is written without quotes, so such a file has other rows than the table.
    assume(not as_file or not table.map(lambda value: "\r" in str(value)).any(axis=None))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        table.to_csv(path, index=False, encoding="utf-8", errors="replace")
        data = path if as_file else table
        try:
            task = make_task(data, "c0", folder=Path(folder) / "task")
        except DataError as error:
            assert str(error).count("\n") == 0 and list(Path(folder).iterdir()) == [path]
            return
        for x, y in (task.arrays("train"), task.arrays("validation"), task.open_test()):
            assert np.isfinite(x).all() and np.isfinite(y).all()
            assert x.shape == (len(y), *task.signature.input)
        train = table.iloc[np.load(task.folder / "splits.npz")["train"]]
        if as_file:
            train.to_csv(path, index=False, encoding="utf-8", errors="replace")
        np.testing.assert_allclose(
            preprocess(path if as_file else train, task.folder), task.arrays("train")[0], atol=1e-6
        )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.tsv", "a.csv.gz", "a.npz"]))
def test_any_file(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            make_task(path, None if name.endswith(".npz") else "c", folder=Path(folder) / "task")
        except (DataError, InputError) as error:
            assert name in str(error) or "rows" in str(error)
            return
        raise AssertionError("200 bytes are never enough for a task")
