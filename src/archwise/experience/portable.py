"""The portable file: gzipped JSON lines with a header, records, and a last line that counts them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from archwise.errors import ExperienceError
from archwise.experience.entries import Entry
from archwise.experience.fields import FIELDS, checked, shown

SUFFIX = ".jsonl.gz"
FORMAT = "archwise-experience"
VERSION = 1
"""Version of the file's format; files of newer ones are refused."""
LINE_BYTES = 4 * 2**20
"""Most bytes of a line."""
_FILE_BYTES = 16 * 2**30
_NAMES = 1_000_000

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


_decode = json.JSONDecoder(parse_constant=_no_number).decode


class Header(NamedTuple):
    """The first line.

    Args:
        anonymous: whether names were left out.
        exporter: which experience wrote it, as a pseudonym; empty if not anonymous.
    """

    anonymous: bool
    exporter: str


def line_of(record: dict[str, Any]) -> bytes:
    """Return a record as a line.

    Raises:
        ExperienceError: it is too long for any reader.
    """
    line = _encode(record).encode() + b"\n"
    if len(line) > LINE_BYTES:
        raise ExperienceError(
            f"A {record['kind']} takes {len(line):,} bytes, more than the {LINE_BYTES:,} that a line of an export may "
            "have: leave its task out."
        )
    return line


class PortableFile:
    """A file that somebody else wrote, read a line at a time; every line is checked before it is believed.

    Args:
        path: the file.

    Raises:
        ExperienceError: here and while reading, where a line is not what it must be; the sentence has its number.
    """

    def __init__(self, path: str | Path):
        self._path = Path(path).expanduser()
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            raise ExperienceError(f"{path} cannot be read ({error.strerror}): check the path.") from error
        try:
            self.header = _header(next(self._lines())[1], self._path)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> PortableFile:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def entries(self) -> Iterator[Entry]:
        """Yield the file's records, from the first one; those that they refer to have come before."""
        known: dict[str, set[str]] = {"space": set(), "task": set()}
        counts: dict[str, int] = dict.fromkeys(FIELDS, 0)
        search, ended = None, False
        lines = self._lines()
        next(lines)
        for number, record in lines:
            try:
                if ended:
                    raise ValueError("the last line has come before it")
                if record.get("kind") == "end":
                    ended = _check_end(record, counts)
                    continue
                entry = _entry(record)
                search = _check_references(entry, known, search)
            except ValueError as error:
                raise self._refusal(number, str(error)) from None
            counts[entry.kind] += 1
            yield entry
        if not ended:
            raise ExperienceError(f"{self._path} ends too early: the end of the file is missing, get it again.")

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield number and content of each line, from the start of the file; never more than one is in memory."""
        self._file.seek(0)
        number, taken = 0, 0
        try:
            with gzip.GzipFile(fileobj=self._file, mode="rb") as stream:
                while line := stream.readline(LINE_BYTES + 1):
                    number, taken = number + 1, taken + len(line)
                    if len(line) > LINE_BYTES:
                        raise self._refusal(number, f"it is longer than {LINE_BYTES:,} bytes")
                    if taken > _FILE_BYTES:
                        raise self._refusal(number, f"there are more than {_FILE_BYTES:,} bytes up to it")
                    yield number, self._parsed(number, line)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            if number == 0 and isinstance(error, gzip.BadGzipFile):
                raise ExperienceError(
                    f"{self._path} is no exported experience (not gzipped): check the path, or take an experience in "
                    "with `archwise experience merge`."
                ) from None
            raise ExperienceError(
                f"{self._path} is damaged or cut off after line {number} ({error}); get it again, nothing was imported."
            ) from None
        if number == 0:
            raise ExperienceError(f"{self._path} is no exported experience (it is empty): check the path.")

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            record = _decode(line.decode())
        except ValueError as error:
            raise self._refusal(number, f"it is no JSON ({error})") from None
        except RecursionError:
            raise self._refusal(number, "it is nested too deep") from None
        if not isinstance(record, dict):
            raise self._refusal(number, f"it is {shown(record)}, not an object")
        return record

    def _refusal(self, number: int, why: str) -> ExperienceError:
        return ExperienceError(
            f"Line {number} of {self._path} is refused, as {why}; nothing was imported, ask for another file."
        )


def _header(record: dict[str, Any], path: Path) -> Header:
    version = record.get("version")
    if record.get("format") != FORMAT or type(version) is not int:
        raise ExperienceError(f"{path} is no exported experience (by its first line): check the path.")
    if version > VERSION:
        raise ExperienceError(
            f"{path} was written by a newer archwise (format {version}, not {VERSION}): upgrade archwise."
        )
    anonymous, exporter = record.get("anonymous"), record.get("exporter")
    if not isinstance(anonymous, bool) or not isinstance(exporter, str):
        raise ExperienceError(f"The first line of {path} is refused, as it does not say who wrote it: get it again.")
    return Header(anonymous, exporter)


def _entry(record: dict[str, Any]) -> Entry:
    kind = record.pop("kind", None)
    if not isinstance(kind, str) or kind not in FIELDS:
        raise ValueError(f"its kind is {shown(kind)}, not one of {', '.join(FIELDS)}")
    return Entry(kind, checked(kind, record))


def _check_references(entry: Entry, known: dict[str, set[str]], search: str | None) -> str | None:
    """Return the id of the search that trials may follow now."""
    kind, row = entry
    if kind == "trial":
        if row["search"] != search:
            raise ValueError(f"the trial's search {shown(row['search'])} is not the last one before it")
        return search
    if kind == "search":
        for name, of in (("task", "task"), ("space", "space"), ("recipe_space", "space")):
            if row[name] not in known[of]:
                raise ValueError(f"the search's {name} {shown(row[name])} was not named before it")
        return str(row["id"])
    known[kind].add(row["fingerprint" if kind == "task" else "hash"])
    if len(known[kind]) > _NAMES:
        raise ValueError(f"there are more than {_NAMES:,} of its kind")
    return None


def _check_end(record: dict[str, Any], counts: dict[str, int]) -> bool:
    said = {name: value for name, value in record.items() if name != "kind"}
    if said != counts:
        raise ValueError(f"it counts {shown(said)} where {shown(counts)} came")
    return True
