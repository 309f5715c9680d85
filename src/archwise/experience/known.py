"""Opening an experience that must be there already."""

from __future__ import annotations

from pathlib import Path

from archwise.errors import ExperienceError
from archwise.experience.experience import Experience


def open_known(location: str | None) -> Experience:
    """Open an experience that something was recorded in; a named file that is not there is not made.

    Args:
        location: a file, a URL, or None for the user's own.

    Raises:
        ExperienceError: there is no such file, or it cannot be read.
    """
    if location is not None:
        refuse_missing(location)
    return Experience(location)


def refuse_missing(location: str | Path) -> None:
    """Raise an ExperienceError where a file, which should be an experience, is not there."""
    if "://" not in str(location) and not Path(location).expanduser().exists():
        raise ExperienceError(f"There is no experience {location}: check the path, or bring the file back.")
