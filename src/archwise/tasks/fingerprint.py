"""A hash that tells data sets apart: equal for equal rows in any order, and nothing can be read from it."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from archwise.tasks.frame_inputs import as_numbers, as_words


def row_hashes(x: pd.DataFrame | np.ndarray, y: pd.Series[Any]) -> np.ndarray:
    """One 64-bit number for each row: equal rows have equal numbers, different rows differ (almost surely).

    Args:
        x: inputs; the names of a frame's columns count.
        y: targets.
    """
    if isinstance(x, pd.DataFrame):
        columns = [(str(name), _hash_column(x[name])) for name in x.columns]
    else:
        columns = [("x", _hash_array_rows(x))]
    result = np.zeros(len(y), dtype=np.uint64)
    for name, hashes in [*columns, ("y", _hash_column(y))]:
        result = mix(result ^ mix(hashes + np.uint64(digest(name.encode()))))
    return result


def fingerprint(*parts: np.ndarray) -> str:
    """Hash of the row hashes of each part (one part, or training and test data where the source tells them apart)."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(f"{len(part)}:".encode() + np.sort(part).astype("<u8").tobytes())
    return whole.hexdigest()


def _hash_column(column: pd.Series[Any]) -> np.ndarray:
    numbers = as_numbers(column)
    words = [] if pd.api.types.is_numeric_dtype(column.dtype) else [word or "" for word in as_words(column)]
    if all(word == "" for word, number in zip(words, numbers, strict=False) if np.isnan(number)):
        return mix(_plain(numbers).view(np.uint64))  # the same for numbers that a file or a frame keeps as text
    codes, levels = pd.factorize(np.array(words, dtype=object))
    return np.array([digest(level.encode()) for level in levels], dtype=np.uint64)[codes]


def _hash_array_rows(x: np.ndarray) -> np.ndarray:
    result = np.empty(len(x), dtype=np.uint64)
    rows_at_once = max(1, 2**21 // max(1, int(np.prod(x.shape[1:]))))
    shape = str(x.shape[1:]).encode()
    for start in range(0, len(x), rows_at_once):
        for i, row in enumerate(_plain(x[start : start + rows_at_once].astype(np.float64)), start):
            result[i] = digest(shape + row.tobytes())
    return result


def _plain(values: np.ndarray) -> np.ndarray:
    """One form of zero and of NaN, in the same byte order everywhere."""
    result: np.ndarray = np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8")
    return result


def digest(content: bytes) -> int:
    """64 bits of a cryptographic hash."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: every bit of the input changes half of the bits of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: np.ndarray = values ^ (values >> np.uint64(31))
    return result
