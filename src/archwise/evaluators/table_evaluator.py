"""The evaluator that reads a benchmark table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from archwise.errors import DataError, Unbuildable
from archwise.evaluators.table_space import TableSpace
from archwise.spaces.architecture import Candidate
from archwise.trial import CurvePoint, Outcome, Proposal


@dataclass(frozen=True)
class TableTask:
    """One of a table's tasks.

    Args:
        name: what the table calls it.
    """

    name: str


@dataclass(frozen=True)
class TableEvaluator:
    """Answers with what a table says that training came to, and what it cost.

    The costs are "train_seconds", those that the table holds, and those given here. "parameters" and "flops" that it
    does not hold are counted on the candidate's network, for inputs of the space's signature, where the table's
    candidates differ in their networks.

    A table knows one or two fidelities: the full training, and a cheap one if it has the scores. A proposal gets the
    largest that it pays for, or else the smallest, and `given` says which.

    Args:
        space: the table's candidates, and the table.
        costs: name -> (rows,), what was measured elsewhere ("latency_ms" on a device, ...), whatever the task; it takes
            the place of the table's own cost of that name, and NaN stands for what was not measured.

    Raises:
        DataError: a cost has not one value for each row of the table.

    Example:
        >>> import numpy as np
        >>> from archwise.evaluators.table import Table, TableDecision
        >>> from archwise.evaluators.table_space import table_space
        >>> scores = np.array([[0.7], [0.9]])
        >>> table = Table("two", (TableDecision("depth", (1, 2)),), np.array([[0], [1]]), ("t",), scores, scores)
        >>> evaluator = TableEvaluator(table_space(table), costs={"energy_mj": np.array([5.0, 8.0])})
        >>> outcome = evaluator.evaluate(Proposal(evaluator.space.candidate(1)), TableTask("t"))
        >>> outcome.score, outcome.costs["energy_mj"]
        (0.9, 8.0)
    """

    space: TableSpace
    costs: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        rows = len(self.space.table.architectures)
        for name, values in self.costs.items():
            if values.shape != (rows,):
                raise DataError(
                    f"The cost {name!r} has the shape {values.shape}, not {(rows,)}: give one for each row."
                )

    @property
    def fidelities(self) -> tuple[float, ...]:
        """The fidelities that the table knows, from the lowest to 1."""
        return (1.0,) if self.space.table.cheap is None else (self.space.table.cheap_fidelity, 1.0)

    def given(self, fidelity: float) -> float:
        """Return the fidelity whose scores a proposal of some fidelity gets, and which it is to pay for."""
        lowest, *_ = self.fidelities
        return max([lowest, *(known for known in self.fidelities if known <= fidelity)])

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
        fidelity = self.given(proposal.fidelity)
        scores = table.select if fidelity == 1 or table.cheap is None else table.cheap
        score = float(scores[row, column])
        seconds = fidelity * table.seconds(row, task.name)
        costs = {"train_seconds": seconds, **self._costs(proposal.candidate, row, column)}
        if not math.isfinite(score):
            return Outcome("failed", costs=costs, reason=f"The table {table.name!r} has no score for it.")
        point = CurvePoint(fidelity, seconds, math.nan, math.nan, score)
        return Outcome("finished", score, costs=costs, curve=(point,))

    def _costs(self, candidate: Candidate, row: int, column: int) -> dict[str, float]:
        """Return what the candidate costs beside its training."""
        space = self.space
        costs = {name: float(values[row, column]) for name, values in space.table.costs.items()}
        costs |= {name: float(values[row]) for name, values in self.costs.items()}
        if not {"parameters", "flops"} <= costs.keys() and space.network.size > 1 and space.signature is not None:
            with suppress(Unbuildable):
                cost = space.network.cost(candidate.architecture, space.signature)
                costs = {"parameters": float(cost.parameters), "flops": float(cost.flops)} | costs
        return {name: cost for name, cost in costs.items() if math.isfinite(cost)}
