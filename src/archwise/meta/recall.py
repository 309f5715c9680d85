"""What an experience tells a new search of past tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from archwise.experience import Experience, SearchRecord
from archwise.experience.records import TrialOutline
from archwise.meta.past_task import PastTask
from archwise.spaces.joint import JointSpace

TASKS = 64
"""Most past tasks that are recalled: the same data first, then the latest."""
TRIALS = 100
"""Most trials of each: the best 30, and evenly spread ones."""
LEAST = 3
"""Fewest finished trials of a past task that is recalled."""


def recall(memory: Experience, fingerprint: str, space: JointSpace) -> list[dict[str, Any]]:
    """Return which trials of past tasks a new search is shown.

    Trials of one task are of one past task as far as their scores have one meaning: the same objective, and the same
    length of a full training.

    Args:
        memory: what is known.
        fingerprint: of the new search's task.
        space: its candidates.

    Returns:
        The past tasks as plain data: "task" (its name), "same_data" (whether it is the new one), and "searches" (id ->
        numbers of trials). It is kept with the new search, which stays the same when others are recorded.
    """
    hashes = space.network.hash, space.recipe.hash
    groups: dict[tuple[str, str, Any], list[SearchRecord]] = defaultdict(list)
    for search in memory.searches():
        if (search.space, search.recipe_space) == hashes:
            groups[search.task, search.objective, search.settings.get("epochs")].append(search)
    names = {task.fingerprint: task.name for task in memory.tasks()}
    latest_first = sorted(
        groups.items(),
        key=lambda group: (group[0][0] == fingerprint, max(search.started for search in group[1])),
        reverse=True,
    )
    recalled: list[dict[str, Any]] = []
    for (task, *_), searches in latest_first:
        chosen = _chosen(outline for search in searches for outline in memory.outlines(search.id))
        if sum(outline.score is not None for outline in chosen) >= LEAST:
            numbers: dict[str, list[int]] = defaultdict(list)
            for outline in chosen:
                numbers[outline.search].append(outline.number)
            recalled.append({"task": names[task], "same_data": task == fingerprint, "searches": dict(numbers)})
        if len(recalled) == TASKS:
            break
    return recalled


def past_tasks(memory: Experience, recalled: Sequence[dict[str, Any]]) -> list[PastTask]:
    """Return past tasks with their trials.

    Args:
        memory: what is known; what it has lost is left out.
        recalled: what `recall` returned.
    """
    tasks = []
    for entry in recalled:
        trials = [
            trial
            for search, numbers in entry["searches"].items()
            for trial in memory.trials(search, numbers)
            if trial.purpose == "search"
        ]
        tasks.append(PastTask(entry["task"], trials))
    return tasks


def told(recalled: Sequence[dict[str, Any]]) -> list[str]:
    """Return in words what a search knows of past tasks; nothing where there is none.

    Example:
        >>> told([{"task": "iris", "same_data": False}, {"task": "wine", "same_data": False}])
        ['it knows 2 past tasks in this space (iris, wine)']
    """
    if not recalled:
        return []
    names = list(dict.fromkeys(entry["task"] for entry in recalled))
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    tasks = "a past task" if len(names) == 1 else f"{len(names)} past tasks"
    words = [f"it knows {tasks} in this space ({listed})"]
    if any(entry["same_data"] for entry in recalled):
        words.append(
            "the same data was searched before, perhaps with other splits, so the test figure may flatter a little"
        )
    return words


def _chosen(outlines: Iterable[TrialOutline]) -> list[TrialOutline]:
    """Return the trials that are shown: none that another continued, and of many the best and evenly spread ones."""
    every = list(outlines)
    continued = {(outline.search, outline.parent) for outline in every}
    ended = [outline for outline in every if (outline.search, outline.number) not in continued]
    if len(ended) <= TRIALS:
        return ended
    order = sorted(
        range(len(ended)), key=lambda i: (ended[i].score is None, -ended[i].fidelity, -(ended[i].score or 0.0))
    )
    best = set(order[: 3 * TRIALS // 10])
    rest = [i for i in range(len(ended)) if i not in best]
    spread = {rest[i * len(rest) // (TRIALS - len(best))] for i in range(TRIALS - len(best))}
    return [ended[i] for i in sorted(best | spread)]
