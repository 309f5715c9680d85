"""What earlier searches found best, for a search that chooses its strategy itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archwise.experience import Experience
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

SEARCHES = 20
"""Most earlier searches that are looked at: those on the same data first, then the latest."""
EACH = 3
"""Trials that each of them shows."""


def earlier_searches(memory: Experience, fingerprint: str, space: JointSpace) -> list[dict[str, Any]]:
    """Return the searches that ended in the same space, those that are to be believed first, with their best trials.

    Args:
        memory: what is known.
        fingerprint: of the new search's task.
        space: its candidates.

    Returns:
        The searches as plain data: id, name of the task, and the numbers of the best trials, best first. It is kept
        with the new search, which stays the same when others are recorded.
    """
    names = {known.fingerprint: known.name for known in memory.tasks()}
    hashes = space.network.hash, space.recipe.hash
    ended = [s for s in memory.searches() if (s.space, s.recipe_space) == hashes and s.ended is not None]
    ended.sort(key=lambda search: (search.task == fingerprint, search.started), reverse=True)
    found = ((s, [trial.number for trial in memory.best(s.id, EACH)]) for s in ended[:SEARCHES])
    return [{"search": s.id, "task": names[s.task], "best": numbers} for s, numbers in found if numbers]


def shown(memory: Experience, earlier: Sequence[dict[str, Any]]) -> list[Trial]:
    """Return the best trials of earlier searches as a strategy sees them.

    Args:
        memory: what is known.
        earlier: what `earlier_searches` returned.
    """
    best = []
    for search in earlier:
        recorded = memory.trials(search["search"], search["best"])
        by_number = {trial.number: trial for trial in recorded if trial.purpose == "search"}
        best.append([by_number[number] for number in search["best"]])
    return as_shown(best)


def as_shown(best: Sequence[Sequence[Trial]]) -> list[Trial]:
    """Return trials of other searches with numbers below zero, and scores that can be compared.

    Args:
        best: for each search its best trials, best first; these get the scores 1, 1/2, 1/3, ...
    """
    trials = [
        replace(trial, outcome=replace(trial.outcome, score=1 / place), parent=None, inherits=None)
        for of_search in best
        for place, trial in enumerate(of_search, 1)
    ]
    return [replace(trial, number=number) for number, trial in enumerate(trials, -len(trials))]


def told(earlier: Sequence[dict[str, Any]]) -> list[str]:
    """Return in words what a search begins with; nothing where there is no earlier one.

    Example:
        >>> told([{"task": "iris"}, {"task": "digits"}, {"task": "iris"}])
        ['beside the default, it begins with the best of 3 earlier searches in this space (iris, digits)']
    """
    if not earlier:
        return []
    names = ", ".join(dict.fromkeys(search["task"] for search in earlier))
    searches = "an earlier search" if len(earlier) == 1 else f"{len(earlier)} earlier searches"
    return [f"beside the default, it begins with the best of {searches} in this space ({names})"]
