"""Importing: an experience learns from a file, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from archwise.errors import ExperienceError
from archwise.experience.anonymous import pseudonym, pseudonym_key
from archwise.experience.entries import Entry
from archwise.experience.experience import Experience
from archwise.experience.merging import taken
from archwise.experience.portable import PortableFile
from archwise.experience.records import Amounts
from archwise.experience.taking import take

_SOURCE_LETTERS = 1000


def import_file(file: str | Path, into: Experience | str | Path | None) -> Amounts:
    """Take what an exported file holds into an experience; a second time changes nothing.

    The file may be a stranger's. It is data alone, and no code of it runs. All of it is checked before anything is
    taken in, a line at a time, so that its size matters little. Searches get the file's name and today's date as their
    source, and after it the one that they have in the file. Records that are known stay as they are: to searches that
    came from elsewhere a newer export may add trials, to this experience's own none.

    Args:
        file: the file.
        into: the experience that learns, or where it lies; it is opened, or made, when the file was found to be good.

    Returns:
        What was new.

    Raises:
        ExperienceError: the file is none, damaged, of a newer version, or a line of it is not what it must be; or it
            was exported from this experience, without names, so that it would not recognise its own.

    Example:
        See `export_file`.
    """
    with PortableFile(file) as portable:
        for _ in portable.entries():
            pass
        remark = " (anonymous)" if portable.header.anonymous else ""
        said = taken("imported", Path(file).name, remark)
        with nullcontext(into) if isinstance(into, Experience) else Experience(into) as experience:
            exporter = portable.header.exporter
            if exporter and exporter == pseudonym(pseudonym_key(experience), "experience", ""):
                raise ExperienceError(
                    f"{file} was exported from the experience {experience.location}, which knows all of it already: "
                    "name another experience."
                )
            return take(experience, _with_source(portable.entries(), said), said, trusted=False)


def _with_source(found: Iterator[Entry], said: str) -> Iterator[Entry]:
    for entry in found:
        if entry.kind == "search":
            before = entry.row["source"]
            whole = f"{said}, which had it {before}" if before else said
            yield Entry("search", entry.row | {"source": whole[:_SOURCE_LETTERS]})
        else:
            yield entry
