"""What the experience keeps beside the trials, as values."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from archwise.experience.versions import hardware, versions
from archwise.signature import Signature

SearchState = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True)
class TaskRecord:
    """What is remembered of a task; never its data.

    Args:
        fingerprint: hash of the data; two tasks with the same fingerprint are one.
        name: what people call it.
        problem: "binary", "multiclass" or "regression".
        signature: shapes of the input and the output.
        objective: name of the metric that its trials' scores come from.
        sizes: examples in each split.
        descriptor: numbers that describe the task, by which similar tasks are found; None where not computed.
        sketch: numbers by which nearly the same data is recognised; None where not computed.

    Example:
        >>> from archwise.signature import Signature
        >>> TaskRecord("5f3a", "iris", "multiclass", Signature((4,), 3, "table"), "accuracy", {"train": 96})
        TaskRecord(fingerprint='5f3a', name='iris', ...)
    """

    fingerprint: str
    name: str
    problem: str
    signature: Signature
    objective: str
    sizes: Mapping[str, int]
    descriptor: Mapping[str, Any] | None = None
    sketch: Sequence[int] | None = None


@dataclass(frozen=True)
class SpaceRecord:
    """A search space, of networks or of recipes.

    Args:
        hash: the space's hash; two spaces with the same hash are one.
        name: what people call it.
        description: the space's tree as JSON data.
    """

    hash: str
    name: str
    description: Any


@dataclass(frozen=True)
class SearchRecord:
    """One run of a strategy on a task within a budget.

    Args:
        task: fingerprint of the task.
        space: hash of the networks' space.
        recipe_space: hash of the recipes' space.
        strategy: name of the strategy.
        seed: the search's seed, within 64 bits with sign.
        objective: the metric that the scores come from (errors negated); not always the task's default.
        settings: the strategy's settings.
        budget: what limits the search ("trials", "seconds", ...).
        run: the run folder.
        versions: of archwise, Python, PyTorch and NumPy; collected when left out.
        hardware: the machine; collected when left out.
        id: a new UUID when left out.
        started: seconds since the epoch; now when left out.
        ended: seconds since the epoch; None while it runs.
        state: "running", "finished", "interrupted" or "failed".
        source: where the search came from, if not from this experience: the experience or file that it was taken from.
    """

    task: str
    space: str
    recipe_space: str
    strategy: str
    seed: int
    objective: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""
    versions: Mapping[str, str] = field(default_factory=versions)
    hardware: Mapping[str, Any] = field(default_factory=hardware)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    ended: float | None = None
    state: SearchState = "running"
    source: str = ""


@dataclass(frozen=True)
class TaskSummary:
    """What the experience knows of one task under one objective (scores of two metrics cannot be compared).

    Args:
        name: the task's name.
        problem: "binary", "multiclass" or "regression".
        examples: examples in all splits together.
        objective: the metric.
        searches: how many searches.
        finished: trials that finished.
        failed: trials that failed.
        pruned: trials that were stopped early.
        best: the best finished trial's metric on validation, in its natural sign; None without one.
        last_used: when the last trial was recorded or search begun, seconds since the epoch; None if never.
        elsewhere: how many of the trials were taken from other experiences, by merging or importing.
    """

    name: str
    problem: str
    examples: int
    objective: str
    searches: int
    finished: int
    failed: int
    pruned: int
    best: float | None
    last_used: float | None
    elsewhere: int


@dataclass(frozen=True)
class Origin:
    """What was taken from one other experience.

    Args:
        source: where it was taken from, how, and when.
        searches: how many searches.
        trials: how many trials.
    """

    source: str
    searches: int
    trials: int


@dataclass(frozen=True)
class Amounts:
    """How many records there are, or were new.

    Args:
        tasks: tasks.
        spaces: search spaces.
        searches: searches.
        trials: trials, when something was taken in, those of known searches as well.
        left: searches that were left as they are, because a file must not change this experience's own.
    """

    tasks: int = 0
    spaces: int = 0
    searches: int = 0
    trials: int = 0
    left: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Summary:
    """What an experience holds, for people.

    Args:
        location: the file, or the URL without its password.
        tasks: one entry for each task and objective, last used first.
        file_bytes: size of the file and its log; None where the experience is not a file.
        origins: what was taken from other experiences, by where it was taken from.
    """

    location: str
    tasks: tuple[TaskSummary, ...]
    file_bytes: int | None
    origins: tuple[Origin, ...]

    @property
    def searches(self) -> int:
        """Searches of all tasks."""
        return sum(task.searches for task in self.tasks)

    @property
    def trials(self) -> int:
        """Trials of all tasks, however they ended."""
        return sum(task.finished + task.failed + task.pruned for task in self.tasks)
