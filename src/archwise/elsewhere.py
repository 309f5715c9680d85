"""What earlier searches found best, for a search that chooses its strategy itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from archwise.experience import Experience
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

SEARCHES = 20
"""Most earlier searches that are shown: those on the same data first, then the latest."""
EACH = 3
"""Trials that each of them shows; one with fewer says too little."""


def earlier_searches(memory: Experience, fingerprint: str, seed: int, space: JointSpace) -> list[dict[str, Any]]:
    """Return the earlier searches in a space, those that are to be believed first, with their best trials.

    Searches on the same data with another seed are left out: what chose their best has seen rows that are in the test
    split now.

    Args:
        memory: what is known.
        fingerprint: of the new search's task.
        seed: of the new search.
        space: its candidates.

    Returns:
        The searches as plain data: id, name of the task, and the numbers of the best trials, best first. It is kept
        with the new search, which stays the same when others are recorded.
    """
    hashes = space.network.hash, space.recipe.hash
    alike = [search for search in memory.searches() if (search.space, search.recipe_space) == hashes]
    fitting = [search for search in alike if search.task != fingerprint or search.seed == seed]
    fitting.sort(key=lambda search: (search.task == fingerprint, search.started), reverse=True)
    names = {known.fingerprint: known.name for known in memory.tasks()}
    found = ((search, [trial.number for trial in memory.best(search.id, EACH)]) for search in fitting)
    telling = ((search, numbers) for search, numbers in found if len(numbers) == EACH)
    return [
        {"search": search.id, "task": names[search.task], "best": numbers}
        for search, numbers in islice(telling, SEARCHES)
    ]


def shown(memory: Experience, earlier: Sequence[dict[str, Any]]) -> list[Trial]:
    """Return the best trials of earlier searches as a strategy sees them.

    Args:
        memory: what is known; what it has lost is left out.
        earlier: what `earlier_searches` returned.
    """
    best = []
    for search in earlier:
        recorded = memory.trials(search["search"], search["best"])
        by_number = {trial.number: trial for trial in recorded if trial.purpose == "search"}
        best.append([by_number[number] for number in search["best"] if number in by_number])
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
    """Return in words what a search is shown; nothing where there is no earlier one.

    Example:
        >>> told([{"task": "iris"}, {"task": "digits"}, {"task": "iris"}])
        ['it is shown the best of 3 earlier searches in this space (iris, digits)']
    """
    if not earlier:
        return []
    names = ", ".join(dict.fromkeys(search["task"] for search in earlier))
    searches = "an earlier search" if len(earlier) == 1 else f"{len(earlier)} earlier searches"
    return [f"it is shown the best of {searches} in this space ({names})"]
