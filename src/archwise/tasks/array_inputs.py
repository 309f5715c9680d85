"""Turns arrays and .npz files into a network's input.

The text of this file is also part of the model.py of networks that learned from arrays.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from archwise.tasks.scaling import InputError, scale_numbers


def transform_array(data: Any, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Transform an array, a tensor, or the array `x` (or `x_test`) of an .npz file.

    Raises:
        InputError: the file cannot be read, a shape or a value does not fit.
    """
    values = as_array(data)
    shape = tuple(settings["shape"])
    if values.shape[1:] != shape:
        sizes = ", ".join(map(str, ("rows", *shape)))
        raise InputError(f"An array of shape ({sizes}) is expected, not {values.shape}: reshape it.")
    refuse_infinite(values, missing_allowed=settings["kind"] != "image")
    rows_at_once = max(1, 2**22 // max(1, int(np.prod(shape))))  # bounds the memory of float64 intermediates
    starts = range(0, max(1, len(values)), rows_at_once)
    return np.concatenate([_transform_block(values[i : i + rows_at_once], settings, arrays) for i in starts])


def _transform_block(values: np.ndarray, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray:
    kind = settings["kind"]
    if kind == "table":
        table = values.reshape(len(values), -1)[:, arrays["kept"]].astype(np.float64)
        return scale_numbers(table, arrays)
    values = with_channels(values, settings["layout"])
    shape = (1, -1) + (1,) * (values.ndim - 2)
    mean, scale = arrays["mean"].reshape(shape), arrays["scale"].reshape(shape)
    scaled = np.clip((values - mean) / scale, -1e9, 1e9).astype(np.float32)
    if kind == "series":
        np.nan_to_num(scaled, copy=False, nan=0.0)
    return np.ascontiguousarray(scaled)


def with_channels(values: np.ndarray, layout: str) -> np.ndarray:
    """Bring images to (N, C, H, W) and series to (N, C, T)."""
    return {
        "none": lambda: values[:, None],
        "last": lambda: np.moveaxis(values, -1, 1),
        "first": lambda: values,
    }[layout]()


def as_array(data: Any) -> np.ndarray:
    """An array of numbers from an array, a tensor, a frame of numbers or the path of an .npz file."""
    if isinstance(data, str | Path):
        stored = read_arrays(data)
        name = next((n for n in ("x", "x_test") if n in stored), next(iter(stored), "") if len(stored) == 1 else "")
        if not name:
            raise InputError(f"{data} holds {', '.join(stored)}, but no array 'x': name the inputs 'x'.")
        data = stored[name]
    values = np.asarray(data.detach().cpu() if hasattr(data, "detach") else data)
    if values.dtype.kind not in "biuf":
        raise InputError(f"An array of numbers is expected, not of {values.dtype}: convert it first.")
    return values


def refuse_infinite(values: np.ndarray, missing_allowed: bool, what: str = "The array of inputs") -> None:
    """Raise InputError where an array holds an infinite value, or NaN where that is not allowed."""
    if values.dtype.kind != "f" or np.isfinite(values.sum(dtype=np.float64)):
        return  # one pass without a temporary array: a finite sum has no infinite part
    wrong = np.isinf(values) if missing_allowed else ~np.isfinite(values)
    if wrong.any():
        place = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), values.shape))
        where = f"[{', '.join(map(str, place))}]"
        raise InputError(f"{what} holds {values[place]} at {where}: replace it by a number.")


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file by name in lower case; nothing in it is ever executed (no pickle).

    Raises:
        InputError: there is no such file, it is no .npz archive, or it holds Python objects.
    """
    if not Path(path).is_file():
        raise InputError(f"There is no file {path}: check the name.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no .npz archive: write it with numpy.savez.")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name.lower(): stored[name] for name in stored.files}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                raise ValueError(f"{name} is no array")
        return arrays
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
    ) as error:
        if "Object arrays" in str(error):
            raise InputError(
                f"{path} holds Python objects, which are never loaded: save plain numbers or text."
            ) from None
        raise InputError(f"{path} cannot be read ({error}): write it again with numpy.savez.") from error
