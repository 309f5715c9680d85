"""What an experience tells a new search of past tasks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from archwise.experience import Experience, TaskRecord
from archwise.experience.past import Outline, PastSearch, past_searches, thinned
from archwise.meta.labels import labels
from archwise.meta.past_spaces import PastSpaces, Reader, Rebuild, numbers_of
from archwise.meta.past_task import PastTask
from archwise.meta.similarity import similarity
from archwise.signature import Signature
from archwise.spaces.joint import JointSpace
from archwise.tasks.sketch import SAME, overlap

TASKS = 64
"""Most past tasks that are recalled: the same data first, then the most alike, then the latest."""
LOOKED_AT = 256
"""Most past tasks that are looked at for those."""
NEAREST = 20
"""The first of these, of which more trials are shown."""
TRIALS, FEWER = 100, 40
"""Most trials of each of the first past tasks, and of each of the others: the best 30 %, and evenly spread ones."""
LEAST = 3
"""Fewest finished trials of a past task that is recalled."""
ENOUGH = 30
"""Finished trials of candidates of the space itself with which those of other spaces are not needed, and fewest of
another space that say something."""
LENGTHS = 1.5
"""Ratio between lengths of full trainings whose scores are not compared."""
SHORTEST, LONGEST = 1e-6, 1e9
"""Passes between which a recorded length is believed."""
LEFT_OUT = 0.1
"""Share of common rows from which a past task can be left out for holding the same data."""
SAME_DATA, NOT_COMPARABLE = "same data", "not comparable"
"""Why a past task was left out."""
FLATTERS = "the test figure may flatter a little"

Entry = dict[str, Any]
"""A past task as plain data; see `recall`."""


class Meaning(NamedTuple):
    """What searches share whose scores can be compared."""

    task: str
    """Fingerprint of the task."""
    objective: str
    epochs: float | None
    """About how long a full training is, in passes: measured lengths that differ by a quarter or less may be one."""
    search: str = ""
    """The only search of this meaning, where nobody knows how long its trainings were."""

    @classmethod
    def of(cls, search: PastSearch) -> Meaning:
        """Return what a search's scores mean."""
        if search.epochs is None or not SHORTEST <= search.epochs <= LONGEST:
            return cls(search.task, search.objective, None, search.id)
        return cls(search.task, search.objective, LENGTHS ** round(math.log(search.epochs, LENGTHS)))


def recall(
    memory: Experience,
    task: TaskRecord,
    space: JointSpace,
    rebuild: Rebuild | None = None,
    leave_out_same_data: bool = False,
) -> list[Entry]:
    """Return which trials of past tasks a new search is shown.

    Trials of one task are of one past task as far as their scores have one meaning: the same objective, and the same
    length of a full training. Those of other spaces are among them as far as they mean a candidate of this one. Where
    few do, but the other space can be built again and has layers in common with this one, they are an entry for itself.

    Args:
        memory: what is known.
        task: the new search's.
        space: its candidates.
        rebuild: builds past spaces again, see `archwise.rebuilding`; without it, those trials are not shown whose
            candidates are not the space's.
        leave_out_same_data: whether past tasks that hold some of the new one's data are not shown, as must be where a
            method is judged by what it learns from other data. Those are not shown either of which nobody can tell, as
            there is no sketch of their rows or of the new one's.

    Returns:
        The past tasks as plain data: "task" (its name), "label" (a name that no other has), "fingerprint", "same_data"
        (the share of its rows that are the new one's), "descriptor", "objective", "epochs" (of its latest search),
        "searches" (id -> numbers of trials), and "readings" (id -> how its records are read) of those searches whose
        spaces have changed since; one has "foreign" whose trials are of another space. It is kept with the new search,
        which stays the same when others are recorded. One that was left out has "left_out" (why) and no searches.
    """
    searches: dict[Meaning, list[PastSearch]] = defaultdict(list)
    for search in past_searches(memory):
        searches[Meaning.of(search)].append(search)
    tasks = {past.fingerprint: past for past in memory.tasks()}
    shares = {name: _share(task, past) for name, past in tasks.items()}
    spaces = PastSpaces(memory, space, rebuild)
    recalled: list[Entry] = []
    for meaning in _nearest_first(task, searches, tasks, shares)[:LOOKED_AT]:
        past, share = tasks[meaning.task], shares[meaning.task]
        entry: Entry = {"task": past.name, "fingerprint": past.fingerprint, "same_data": share}
        known = sum("left_out" not in other for other in recalled)
        if leave_out_same_data and (share >= LEFT_OUT or not _comparable(task, past)):
            why = SAME_DATA if share >= LEFT_OUT else NOT_COMPARABLE
            recalled.append({**entry, "left_out": why, "searches": {}})
        elif known < TASKS:
            entry |= {"descriptor": past.descriptor, "objective": meaning.objective}
            entry["epochs"] = searches[meaning][-1].epochs
            most = TRIALS if known < NEAREST else FEWER
            recalled += [{**entry, **shown} for shown in _shown(searches[meaning], spaces, past.signature, most)]
    told_apart = [entry for entry in recalled if "left_out" not in entry]
    for entry, label in zip(told_apart, labels(told_apart), strict=True):
        entry["label"] = label
    return recalled


