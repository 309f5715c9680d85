"""Writing a task's folder: all of it appears at once, or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from archwise.errors import DataError


@contextmanager
def new_folder(folder: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder`, and rename it to `folder` when the block ends without an error.

    Raises:
        DataError: `folder` holds something already, or cannot be written, or the disk is full.
    """
    folder = Path(folder).absolute()
    staging = folder.parent / f".{folder.name}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            raise DataError(f"{folder} exists already: name a new or empty folder.")
        staging.mkdir(parents=True)
        yield staging
        if folder.is_dir():
            folder.rmdir()
        staging.rename(folder)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written ({error.strerror or error}): name another folder, or make room."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_array(path: Path, shape: tuple[int, ...], dtype: str, blocks: Iterable[np.ndarray]) -> None:
    """Write an .npy file block by block, so that it never has to fit into memory as a whole.

    Not through a memory map: on a full disk that would kill the process instead of raising OSError.
    """
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype=dtype).data)
