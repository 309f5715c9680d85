"""What is left of records when nobody is to be recognised by them: descriptors, choices and outcomes."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from archwise.experience import schema
from archwise.experience.entries import Entry
from archwise.experience.experience import Experience
from archwise.experience.fields import FIELDS

MARK = "anonymous:"
"""How pseudonyms begin; what begins so is one already and is passed on as it is."""
RECIPES = ("recipe-table", "recipe-image", "recipe-series")
"""Names of the ready-made spaces of recipes."""
METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc", "log_loss", "rmse", "mae", "r2")
COSTS = ("parameters", "flops", "latency_ms", "memory_bytes", "train_seconds")
"""Metrics and costs whose names are archwise's own; the names of others become pseudonyms."""
REASONS = (
    "cannot be built",
    "crash",
    "diverged",
    "memory limit",
    "out of memory",
    "the network cannot be built",
    "time limit",
    "too slow",
)
"""How reasons begin that archwise gives; what follows may hold names and is cut off."""

_KEY = "anonymous_key"


def pseudonym_key(experience: Experience) -> bytes:
    """Return the secret that an experience's pseudonyms are made with: the same whenever it is asked."""

    def work(connection: Connection) -> str:
        found = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == _KEY))
        if found is None:
            found = secrets.token_hex(32)
            connection.execute(insert(schema.meta).values(key=_KEY, value=found))
        return str(found)

    return bytes.fromhex(experience.database.write(work))


def pseudonym(key: bytes, kind: str, name: str) -> str:
    """Return what stands for a name: without the key nobody can tell which name it was, or try some.

    Example:
        >>> first, again = pseudonym(b"secret", "task", "5f3a"), pseudonym(b"secret", "task", "5f3a")
        >>> first == again == pseudonym(b"other", "task", first), first == pseudonym(b"other", "task", "5f3a")
        (True, False)
    """
    if name.startswith(MARK):
        return name
    return MARK + hmac.new(key, f"{kind}:{name}".encode(errors="replace"), hashlib.sha256).hexdigest()[:32]


def anonymous(entry: Entry, key: bytes) -> Entry:
    """Return an entry without all that names somebody or something, or tells which data it was."""
    return Entry(entry.kind, _ANONYMOUS[entry.kind](entry.row, key))


def _space(row: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    from archwise.spaces.ready import READY  # it needs PyTorch

    name, description = row["name"], row["description"]
    if name not in READY and name not in RECIPES:
        name = row["hash"]
    if isinstance(description, dict) and "name" in description:
        description = description | {"name": name}
    return {"hash": row["hash"], "name": name, "description": description}


def _task(row: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    fingerprint = pseudonym(key, "task", row["fingerprint"])
    return {
        "fingerprint": fingerprint,
        "name": f"anonymous-{fingerprint.removeprefix(MARK)[:8]}",
        "problem": row["problem"],
        "signature": row["signature"],
        "objective": _measure(row["objective"], key),
        "sizes": {
            name: round(_rounded(size, 2))
            for name in ("train", "validation", "test")
            if (size := row["sizes"].get(name))
        },
        "descriptor": None if row["descriptor"] is None else _rounded_numbers(row["descriptor"]),
        "sketch": None,
    }


def _search(row: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    machine = row["hardware"]
    return {
        "id": pseudonym(key, "search", row["id"]),
        "task": pseudonym(key, "task", row["task"]),
        "space": row["space"],
        "recipe_space": row["recipe_space"],
        "strategy": "",
        "settings": _settings(row["settings"]),
        "seed": row["seed"],
        "objective": _measure(row["objective"], key),
        "budget": _only(row["budget"], ("trials", "minutes", "seconds")),
        "run": "",
        "versions": {
            name: found.group()
            for name in ("archwise", "python", "torch", "numpy")
            if (found := re.match(r"\d+(\.\d+)*", str(row["versions"].get(name, ""))))
        },
        # What costs in seconds depend on.
        "hardware": {name: machine[name] for name in ("cpu", "cores", "gpus") if name in machine},
        "started": _month(row["started"]),
        "ended": None if row["ended"] is None else _month(row["ended"]),
        "state": row["state"],
        "source": "",
    }


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How long a full training is, on which the meaning of scores depends; and how a ready-made space was limited."""
    from archwise.spaces.ready import READY

    ready = isinstance(settings.get("space"), str) and settings["space"] in READY
    limits = ("space", "fix", "exclude") if ready else ()
    return _only(settings, ("epochs",)) | {name: settings[name] for name in limits if name in settings}


def _trial(row: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    # Fields are named one by one on purpose where a new one could tell too much; here all others are choices, numbers
    # and outcomes.
    left_out = {
        "search": pseudonym(key, "search", row["search"]),
        "reason": next((words for words in REASONS if row["reason"].startswith(words)), ""),
        "traceback": "",
        "metrics": {_measure(name, key): value for name, value in row["metrics"].items()},
        "costs": {_measure(name, key): value for name, value in row["costs"].items()},
        "origin": "",
        "started": _month(row["started"]),
        "created": _month(row["created"]),
    }
    return {name: row[name] for name in FIELDS["trial"] if name not in left_out} | left_out


_ANONYMOUS = {"space": _space, "task": _task, "search": _search, "trial": _trial}


def _measure(name: str, key: bytes) -> str:
    return name if name in METRICS or name in COSTS else pseudonym(key, "measure", name)


def _only(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if _is_number(values.get(name))}


def _rounded_numbers(descriptor: Mapping[str, Any]) -> dict[str, float]:
    return {name: _rounded(value, 3) for name, value in descriptor.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rounded(value: float, digits: int) -> float:
    return round(value, digits - 1 - math.floor(math.log10(abs(value)))) if value else value


def _month(seconds: float) -> float:
    """The first moment of a month: when somebody works is nobody's business."""
    return datetime.fromtimestamp(seconds, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
