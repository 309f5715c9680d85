"""Recognising nearly the same data under another name, by a few hundred numbers that stand for its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from archwise.tasks.fingerprint import digest, mix
from archwise.tasks.frame_inputs import as_numbers, as_words

NUMBERS = 128
"""Numbers kept of each kind; a share of common rows is estimated to within about 0.04 (one standard error)."""
SAME = 0.5
"""Overlap from which data is said to be the same."""
AMBIGUOUS = 0.05
"""Rows that only the order of their values tells apart; where they are more, rows are compared in order alone."""
COPIES = 4
"""Where rows have this many copies each, they are types rather than individuals, and identify no data."""
MANY = 64
"""Values of a row from which their distribution between its smallest and largest one is enough to know it again."""
LEVELS = 100.37
"""Steps from a row's smallest value to its largest; even ones would often end just where values lie."""
CLOSE = 20
"""Different whole numbers number the rows of a table where their range is less than this many times the rows."""
FEW = 20
"""Fewest rows of which that is said."""
PRECISION = 1e4
"""Numbers are equal that differ by less than about one part in this many."""

_KINDS = 4


class RowHashes(NamedTuple):
    """What is compared of rows, four arrays of 64-bit numbers, one for each row.

    Args:
        rows: inputs and target, with the columns' names and order; see `fingerprint.row_hashes`.
        like_rows: inputs and target as sets of values, whatever the columns' names, order and numeric type.
        like_inputs: the same without the target.
        in_order: the inputs with their order, which tells whether sets of values are enough to tell rows apart.
    """

    rows: np.ndarray
    like_rows: np.ndarray
    like_inputs: np.ndarray
    in_order: np.ndarray


def sketch(hashes: RowHashes) -> tuple[int, ...]:
    """Return numbers that stand for the rows of data: the smallest hashes of each kind (bottom-k sketch).

    Equal rows count once, so their order, their copies and the splits do not matter.

    Args:
        hashes: of all rows.

    Returns:
        At most three times `NUMBERS` numbers of 52 bits; the lowest two bits tell the kind.

    Source:
        Cohen and Kaplan 2007, Summarizing data using bottom-k sketches; Broder 1997, On the resemblance and
        containment of documents.
    """
    kinds = [
        hashes.rows,
        _unambiguous(hashes.like_rows, hashes.in_order),
        _unambiguous(hashes.like_inputs, hashes.in_order),
    ]
    numbers: list[int] = []
    for kind, values in enumerate(kinds):
        different = np.unique(values >> np.uint64(14))  # 50 bits and the kind's two are whole numbers in any JSON
        if len(different) * COPIES >= len(values):
            numbers += [int(value) * _KINDS + kind for value in different[:NUMBERS]]
    return tuple(numbers)


def overlap(first: Sequence[int] | None, second: Sequence[int] | None, *, targets: bool = True) -> float:
    """Estimate the share of the smaller one's rows that the other one holds too, from 0 to 1.

    Subsets, appended rows, other orders of rows or columns, other names and numeric types are seen through. Where
    one of two large sets has less than about a twentieth of the other's rows, too few numbers can be compared.

    Args:
        first: a sketch; nothing is common with None.
        second: another one.
        targets: whether the target must be equal too; otherwise equal inputs are enough, so that the same rows with
            another target, or with its classes renamed, are found.

    Example:
        >>> import pandas as pd
        >>> from archwise.tasks.fingerprint import row_hashes
        >>> def of(frame):
        ...     x, y = frame[["a", "b"]], frame["y"]
        ...     return sketch(RowHashes(row_hashes(x, y), *content_hashes(x, y)))
        >>> frame = pd.DataFrame({"a": np.sqrt(range(100)), "b": 0.5, "y": [0, 1] * 50})
        >>> overlap(of(frame), of(frame[20:60])), overlap(of(frame), of(frame.assign(y=2)))
        (1.0, 0.0)
        >>> overlap(of(frame), of(frame.assign(y=2)), targets=False)
        1.0
    """
    # Numbers of 52 bits are exact as float64, and others, which a stranger's file may hold, are no error.
    one, two = (np.array(numbers or (), dtype=np.float64) for numbers in (first, second))
    kinds = range(2 if targets else 3)
    return max(_overlap(one[one % _KINDS == kind], two[two % _KINDS == kind]) for kind in kinds)


