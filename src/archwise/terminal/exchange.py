"""What `archwise experience merge`, `export` and `import` do and print."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from archwise.experience import Amounts, Experience, export_file, import_file, merge, opened_copy
from archwise.experience.database import file_of
from archwise.experience.known import open_known
from archwise.terminal.console import Output, print_json
from archwise.terminal.knowledge import print_exported, print_gain


def merge_command(others: Sequence[str], into: str | None, json: bool) -> None:
    """Merge experiences into one, when all of them were found to be good."""
    file = file_of(into)
    # A copy of an experience finds room where the one that learns from it must have some, too.
    folder = file.parent if file and file.parent.is_dir() else None
    with ExitStack() as stack:
        opened = [stack.enter_context(opened_copy(other, folder)) for other in others]
        known = stack.enter_context(Experience(into))
        gain = Amounts()
        for other in opened:
            gain += merge(known, other)
        _say_gain(known, gain, json)


def import_command(file: Path, into: str | None, json: bool) -> None:
    """Import a file, when all of it was found to be good."""
    gain = import_file(file, into)
    with Experience(into) as known:
        _say_gain(known, gain, json)


def export_command(file: Path, location: str | None, anonymous: bool, tasks: Sequence[str], json: bool) -> None:
    """Export an experience that must be there."""
    with open_known(location) as known:
        written = export_file(known, file, anonymous=anonymous, tasks=tasks)
    if json:
        print_json({"file": str(file), "anonymous": anonymous} | asdict(written))
    else:
        print_exported(Output(), file, written, anonymous)


def _say_gain(known: Experience, gain: Amounts, json: bool) -> None:
    if json:
        print_json({"location": known.location} | asdict(gain))
    else:
        print_gain(Output(), known.location, gain)
