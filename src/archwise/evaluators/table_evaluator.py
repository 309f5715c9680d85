"""The evaluator that reads a benchmark table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archwise.evaluators.table_space import TableSpace
from archwise.trial import CurvePoint, Outcome, Proposal

CHEAP_FIDELITY = 12 / 200
"""The share of a full training that a table's `cheap` scores are taken for: NAS-Bench-201's 12 of 200 epochs."""


@dataclass(frozen=True)
class TableTask:
    """One of a table's tasks.

    Args:
        name: what the table calls it.
    """

    name: str


@dataclass(frozen=True)
class TableEvaluator:
    """Answers with what a table says that training came to, and what it took ("train_seconds" of the costs).

    A table knows one or two fidelities: the full training, and a cheap one if it has the scores. A proposal gets the
    largest that it pays for; one that pays for less than the smallest gets that, at its price, so searches on tables
    ask for `fidelities`.

    Args:
        space: the table's candidates, and the table.
    """

    space: TableSpace

    @property
    def fidelities(self) -> tuple[float, ...]:
        """The fidelities that the table knows, from the lowest to 1."""
        return (1.0,) if self.space.table.cheap is None else (CHEAP_FIDELITY, 1.0)

    def evaluate(self, proposal: Proposal, task: TableTask, seed: int = 0) -> Outcome:
        """Return the outcome that stands in the table; see `Evaluator.evaluate`.

        Args:
            proposal: candidate and fidelity.
            task: one of the table's tasks.
            seed: changes nothing: a table has one measurement.
        """
        table = self.space.table
        column = table.task_number(task.name)
        row = self.space.row(proposal.candidate) if proposal.candidate in self.space else None
        if row is None:
            return Outcome("failed", reason=f"The table {table.name!r} has no such architecture.")
        full = proposal.fidelity >= 1 or table.cheap is None
        scores = table.select if full or table.cheap is None else table.cheap
        fidelity = 1.0 if full else CHEAP_FIDELITY
        score = float(scores[row, column])
        seconds = fidelity * (1.0 if table.cost_seconds is None else float(table.cost_seconds[row, column]))
        costs = {"train_seconds": seconds}
        if not math.isfinite(score):
            return Outcome("failed", costs=costs, reason=f"The table {table.name!r} has no score for it.")
        point = CurvePoint(fidelity, seconds, math.nan, math.nan, score)
        return Outcome("finished", score, costs=costs, curve=(point,))
