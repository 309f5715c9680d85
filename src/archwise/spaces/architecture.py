"""An architecture: the record of the choices made, as a value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archwise.errors import SpaceError

Label = str | int | float | bool
"""What an option is called in a record: the option itself where it is a number, a word or a truth value."""


class Architecture(Mapping[str, Label]):
    """One member of a space: which option was taken at each choice that was met, in the order of the space's tree.

    It is immutable and hashable, compares by content, round-trips through JSON, and knows nothing of data shapes.

    Args:
        choices: path of each active choice -> label of the option taken.

    Example:
        >>> a = Architecture({"depth": 2, "op": "conv", "op=conv/kernel": 3})
        >>> a["depth"], a == Architecture.from_json(a.to_json()), len({a, Architecture(dict(a))})
        (2, True, 1)
    """

    __slots__ = ("_choices", "_hash")

    def __init__(self, choices: Mapping[str, Label]):
        self._choices = dict(choices)
        self._hash = hash(json.dumps(self._choices, sort_keys=True))

    def __getitem__(self, path: str) -> Label:
        return self._choices[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self._choices == other._choices

    def __hash__(self) -> int:
        return self._hash

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
        if not isinstance(data, dict) or not all(isinstance(v, str | int | float | bool) for v in data.values()):
            raise SpaceError(f"An architecture is an object of path -> option, not {str(data)[:80]!r}.")
        return cls(data)


class Candidate(NamedTuple):
    """What a strategy chooses: a network's architecture and the recipe that trains it."""

    architecture: Architecture
    recipe: Architecture