def past_tasks(
    memory: Experience, recalled: Sequence[Entry], space: JointSpace, rebuild: Rebuild | None = None
) -> list[PastTask]:
    """Return past tasks with their trials.

    Args:
        memory: what is known; what it has lost is left out.
        recalled: what `recall` returned.
        space: the candidates of the search that it was returned for.
        rebuild: as for `recall`.
    """
    known = {task.fingerprint: task for task in memory.tasks()} if recalled else {}
    reader = Reader(memory, space, rebuild)
    tasks = []
    for entry in recalled:
        searches, readings = entry["searches"], entry.get("readings", {})
        task = known.get(entry.get("fingerprint", ""))
        foreign = reader.foreign_space(next(iter(searches)), task.signature) if "foreign" in entry and task else None
        if searches and bool(foreign) == ("foreign" in entry):
            trials = (reader.trials(search, numbers, readings.get(search)) for search, numbers in searches.items())
            # Earlier versions kept neither of these.
            described = entry.get("descriptor", task.descriptor if task else None)
            name = str(entry.get("label", entry["task"]))
            same: float = entry.get("same_data", 0.0)
            tasks.append(PastTask(name, list(chain.from_iterable(trials)), described, foreign, same))
    return tasks


def told(recalled: Sequence[Entry]) -> list[str]:
    """Return in words what a search knows of past tasks; nothing where there is none.

    Example:
        >>> told([{"task": "iris", "same_data": 0.93, "searches": {"a": [1]}}])
        ['it knows a past task in this space (iris)',
         'the experience holds nearly the same data under the name iris (93 % of its rows), so the test figure ...']
    """
    shown = [entry for entry in recalled if entry["searches"]]
    words = []
    for foreign, where in ((False, "in this space"), (True, "in a space with layers in common")):
        names = list(dict.fromkeys(entry["task"] for entry in shown if ("foreign" in entry) == foreign))
        if names:
            tasks = "a past task" if len(names) == 1 else f"{len(names)} past tasks"
            words.append(f"it knows {tasks} {where} ({_listed(names)})")
    for share, name in sorted({(entry["same_data"], entry["task"]) for entry in shown}, reverse=True):
        if share >= 1:
            words.append(f"the same data was searched before ({name}), perhaps with other splits, so {FLATTERS}")
        elif share >= SAME:
            holds = f"the experience holds nearly the same data under the name {name}"
            words.append(f"{holds} ({100 * share:.0f} % of its rows), so {FLATTERS}")
    left_out = [entry for entry in recalled if "left_out" in entry]
    incomparable = list(dict.fromkeys(e["task"] for e in left_out if e["left_out"] == NOT_COMPARABLE))
    same = list(dict.fromkeys(e["task"] for e in left_out if e["left_out"] != NOT_COMPARABLE))
    if same:
        words.append(f"past tasks with some of the same data were left out ({_listed(same)})")
    if incomparable:
        without = f"past tasks without a sketch of their rows were left out ({_listed(incomparable)})"
        words.append(f"{without}, as nobody can tell whether they hold the same data")
    return words


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _share(new: TaskRecord, past: TaskRecord) -> float:
    """Return the share of common rows, of the smaller of two tasks."""
    if new.fingerprint == past.fingerprint:
        return 1.0
    return round(overlap(new.sketch, past.sketch, targets=False), 2)


def _comparable(new: TaskRecord, past: TaskRecord) -> bool:
    """Whether two tasks have sketches, by which it can be told how much of their data is the same."""
    return bool(new.sketch and past.sketch)


def _nearest_first(
    new: TaskRecord,
    searches: Mapping[Meaning, Sequence[PastSearch]],
    tasks: Mapping[str, TaskRecord],
    shares: Mapping[str, float],
) -> list[Meaning]:
    """Return past tasks: those of the same data first, then the most alike, then the latest."""
    searched = list(dict.fromkeys(meaning.task for meaning in searches))
    weights = similarity(new.descriptor, [tasks[name].descriptor for name in searched])
    alike = dict(zip(searched, weights.round(9).tolist(), strict=True))

    def order(meaning: Meaning) -> tuple[float, float, float]:
        share = shares[meaning.task]
        return share if share >= SAME else 0.0, alike[meaning.task], searches[meaning][-1].started

    return sorted(searches, key=order, reverse=True)


def _shown(searches: Sequence[PastSearch], spaces: PastSpaces, signature: Signature, most: int) -> list[dict[str, Any]]:
    """Return which trials of searches are shown and how they are read; nothing where too few finished."""
    found: list[Outline] = []
    readings: dict[str, Any] = {}
    for outlines, reading in spaces.outlines(searches, most):
        found += outlines
        if reading is not None:
            readings |= dict.fromkeys((outline.search for outline in outlines), reading.to_json())
    shown: list[dict[str, Any]] = []
    if _finished(found) >= LEAST:
        numbers = numbers_of(thinned(found, most))
        told = {search: readings[search] for search in numbers if search in readings}
        shown.append({"searches": numbers} | ({"readings": told} if told else {}))
    if _finished(found) < ENOUGH:
        foreign = spaces.foreign(searches, signature, ENOUGH, most)
        if foreign:
            shown.append({"searches": numbers_of(foreign), "foreign": True})
    return shown


def _finished(found: Sequence[Outline]) -> int:
    return sum(outline.score is not None for outline in found)
