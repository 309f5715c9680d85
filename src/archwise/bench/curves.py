"""Regret curves and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.bench.simulation import Step
from archwise.evaluators.table import Table

AREA = 60
"""Evaluations over which the area under the regret curve is taken."""
REPORTED = (1, 2, 5, 10, 20, 50, 60, 100, 200)
"""Evaluations at which regrets are reported."""
WORST = 10.0
"""Regret of a search that has no incumbent yet, or whose incumbent has no score: as bad as a broken network."""


def regret_curve(steps: Sequence[Step], table: Table, task: str, evaluations: int) -> list[float]:
    """Return the regret of the incumbent after 1, 2, ... evaluations' worth of training.

    Source: the protocol of NAS-Bench-Suite (Mehta et al. 2022), normalised by the table's median.

    Args:
        steps: the search's steps, in the order in which trials ended.
        table: the table; regret 0 is its best `report`, 1 its median.
        task: one of its tasks.
        evaluations: length of the curve. A search that ended before stays at what it had.
    """
    rows = sorted({step.row for step in steps if step.row is not None})
    regrets = dict(zip(rows, table.regret(rows, task).tolist(), strict=True))
    curve: list[float] = []
    current, position = WORST, 0
    for count in range(1, evaluations + 1):
        while position < len(steps) and steps[position].spent <= count + 1e-6:
            row = steps[position].row
            found = regrets[row] if row is not None else WORST
            current = found if np.isfinite(found) else WORST
            position += 1
        curve.append(current)
    return curve


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
