"""Merging: an experience learns all that another one knows, which is only read."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from archwise.errors import ExperienceError
from archwise.experience.database import file_of
from archwise.experience.entries import entries
from archwise.experience.experience import Experience
from archwise.experience.known import refuse_missing
from archwise.experience.records import Amounts
from archwise.experience.taking import take
from archwise.files import STAGING


def merge(into: Experience, other: Experience) -> Amounts:
    """Take all that another experience knows into this one; a second time changes nothing.

    Tasks are the same by their fingerprint, spaces by their hash, searches by their id. Of a search that both know the
    missing trials are added, and its state is that of the copy that ended later. What both know stays as it is here;
    a task's descriptor or sketch that is missing here is filled in.

    Args:
        into: the experience that learns.
        other: the one that is read; see `opened_copy` for files. Its own searches get its name and today's date as
            their source; those that it took from elsewhere keep the source they have.

    Returns:
        What was new.

    Raises:
        ExperienceError: one of them cannot be read or written. What was merged before that stays, and merging again
            adds the rest.

    Example:
        >>> import tempfile
        >>> from archwise.experience import Experience, SpaceRecord, merge
        >>> folder = tempfile.TemporaryDirectory()
        >>> with Experience(f"{folder.name}/a.sqlite") as mine, Experience(f"{folder.name}/b.sqlite") as other:
        ...     key = other.add_space(SpaceRecord("a1", "mlp", {}))
        ...     merge(mine, other), merge(mine, other).spaces
        (Amounts(tasks=0, spaces=1, searches=0, trials=0, left=0), 0)
        >>> folder.cleanup()
    """
    said = taken("merged", Path(other.location).name)
    return other.database.read(lambda connection: take(into, entries(connection), said, trusted=True))


def taken(how: str, name: str, remark: str = "") -> str:
    """Return a source: how searches were taken from where, and today's date."""
    return f"{how} from {name} on {time.strftime('%Y-%m-%d')}{remark}"


@contextmanager
def opened_copy(location: str | Path, folder: Path | None = None) -> Iterator[Experience]:
    """Open another experience without ever writing to it.

    A file is copied, also while a search writes to it, and the copy is lifted where an older archwise wrote it. Other
    databases are read where they are.

    Args:
        location: a file or a URL.
        folder: where there is room for the copy; the system's temporary folder if None.

    Raises:
        ExperienceError: it is not there, cannot be read, was written by a newer archwise or is something else; or, if
            it is no file, was written by an older one.
    """
    refuse_missing(location)
    file = file_of(location)
    if file is None:
        with Experience(location, lift=False) as opened:
            yield opened
        return
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=folder) as place:
        copy = Path(place) / file.name
        try:
            _copy(file, copy)
            opened = Experience(copy)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ExperienceError(
                f"The experience {file} cannot be read ({reason}); check it, and that there is room for a copy of it."
            ) from error
        except ExperienceError as error:
            raise ExperienceError(str(error).replace(str(copy), str(file))) from error
        with opened:
            yield opened


def _copy(file: Path, copy: Path) -> None:
    log = file.with_name(f"{file.name}-wal")
    if not log.exists():
        before = file.stat()
        shutil.copyfile(file, copy)
        after = file.stat()
        if not log.exists() and (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
            return
    # Others have it open: SQLite reads their log as well, and needs no more than read access.
    copy.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened,
        closing(sqlite3.connect(copy)) as written,
    ):
        opened.backup(written)
