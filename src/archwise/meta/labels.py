"""Names that tell past tasks of one data set apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archwise.meta.transfer import NAMED


def labels(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a name for each past task that no other one has: where several have one, with what they differ in.

    Args:
        entries: "task" (its name), "objective", "epochs" (the length of a full training), and "foreign" where its
            trials are of another space.

    Returns:
        Names of at most `NAMED` characters, as more are not said of a proposal. Past tasks that differ in nothing of
        this are numbered.

    Example:
        >>> iris = {"task": "iris", "objective": "accuracy", "epochs": 20}
        >>> labels([iris, {**iris, "task": "wine"}]), labels([iris, {**iris, "epochs": 2}, iris])
        (['iris', 'wine'], ['iris (20 passes)', 'iris (2 passes)', 'iris (20 passes, 2)'])
        >>> labels([iris, {**iris, "foreign": True}, {**iris, "objective": "f1"}])
        ['iris (accuracy)', 'iris (accuracy, another space)', 'iris (f1)']
    """
    found: list[str] = []
    for entry in entries:
        alike = [_facts(other) for other in entries if other["task"][:NAMED] == entry["task"][:NAMED]]
        differing = [len(set(values)) > 1 for values in zip(*alike, strict=True)]
        told = [fact for fact, differs in zip(_facts(entry), differing, strict=True) if differs and fact]
        label, number = _label(entry["task"], told), 1
        while label in found:
            number += 1
            label = _label(entry["task"], [*told, str(number)])
        found.append(label)
    return found


def _facts(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    epochs = entry["epochs"]
    passes = f"{epochs:.3g} {'pass' if epochs == 1 else 'passes'}" if epochs else "trainings of unknown length"
    return entry["objective"], passes, "another space" if "foreign" in entry else ""


def _label(name: str, told: Sequence[str]) -> str:
    more = f" ({', '.join(told)})" if told else ""
    return f"{name[: NAMED - len(more)]}{more}"
