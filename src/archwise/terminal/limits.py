"""Reading `--fix CHOICE=VALUE` and `--exclude CHOICE=VALUE`."""

from __future__ import annotations

from collections.abc import Sequence

from archwise.errors import SpaceError


def read_limits(option: str, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each choice as they were written; the same choice named twice adds up.

    Args:
        option: what the texts were given as, for the error.
        texts: CHOICE=VALUE, or CHOICE=VALUE,VALUE; a choice's path may itself hold `=`, a value not.

    Raises:
        SpaceError: a text has another form.

    Example:
        >>> read_limits("--fix", ["width=16,32", "op=conv/kernel=3", "width=64"])
        {'width': ['16', '32', '64'], 'op=conv/kernel': ['3']}
    """
    limits: dict[str, list[str]] = {}
    for text in texts:
        choice, _, values = text.rpartition("=")
        words = [word.strip() for word in values.split(",")]
        if not choice.strip() or not all(words):
            raise SpaceError(f"{option} {text!r} has not the form CHOICE=VALUE: write {option} width=16,32, say.")
        limits.setdefault(choice.strip(), []).extend(words)
    return limits
