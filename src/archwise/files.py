"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

STAGING = ".new-"
"""How the name of a folder begins in which `write_together` gathers files."""


def json_text(data: Any) -> str:
    """Return data as the text of a JSON file that people can read."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def write_together(folder: Path, contents: Mapping[str, bytes | str]) -> None:
    """Write files so that the last, which says that the others belong together, is there only when they are.

    Args:
        folder: where.
        contents: name -> bytes, or text that is written as UTF-8.

    Raises:
        OSError: the folder cannot be written or the disk is full: as long as nothing is replaced, the old files are as
            they were.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=STAGING) as staging:
        for name, content in contents.items():
            write_atomic(Path(staging) / name, content)
        (folder / list(contents)[-1]).unlink(missing_ok=True)
        for name in contents:
            (Path(staging) / name).replace(folder / name)


def write_atomic(path: str | Path, content: bytes | str) -> None:
    """Write a file under a temporary name beside it, then rename it into place.

    Args:
        path: the file; its folder must exist.
        content: bytes, or text that is written as UTF-8.

    Raises:
        OSError: the folder cannot be written or the disk is full; the old file, if any, is as it was.
    """
    with atomic(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic(path: str | Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside a file, and rename it into place when the block has ended without an error.

    Args:
        path: the file; its folder must exist.

    Raises:
        OSError: the folder cannot be written or the disk is full; the old file, if any, is as it was.
    """
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
