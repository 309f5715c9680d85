"""Whether an array holds a table, images or series, and where its channels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from archwise.errors import DataError
from archwise.signature import Kind

MOST_CHANNELS = 4


class Layout(NamedTuple):
    """What an array's axes are.

    Args:
        kind: "table", "image" or "series".
        channels: where the channels are: "first" or "last" after the rows, or "none" where there is a single one.
        note: what was decided and why, as a sentence.
    """

    kind: Kind
    channels: str
    note: str


def recognise_layout(x: np.ndarray, kind: Kind | None = None, *, tensors: bool = False) -> Layout:
    """Tell what an array holds, by these rules:

    - two axes are a table (with `kind="series"`: series of one channel);
    - three axes are images (rows, height, width) where the values are whole numbers from 0 up or height equals
      width, unless there is a single channel of them or a value is missing; otherwise series (rows, channels, time);
    - four axes are images; the axis with 1 to 4 entries is the channels. If both ends or neither qualify, the odd one
      out of the three is the channels; otherwise they come last, for tensors first.

    Args:
        x: the inputs, shape (rows, ...).
        kind: overrides the rules as far as the axes allow; "table" lays every input out flat.
        tensors: whether the source was a tensor.

    Raises:
        DataError: the array has too many axes, or cannot be of this kind.

    Example:
        >>> recognise_layout(np.zeros((5, 28, 28), dtype=np.uint8))[:2]
        ('image', 'none')
        >>> recognise_layout(np.zeros((5, 3, 100)))[:2]
        ('series', 'first')
    """
    if x.ndim > 4 or 0 in x.shape[1:]:
        raise DataError(f"Inputs of shape {x.shape} cannot be used: give tables, series or images (2 to 4 axes).")
    allowed: dict[int, tuple[Kind, ...]] = {
        2: ("table", "series"),
        3: ("table", "series", "image"),
        4: ("table", "image"),
    }
    if kind is not None and kind not in allowed[x.ndim]:
        fit = " or ".join(allowed[x.ndim])
        raise DataError(f"Inputs of shape {x.shape} cannot be of the kind {kind!r}: reshape them or choose {fit}.")
    if kind == "table" or x.ndim == 2:
        if kind == "series":
            return Layout("series", "none", f"The inputs are series of {x.shape[1]} times in 1 channel (as asked for).")
        return Layout("table", "none", "")
    if x.ndim == 3:
        chosen = kind or ("image" if _like_images(x) else "series")
        why = "as asked for" if kind else "if that is wrong, give the kind: image or series"
        if chosen == "image":
            return Layout("image", "none", f"The inputs are gray images of {x.shape[1]} x {x.shape[2]} ({why}).")
        c = x.shape[1]
        return Layout("series", "first", f"The inputs are series of {x.shape[2]} times in {_counted(c)} ({why}).")
    channels = _channels(x.shape[1:], tensors)
    c, h, w = x.shape[1:] if channels == "first" else (x.shape[3], *x.shape[1:3])
    return Layout("image", channels, f"The inputs are images of {h} x {w} with {_counted(c)}, which come {channels}.")


def refuse_empty(x: np.ndarray, layout: Layout, ignored: Sequence[str]) -> None:
    """Refuse missing values in images, and features or channels without any value.

    Raises:
        DataError: it names the first such place and the remedy.
    """
    if x.dtype.kind != "f" or not len(x) or not np.isnan(x.sum(dtype=np.float64)):
        return
    if layout.kind == "image":
        row = next(i for i in range(len(x)) if np.isnan(x[i]).any())
        raise DataError(f"Image {row} of the inputs holds NaN: replace it by a number.")
    columns = x.reshape(len(x), -1) if layout.kind == "table" else x if layout.channels == "first" else x[:, None]
    for j in np.flatnonzero(np.isnan(columns[0]).reshape(columns.shape[1], -1).all(axis=1)):
        if str(j) not in ignored and np.isnan(columns[:, j]).all():
            what, remedy = ("Feature", f"use --ignore {j}") if layout.kind == "table" else ("Channel", "remove it")
            raise DataError(f"{what} {j} of the inputs has no value in any row: {remedy}.")


def _like_images(x: np.ndarray) -> bool:
    if x.shape[1] == 1:
        return False
    if x.dtype.kind == "f":
        return x.shape[1] == x.shape[2] and not np.isnan(x.sum(dtype=np.float64))
    return x.dtype.kind in "ub" or x.shape[1] == x.shape[2] or bool(x.min() >= 0)


def _channels(shape: tuple[int, ...], tensors: bool) -> str:
    first, last = shape[0] <= MOST_CHANNELS, shape[2] <= MOST_CHANNELS
    if first == last:
        first, last = shape[1] == shape[2] != shape[0], shape[0] == shape[1] != shape[2]
    if first == last:
        return "first" if tensors else "last"
    return "first" if first else "last"


def _counted(channels: int) -> str:
    return f"{channels} channel{'s' * (channels != 1)}"