def content_hashes(x: pd.DataFrame | np.ndarray, y: pd.Series[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `like_rows`, `like_inputs` and `in_order` of `RowHashes`.

    Single numbers are compared to about four digits. Rows of many numbers are compared by how these are spread from
    the smallest to the largest one, so images and series are known again when all of them were scaled.

    Args:
        x: inputs; columns that seem to number the rows are left out.
        y: targets.
    """
    width = int(np.prod(x.shape[1:]))
    if isinstance(x, pd.DataFrame) and width >= MANY and all(map(pd.api.types.is_numeric_dtype, x.dtypes)):
        x = x.to_numpy(dtype=np.float64, na_value=np.nan)
    elif not isinstance(x, pd.DataFrame) and width < MANY:
        x = pd.DataFrame(x.reshape(len(x), width))
    inputs, in_order = np.zeros((2, len(x)), dtype=np.uint64)
    if isinstance(x, pd.DataFrame):
        for name in x.columns:
            if not _numbers_rows(x[name]):
                cells = _cells(x[name])
                inputs += cells
                in_order = mix(in_order ^ cells)
    else:
        rows_at_once = max(1, 2**20 // width)
        for block in (slice(i, i + rows_at_once) for i in range(0, len(x), rows_at_once)):
            inputs[block], in_order[block] = _spread(x[block].reshape(-1, width))
    inputs = mix(inputs)
    return mix(inputs ^ _cells(y)), inputs, in_order


def _numbers_rows(column: pd.Series[Any]) -> bool:
    """Whether a column holds different whole numbers that lie as close as those of some of the rows of a table do."""
    if not pd.api.types.is_integer_dtype(column.dtype) or column.isna().any() or len(column) < FEW:
        return False
    return bool(column.is_unique and int(column.max()) - int(column.min()) < CLOSE * len(column))


def _spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hash how often rows have values of each size, from their smallest to their largest one, and where they are."""
    values = values.astype(np.float32) if values.dtype.kind != "f" else values
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(axis=1, keepdims=True)
    high = np.where(known, values, -np.inf).max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        places = (values - low) * (LEVELS / (high - low))
    steps = np.where(known & (high > low), places, -1.0).astype(np.int64) + 1
    tokens = mix(np.arange(int(LEVELS) + 2, dtype=np.uint64))
    tokens[:2] = 0  # gaps and the smallest value do not count: margins and padding come and go
    where = steps @ mix(np.arange(1, values.shape[1] + 1, dtype=np.uint64)).view(np.int64)
    return tokens[steps].sum(axis=1, dtype=np.uint64), where.view(np.uint64)


def _cells(column: pd.Series[Any]) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _hash(as_numbers(column))
    codes, levels = pd.factorize(column, use_na_sentinel=False)
    different = pd.Series(levels)
    numbers, words = as_numbers(different), as_words(different)
    hashes = _hash(numbers)
    for i, (word, number) in enumerate(zip(words, numbers, strict=True)):
        if word and np.isnan(number):
            hashes[i] = digest(word.encode())
    cells: np.ndarray = hashes[codes]
    return cells


def _hash(values: np.ndarray) -> np.ndarray:
    """Hash numbers, those that are nearly equal (by their logarithm) alike."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.rint(np.log(np.abs(values)) * PRECISION)
    size = np.where(np.isfinite(size), size, np.where(values == 0, 1e8, 2e8))
    signed = 2 * size.astype(np.int64) + (values < 0)
    return mix(signed.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))


def _unambiguous(like: np.ndarray, in_order: np.ndarray) -> np.ndarray:
    """Return the hashes that no two different rows have; none at all where many do."""
    _, different = np.unique(mix(like) ^ in_order, return_index=True)
    values, counts = np.unique(like[different], return_counts=True)
    shared = counts[counts > 1].sum()
    kept = np.isin(like, values[counts == 1]) if shared <= AMBIGUOUS * len(different) else np.zeros(len(like), bool)
    unambiguous: np.ndarray = like[kept]
    return unambiguous


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    # Of a full sketch, what is above its largest number is not known.
    limits = [numbers.max() for numbers in (first, second) if len(numbers) >= NUMBERS]
    if limits:
        first, second = (numbers[numbers <= min(limits)] for numbers in (first, second))
    fewer = min(len(first), len(second))
    return len(set(first.tolist()) & set(second.tolist())) / fewer if fewer else 0.0
