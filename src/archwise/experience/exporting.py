"""Exporting: an experience, or some of its tasks, as one file that others can import."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from archwise import __version__
from archwise.errors import ExperienceError
from archwise.experience import schema
from archwise.experience.anonymous import anonymous as without_names
from archwise.experience.anonymous import pseudonym, pseudonym_key
from archwise.experience.entries import Entry, entries
from archwise.experience.experience import Experience
from archwise.experience.fields import FIELDS
from archwise.experience.portable import FORMAT, SUFFIX, VERSION, line_of
from archwise.experience.records import Amounts
from archwise.files import atomic


def export_file(
    experience: Experience, file: str | Path, *, anonymous: bool = False, tasks: Sequence[str] = ()
) -> Amounts:
    """Write what an experience knows into one portable file; where nothing was added, it is the same again.

    Args:
        experience: what is exported.
        file: where to; its name ends with .jsonl.gz, and a file that is there is replaced.
        anonymous: leave out all names, and everything by which somebody without the data could recognise it: see
            docs/experience.md for what remains. Pseudonyms are the same in every export of one experience, so that who
            imports two of them has every record once; the key to them stays in the experience.
        tasks: names of the tasks to export, with their searches; all if none.

    Returns:
        How much was written.

    Raises:
        ExperienceError: a task is not known, the file's name has another ending, its folder is not there, or the
            experience cannot be read.
        OSError: the file cannot be written; what was there before is as it was.

    Example:
        >>> import tempfile
        >>> from archwise.experience import Experience, SpaceRecord, export_file, import_file
        >>> folder = tempfile.TemporaryDirectory()
        >>> with Experience(f"{folder.name}/mine.sqlite") as mine:
        ...     key = mine.add_space(SpaceRecord("a1", "mlp", {}))
        ...     export_file(mine, f"{folder.name}/mine.jsonl.gz").spaces
        1
        >>> import_file(f"{folder.name}/mine.jsonl.gz", f"{folder.name}/other.sqlite").spaces
        1
        >>> folder.cleanup()
    """
    if not str(file).endswith(SUFFIX):
        raise ExperienceError(f"An export is named something{SUFFIX}, not {Path(file).name}: name it so.")
    folder = Path(file).expanduser().parent
    if not folder.is_dir():
        raise ExperienceError(f"There is no folder {folder} for the export: make it, or name another file.")
    chosen = _fingerprints(experience, tasks) if tasks else None
    key = pseudonym_key(experience) if anonymous else b""

    def write(connection: Connection) -> dict[str, int]:
        counts: dict[str, int] = dict.fromkeys(FIELDS, 0)
        with (
            atomic(Path(file).expanduser()) as raw,
            # Without name and time of writing, so that the same content is the same file.
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as stream,
        ):
            exporter = pseudonym(key, "experience", "") if anonymous else ""
            said = {"format": FORMAT, "version": VERSION, "archwise": __version__}
            stream.write(line_of({"kind": "header"} | said | {"anonymous": anonymous, "exporter": exporter}))
            for kind, row in _written(connection, chosen, key):
                stream.write(line_of({"kind": kind} | {name: row[name] for name in FIELDS[kind]}))
                counts[kind] += 1
            stream.write(line_of({"kind": "end"} | counts))
        return counts

    counts = experience.database.read(write)
    return Amounts(counts["task"], counts["space"], counts["search"], counts["trial"])


def _written(connection: Connection, chosen: Sequence[str] | None, key: bytes) -> Iterator[Entry]:
    found = entries(connection, chosen)
    return (without_names(entry, key) for entry in found) if key else found


def _fingerprints(experience: Experience, names: Sequence[str]) -> list[str]:
    """Return the fingerprints of the tasks that have one of the names."""

    def read(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.execute(select(schema.task.c.name, schema.task.c.fingerprint).order_by(schema.task.c.id))
        return [(name, fingerprint) for name, fingerprint in rows]

    known = experience.database.read(read)
    for name in names:
        if name not in {task for task, _ in known}:
            listed = ", ".join(sorted({task for task, _ in known})[:20]) or "none at all"
            raise ExperienceError(
                f"The experience {experience.location} knows no task {name!r}: take some of those it knows ({listed})."
            )
    return [fingerprint for task, fingerprint in known if task in names]
