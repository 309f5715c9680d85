"""What each field of a record in a file may hold; nothing that a stranger wrote is believed before."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

from archwise.experience.entries import Kind
from archwise.experience.records import SearchState
from archwise.experience.rows import TRACEBACK_CHARACTERS
from archwise.signature import DIMENSIONS
from archwise.signature import Kind as InputKind
from archwise.spaces.architecture import is_label
from archwise.trial import Status

Check = Callable[[Any], Any]
"""Returns the value as it is kept; raises a ValueError that says what the value is instead."""

_LATEST = 250_000_000_000.0
_LARGEST = 1e12
"""Of descriptors' numbers and of durations: sums and squares of them stay finite."""
_LARGEST_SCORE = 1e100
"""More than the square of any float32 number, so no network's honest score is refused, and squares stay finite."""
_BITS = 63
_DEEPEST = 200


def checked(kind: Kind, record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose every field was checked.

    Raises:
        ValueError: a field is missing, unknown or not what it must be; the text stands in the middle of a sentence.
    """
    known = FIELDS[kind]
    if known.keys() != record.keys():
        odd = sorted(known.keys() ^ record.keys(), key=str)[0]
        raise ValueError(f"a {kind} {'has no' if odd in known else 'has an unknown'} {shown(odd)}")
    row = {}
    for name, check in known.items():
        try:
            row[name] = check(record[name])
        except ValueError as error:
            raise ValueError(f"the {kind}'s {name} {error}") from None
    if kind == "trial":
        if row["status"] == "finished" and row["score"] is None:
            raise ValueError("the trial finished without a score")
        for name in ("parent", "inherits"):
            if row[name] is not None and row[name] >= row["number"]:
                raise ValueError(f"the trial's {name} is not an earlier trial")
    return row


def shown(value: Any) -> str:
    """Return a value as it can stand in a sentence, whatever it is."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse(value: Any, wanted: str) -> ValueError:
    return ValueError(f"is {shown(value)}, not {wanted}")


def _word(value: Any) -> str:
    if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable():
        return value
    raise _refuse(value, "a word of at most 200 letters")


def _text(most: int, kept: str = "") -> Check:
    """Text for people: what could make a terminal do something is replaced."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise _refuse(value, f"text of at most {most:,} letters")
        if value.isprintable():
            return value
        return "".join(letter if letter.isprintable() or letter in kept else "\ufffd" for letter in value)

    return check


def _one_of(*options: str) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, str) and value in options:
            return value
        raise _refuse(value, f"one of {', '.join(options)}")

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is int and least <= value <= most:
            return value
        raise _refuse(value, f"a whole number from {least} to {most}")

    return check


def _finite(value: Any) -> float:
    try:
        if type(value) in (int, float) and math.isfinite(value):
            return value  # type: ignore[no-any-return]
    except OverflowError:
        pass
    raise _refuse(value, "a finite number")


def _between(least: float, most: float) -> Check:
    def check(value: Any) -> float:
        if least <= _finite(value) <= most:
            return float(value)
        raise _refuse(value, f"a number from {least:g} to {most:g}")

    return check


def _fidelity(value: Any) -> float:
    if 0 < _finite(value) <= 1:
        return float(value)
    raise _refuse(value, "a number above 0 and at most 1")


def _measured(value: Any) -> Any:
    """A number, or what `rows.plain` makes of one that is not finite."""
    return value if value is None or value in ("Infinity", "-Infinity") else _finite(value)


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _list(check: Check, least: int, most: int) -> Check:
    def checked_list(value: Any) -> list[Any]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise _refuse(value, f"a list of {least} to {most:,} entries")
        return [check(item) for item in value]

    return checked_list


def _object(check: Check, most: int = 10_000) -> Check:
    def checked_object(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > most:
            raise _refuse(value, f"an object of at most {most:,} entries")
        return {_unicode(name): check(item) for name, item in value.items()}

    return checked_object


def _unicode(value: str) -> str:
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _refuse(value, "text that can be written down")
    return value


def _label(value: Any) -> Any:
    if not is_label(value):
        raise _refuse(value, "an option's word, finite number or truth value")
    return _unicode(value) if isinstance(value, str) else value if isinstance(value, bool) else _finite(value)


def _data(value: Any, depth: int = _DEEPEST) -> Any:
    """Plain data of any form; the reader of lines has bounded its size."""
    if depth == 0:
        raise ValueError(f"is nested more than {_DEEPEST} deep")
    if isinstance(value, dict):
        return {_unicode(name): _data(item, depth - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_data(item, depth - 1) for item in value]
    return value if value is None or isinstance(value, bool) else _label(value)


def _settings(value: Any) -> dict[str, Any]:
    settings: dict[str, Any] = _data_object(value)
    # What later searches read: how long a full training is, and how the space is built again.
    for name, check in (("epochs", _EPOCHS), ("space", _LINE), ("fix", _limits), ("exclude", _limits)):
        if settings.get(name) is not None:
            check(settings[name])
    return settings


def _labels(value: Any) -> list[Any]:
    """An option that stays open or is left out, or several."""
    return [_label(label) for label in (value if isinstance(value, list) else [value])]


def _signature(value: Any) -> dict[str, Any]:
    parts = {
        "input": _list(_whole(1, 2**31), 1, 4),
        "outputs": _whole(1, 2**31),
        "kind": _one_of(*get_args(InputKind)),
    }
    if not isinstance(value, dict) or value.keys() != parts.keys():
        raise _refuse(value, "an object of input, outputs and kind")
    signature = {name: check(value[name]) for name, check in parts.items()}
    given, kind = len(signature["input"]), signature["kind"]
    if given != DIMENSIONS[kind]:
        raise ValueError(f"has {given} for the dimensions of its input, where kind {kind!r} has {DIMENSIONS[kind]}")
    return signature


_NUMBER, _SEED = _whole(0, 2**31 - 1), _whole(-(2**_BITS), 2**_BITS - 1)
_TIME, _LINE, _EPOCHS = _between(0.0, _LATEST), _text(1000), _between(1e-6, 1e9)
_data_object, _limits = _object(_data), _object(_labels)

FIELDS: dict[Kind, dict[str, Check]] = {
    "space": {"hash": _word, "name": _LINE, "description": _data_object},
    "task": {
        "fingerprint": _word,
        "name": _LINE,
        "problem": _word,
        "signature": _signature,
        "objective": _word,
        "sizes": _object(_whole(0, 2**53), 100),
        "descriptor": _or_none(_object(_between(-_LARGEST, _LARGEST), 1000)),
        "sketch": _or_none(_list(_whole(0, 2**53 - 1), 0, 10_000)),
    },
    "search": {
        "id": _word,
        "task": _word,
        "space": _word,
        "recipe_space": _word,
        "strategy": _LINE,
        "settings": _settings,
        "seed": _SEED,
        "objective": _word,
        "budget": _data_object,
        "run": _LINE,
        "versions": _object(_LINE, 100),
        "hardware": _data_object,
        "started": _TIME,
        "ended": _or_none(_TIME),
        "state": _one_of(*get_args(SearchState)),
        "source": _LINE,
    },
    "trial": {
        "search": _word,
        "number": _NUMBER,
        "purpose": _one_of("search", "confirm"),
        "architecture": _object(_label),
        "architecture_hash": _word,
        "recipe": _object(_label),
        "recipe_hash": _word,
        "fidelity": _fidelity,
        "seed": _SEED,
        "status": _one_of(*get_args(Status)),
        "score": _or_none(_between(-_LARGEST_SCORE, _LARGEST_SCORE)),
        "reason": _text(TRACEBACK_CHARACTERS),
        "traceback": _text(TRACEBACK_CHARACTERS, kept="\n\t"),
        "curve": _list(_list(_measured, 5, 5), 0, 100_000),
        "metrics": _object(_measured, 1000),
        "costs": _object(_measured, 1000),
        "parent": _or_none(_NUMBER),
        "inherits": _or_none(_NUMBER),
        "origin": _LINE,
        "started": _TIME,
        "seconds": _between(-_LARGEST, _LARGEST),
        "created": _TIME,
    },
}
"""Kind of record -> field -> what it may hold: the columns of the tables, without their own numbers."""
