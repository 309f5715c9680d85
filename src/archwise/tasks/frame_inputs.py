"""Turns data frames and table files into a network's input.

The text of this file is also part of the model.py of networks that learned from tables with named columns.
"""

import codecs
import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archwise.tasks.scaling import InputError, scale_numbers

MISSING = frozenset(
    [
        "",
        "?",
        "NA",
        "N/A",
        "n/a",
        "NaN",
        "nan",
        "-NaN",
        "-nan",
        "null",
        "NULL",
        "Null",
        "NaT",
        "<NA>",
        "#N/A",
        "#NA",
    ]
)
"""Words that mean "no value" in every column."""
VAGUE = frozenset(["-", "--", ".", "na", "n.a.", "nan", "none", "null", "nil", "unknown", "missing"])
"""More such words (in lower case) among numbers, dates and truth values; among words they are words."""


def transform_frame(data: Any, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Transform a data frame, a CSV or TSV file, or an array whose columns are those of the training table.

    A target column is not needed and not looked at; a word that training did not see counts as "other".

    Raises:
        InputError: the file cannot be read, a column is missing, a value does not fit.
    """
    frame = as_frame(data, settings)
    columns = settings["columns"]
    blocks = [scale_numbers(number_features(frame, columns), arrays)]
    blocks += [one_hot(frame[c["name"]], c) for c in columns if c["type"] == "words"]
    return np.concatenate(blocks, axis=1)


def number_features(frame: pd.DataFrame, columns: list[dict[str, Any]]) -> np.ndarray:
    """The features of all columns but words, as float64 with NaN for what is missing, before any scaling."""
    features: list[np.ndarray] = []
    for column in columns:
        name, kind = column["name"], column["type"]
        if kind == "words":
            continue
        if kind == "date":
            features += date_parts(as_dates(frame[name], column["format"]), column["parts"])
            values = features[-1]
        else:
            values = as_numbers(frame[name], column["comma"]) if kind == "number" else as_truths(frame[name])
            features.append(values)
        _refuse_unreadable(name, frame[name], np.isnan(values), kind)
        if np.isinf(values).any():
            row = int(np.isinf(values).argmax())
            place = f"Column {name!r} holds the infinite value {values[row]} in row {frame.index[row]} (the first is 0)"
            raise InputError(f"{place}: replace it by a number or leave it empty.")
    return np.stack(features, axis=1) if features else np.empty((len(frame), 0))


def _refuse_unreadable(name: str, column: "pd.Series[Any]", unread: np.ndarray, kind: str) -> None:
    """A few odd values count as missing, but where most cannot be read it is the wrong column."""
    if not unread.any() or pd.api.types.is_numeric_dtype(column.dtype):
        return
    words = as_words(column)
    present = np.array([w is not None and w.lower() not in VAGUE for w in words])
    if (unread & present).sum() > 0.5 * present.sum():
        odd = words[int((unread & present).argmax())]
        raise InputError(f"Column {name!r} holds {odd!r}, which is no {kind}: correct it or leave it empty.")


def one_hot(column: "pd.Series[Any]", settings: dict[str, Any]) -> np.ndarray:
    """One 0/1 feature for each frequent level, one for other words, one for missing, where training had such."""
    levels: list[str] = settings["levels"]
    code = {level: i for i, level in enumerate(levels)}
    other = len(levels) if settings["other"] else -1
    missing = len(levels) + settings["other"] if settings["missing"] else other
    codes = np.array([missing if w is None else code.get(w, other) for w in as_words(column)], dtype=np.int64)
    result = np.zeros((len(codes), len(levels) + settings["other"] + settings["missing"]), dtype=np.float32)
    seen = codes >= 0
    result[np.flatnonzero(seen), codes[seen]] = 1.0
    return result


def date_parts(dates: "pd.Series[Any]", parts: list[str]) -> list[np.ndarray]:
    """Numbers that tell a date: days since 1970, and places on the circles of year, week and day."""
    clock = dates.dt.hour + dates.dt.minute / 60
    turns = {"year": (dates.dt.day_of_year - 1) / 365.25, "week": dates.dt.day_of_week / 7, "day": clock / 24}
    result = []
    for part in parts:
        if part == "days":
            seconds = dates.to_numpy(dtype="datetime64[s]")  # nanoseconds would end in the year 2262
            values = pd.Series(np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64) / 86400))
        else:
            circle, function = part.split(" ")
            values = {"sine": np.sin, "cosine": np.cos}[function](2 * np.pi * turns[circle])
        result.append(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return result


def as_words(column: "pd.Series[Any]") -> list[str | None]:
    """The values as stripped text, None where missing; whole numbers have no decimal point."""
    result: list[str | None] = []
    for value in column.astype(object).to_numpy():
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        word = value.strip() if isinstance(value, str) else "" if _is_missing(value) else str(value)
        result.append(None if word in MISSING else word)
    return result


def as_numbers(column: "pd.Series[Any]", comma: str = "") -> np.ndarray:
    """The values as float64, NaN where there is none; `comma`: "decimal" as in 1.234,5 or "thousands" as in 1,234.5."""
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds(), dtype=np.float64)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    words = [None if w is None or w.lower() in VAGUE else w for w in as_words(column)]
    if comma == "decimal":
        words = [w and w.replace(".", "").replace(",", ".") for w in words]
    elif comma == "thousands":
        words = [w and w.replace(",", "") for w in words]
    numbers = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def as_truths(column: "pd.Series[Any]") -> np.ndarray:
    """True (1, yes) as 1.0, false as 0.0, the rest as NaN."""
    truth = {"true": 1.0, "1": 1.0, "yes": 1.0, "t": 1.0, "false": 0.0, "0": 0.0, "no": 0.0, "f": 0.0}
    return np.array([truth.get((w or "").lower(), np.nan) for w in as_words(column)], dtype=np.float64)


def as_dates(column: "pd.Series[Any]", form: str) -> "pd.Series[Any]":
    """The values as time stamps (UTC, no zone), NaT where missing or no date of this form."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        words = pd.Series(as_words(column), dtype=object, index=column.index)
        column = pd.to_datetime(words, format=form, errors="coerce", utc=True)
    dates: pd.Series[Any] = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    return dates


def as_frame(data: Any, settings: dict[str, Any]) -> pd.DataFrame:
    """A frame with all columns that the transformation reads, from a frame, a table file or an array of rows."""
    if isinstance(data, str | Path):
        text = [c["name"] for c in settings["columns"] if c["type"] != "number" or c["comma"]]
        data = read_table(data, text)
    elif not isinstance(data, pd.DataFrame):
        data = np.asarray(data.detach().cpu() if hasattr(data, "detach") else data)
        names = settings["source_columns"]
        if data.ndim != 2 or data.shape[1] != len(names):
            raise InputError(f"A table with the columns {', '.join(names)} is expected, not an array of {data.shape}.")
        data = pd.DataFrame(data, columns=names)
    frame: pd.DataFrame = data.set_axis([str(name).strip() for name in data.columns], axis=1).reset_index(drop=True)
    for column in settings["columns"]:
        if column["name"] not in frame.columns:
            raise InputError(f"The data has no column {column['name']!r}, which the network was trained with: add it.")
    return frame


def read_table(path: str | Path, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV or TSV file (.gz too): its separator (comma, semicolon, tab, bar) and encoding are found out.

    Args:
        path: the file; its first line names the columns.
        text: columns whose values are kept as they are written.

    Raises:
        InputError: there is no such file, or it is no table.
    """
    if not Path(path).is_file():
        raise InputError(f"There is no file {path}: check the name.")
    options: dict[str, Any] = {
        "na_values": sorted(MISSING), "keep_default_na": False, "skipinitialspace": True, "low_memory": False,
    }  # fmt: skip
    try:
        options["encoding"] = _encoding(path)
        options["sep"] = max(",;\t|", key=lambda sep: _fields(path, options | {"sep": sep}))
        header = pd.read_csv(path, nrows=0, **options).columns
        as_text: Any = {name: str for name in header if str(name).strip() in text}
        frame: pd.DataFrame = pd.read_csv(path, dtype=as_text, **options)
        if not isinstance(frame.index, pd.RangeIndex):
            raise ValueError("its rows have more fields than the first line names")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".") if str(error).strip() else type(error).__name__
        raise InputError(f"{path} cannot be read as a table ({reason}): it must be a CSV or TSV file.") from error
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def _fields(path: str | Path, options: dict[str, Any]) -> float:
    fields = float(len(pd.read_csv(path, nrows=0, **options).columns))
    try:
        head = pd.read_csv(path, nrows=20, dtype=str, **options)
    except ValueError:
        return fields - 0.5
    # Rows longer than the header make pandas take their first fields as an index: rarely the right separator.
    return fields if isinstance(head.index, pd.RangeIndex) else fields - 0.5


def _encoding(path: str | Path) -> str:
    with gzip.open(path) if str(path).endswith(".gz") else Path(path).open("rb") as file:
        head = file.read(2**16)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        if b"\0" in head:
            raise ValueError("it is no text")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(2**20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)
