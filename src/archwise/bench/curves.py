"""Regret curves over evaluations and over simulated time, and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from archwise.bench.simulation import Step
from archwise.evaluators.table import Table

AREA = 60
"""Evaluations over which the area under the regret curve is taken."""
REPORTED = (1, 2, 5, 10, 20, 50, 60, 100, 200)
"""Evaluations at which regrets are reported."""
WORST = 10.0
"""Regret of a search that has no incumbent yet, or whose incumbent has no score: as bad as a broken network."""


class Change(NamedTuple):
    """A change of the incumbent's regret."""

    spent: float
    """What all trials had cost by then, in full trainings."""
    seconds: float
    """Simulated seconds since the search began."""
    regret: float
    """What it is from then on."""


def regret_changes(steps: Sequence[Step], table: Table, task: str) -> list[Change]:
    """Return what the regret of the incumbent was, from which trial on.

    Source: the protocol of NAS-Bench-Suite (Mehta et al. 2022), normalised by the table's median.

    Args:
        steps: the search's steps, in the order in which trials ended.
        table: the table; regret 0 is its best `report`, 1 its median.
        task: one of its tasks.
    """
    rows = sorted({step.row for step in steps if step.row is not None})
    regrets = dict(zip(rows, table.regret(rows, task).tolist(), strict=True))
    changes: list[Change] = []
    current = WORST
    for step in steps:
        found = regrets[step.row] if step.row is not None else WORST
        found = found if np.isfinite(found) else WORST
        if found != current:
            changes.append(Change(step.spent, step.seconds, found))
            current = found
    return changes


def regret_curve(changes: Sequence[Change], evaluations: int) -> list[float]:
    """Return the regret after 1, 2, ... evaluations' worth of training; of a search that ended, the last.

    Example:
        >>> regret_curve([Change(1, 60, 0.5), Change(2.5, 90, 0.25)], evaluations=4)
        [0.5, 0.5, 0.25, 0.25]
    """
    return _curve([change.spent for change in changes], changes, range(1, evaluations + 1))


def regret_in_time(changes: Sequence[Change], evaluations: int, seconds: float, before: float) -> list[float]:
    """Return the regret when 1, 2, ... times some seconds have passed.

    Args:
        changes: the changes of the incumbent's regret.
        evaluations: what the search may spend, in full trainings, and the length of the curve.
        seconds: from one value of the curve to the next.
        before: the regret before any trial has ended.

    Example:
        >>> regret_in_time([Change(1, 60, 0.5), Change(2.5, 90, 0.25)], evaluations=4, seconds=30, before=1.5)
        [1.5, 0.5, 0.25, 0.25]
    """
    paid = [change for change in changes if change.spent <= evaluations + 1e-6]
    return _curve([change.seconds for change in paid], paid, [seconds * n for n in range(1, evaluations + 1)], before)


def expected_regret(table: Table, task: str) -> float:
    """Return the mean regret of a table's architectures, none of which counts more than `WORST`."""
    regret = np.nan_to_num(table.regret(range(len(table.architectures)), task), nan=WORST)
    return float(np.minimum(regret, WORST).mean())


def _curve(
    places: Sequence[float], changes: Sequence[Change], ends: Sequence[float], before: float = WORST
) -> list[float]:
    """Return the regret at some ends, of changes at some places."""
    found = np.searchsorted(places, np.asarray(ends) * (1 + 1e-9) + 1e-6, side="right")
    return [changes[count - 1].regret if count else before for count in found]


def area(curve: Sequence[float], evaluations: int = AREA) -> float:
    """Return the mean regret over the first evaluations; of a shorter curve, over what there is.

    Example:
        >>> area([1.0, 0.5, 0.0], evaluations=2)
        0.75
    """
    return float(np.mean(curve[:evaluations]))


def evaluations_to(curve: Sequence[float], regret: float) -> int | None:
    """Return after how many evaluations the regret was no larger for the first time; None if it never was.

    Example:
        >>> evaluations_to([1.0, 0.2, 0.05, 0.2], 0.1)
        3
    """
    return next((count for count, value in enumerate(curve, 1) if value <= regret), None)
