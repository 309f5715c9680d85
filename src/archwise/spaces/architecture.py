"""An architecture: the record of the choices made, as a value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archwise.errors import SpaceError

Label = str | int | float | bool
"""What an option is called in a record: the option itself where it is a number, a word or a truth value."""


def is_label(value: Any) -> bool:
    """Whether a value can stand in a record: a plain word, finite number or truth value."""
    return type(value) in (str, int, bool) or (type(value) is float and math.isfinite(value))


class Architecture(Mapping[str, Label]):
    """One member of a space: which option was taken at each choice that was met, in the order of the space's tree.

    It is immutable and hashable, compares by content (1, 1.0 and True are three different labels), round-trips
    through JSON, and knows nothing of data shapes.

    Args:
        choices: path of each active choice -> label of the option taken.

    Raises:
        SpaceError: a path is no text, or a label no word, finite number or truth value.

    Example:
        >>> a = Architecture({"depth": 2, "op": "conv", "op=conv/kernel": 3})
        >>> a["depth"], a == Architecture.from_json(a.to_json()), len({a, Architecture(dict(a))})
        (2, True, 1)
    """

    __slots__ = ("_choices", "_content")

    def __init__(self, choices: Mapping[str, Label]):
        self._choices = dict(choices)
        for path, label in self._choices.items():
            if not isinstance(path, str) or not is_label(label):
                raise SpaceError(f"An architecture records words, finite numbers and truth values, not {label!r}.")
        self._content = json.dumps(self._choices, sort_keys=True)

    def __getitem__(self, path: str) -> Label:
        return self._choices[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    def __repr__(self) -> str:
        return f"Architecture({self._choices!r})"

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON data: an object of path -> label."""
        return dict(self._choices)

    @classmethod
    def from_json(cls, data: Any) -> Architecture:
        """Rebuild an architecture from what `to_json` returned.

        Raises:
            SpaceError: the data is not an object of words, numbers and truth values.
        """
        if not isinstance(data, dict):
            raise SpaceError(f"An architecture is an object of path -> option, not {str(data)[:80]!r}.")
        return cls(data)


class Candidate(NamedTuple):
    """What a strategy chooses: a network's architecture and the recipe that trains it."""

    architecture: Architecture
    recipe: Architecture
