"""What a user fixes or excludes, applied to the space of networks and to that of recipes alike."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from archwise.errors import SpaceError
from archwise.spaces.architecture import Label
from archwise.spaces.occurrences import occurrences
from archwise.spaces.space import Space

Limits = Mapping[str, Label | Sequence[Label]]
"""Path, name or pattern of choices -> option or options."""


def limit_spaces(spaces: Sequence[Space], fix: Limits, exclude: Limits) -> list[Space]:
    """Return the spaces with some options alone, and without some others.

    Args:
        spaces: a pattern must fit a choice of at least one of them.
        fix: the options that stay open; one that is written as text is taken for the option that it is the text of,
            so "3" may mean 3, and "true" True.
        exclude: the options that are left out, likewise.

    Raises:
        SpaceError: a pattern fits no choice, a label is no option of a choice that it fits, or no option is left.

    Example:
        >>> from archwise.spaces import Choice, Settings, Space
        >>> space = Space(Settings(depth=Choice("depth", [1, 2, 3]), skip=Choice("skip", [True, False])), "tiny")
        >>> [smaller] = limit_spaces([space], {"depth": ["2", "3"]}, {"skip": "true"})
        >>> list(smaller.enumerate())
        [Architecture({'depth': 2, 'skip': False}), Architecture({'depth': 3, 'skip': False})]
    """
    limited = list(spaces)
    for change, limits in (("fix", fix), ("exclude", exclude)):
        for pattern, given in limits.items():
            labels = [given] if isinstance(given, str | int | float) else list(given)
            fitting = [i for i, space in enumerate(spaces) if any(_options(space, pattern))]
            if not fitting:
                raise _unknown(spaces, pattern)
            for i in fitting:
                options = [label for labels in _options(spaces[i], pattern) for label in labels]
                limited[i] = getattr(limited[i], change)({pattern: [_meant(label, options) for label in labels]})
    return limited


def _options(space: Space, pattern: str) -> Iterator[tuple[Label, ...]]:
    """Yield the labels of each choice that has that path or name, or that the pattern fits."""
    for path, choice in occurrences(space.root):
        if pattern in (path, choice.name) or fnmatchcase(path, pattern):
            yield choice.labels


def _meant(given: Label, options: Sequence[Label]) -> Label:
    """Return the option that is given, or written: itself, a truth value by its name, or a number by its value."""
    if not isinstance(given, str) or given in options:
        return given
    for option in options:
        if isinstance(option, bool):
            if given.lower() == str(option).lower():
                return option
            continue
        with suppress(ValueError):
            if float(option) == float(given):
                return option
    return given


def _unknown(spaces: Sequence[Space], pattern: str) -> SpaceError:
    names = list(dict.fromkeys(choice.name for space in spaces for _, choice in occurrences(space.root)))
    close = difflib.get_close_matches(pattern, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"take one of {', '.join(names)}."
    return SpaceError(f"No choice of the space {spaces[0].name!r} or of its recipe fits {pattern!r}: {hint}")
