"""Errors that a user can mend: one sentence that names the offender and the remedy."""

from __future__ import annotations


class ArchwiseError(Exception):
    """Something a user can mend; its text is one sentence naming the offender and the remedy.

    The command line prints the sentence alone and ends with exit code 2; `--debug` shows the traceback too.
    """


class DataError(ArchwiseError):
    """The data cannot be made into a task."""


class SpaceError(ArchwiseError):
    """A search space, or an architecture of it, breaks a rule of the language."""


class Unbuildable(SpaceError):
    """This architecture cannot become a network for this signature; the text is the reason."""


class ExperienceError(ArchwiseError):
    """The experience cannot be opened, read or written."""


class RunError(ArchwiseError):
    """A run folder cannot be created, read or continued."""
