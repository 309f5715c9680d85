"""The search space of a benchmark table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from archwise.errors import DataError, SpaceError
from archwise.evaluators.table import Table, TableDecision
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate, Label
from archwise.spaces.cell import cell, nasbench201, nasbench201_operations
from archwise.spaces.choice import Choice
from archwise.spaces.joint import JointSpace
from archwise.spaces.nodes import Chain, Repeat
from archwise.spaces.parts import dense, head, relu
from archwise.spaces.settings import Settings
from archwise.spaces.space import Space
from archwise.spaces.transnas101 import transnas101_micro

OPERATIONS = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "conv1x1",
    "nor_conv_3x3": "conv3x3",
    "avg_pool_3x3": "avg_pool3x3",
}
"""What tables of cells call an operation -> what our spaces call it."""
PERCEPTRON = {"width", "depth", "alpha", "batch_size", "learning_rate_init"}
"""Decisions of HPOBench's perceptrons."""
DRAWS = 100
"""Rows that are drawn before all are looked through for one that is within the limits."""
IMAGE = Signature((3, 32, 32), 10, "image")
ROW = Signature((20,), 2, "table")


@dataclass(frozen=True)
class TableSpace(JointSpace):
    """The candidates of a benchmark table, each of which has a row.

    Args:
        table: the table.
        paths: for each decision of the table, whether it is of the recipe, and its path.
        labels: for each decision, what each of its options is called in the space.
    """

    table: Table = field(kw_only=True)
    paths: tuple[tuple[bool, str], ...] = field(kw_only=True)
    labels: tuple[tuple[Label, ...], ...] = field(kw_only=True)

    @cached_property
    def rows(self) -> Mapping[tuple[int, ...], int]:
        """Options taken -> row."""
        return {tuple(options): row for row, options in enumerate(self.table.architectures.tolist())}

    @cached_property
    def size(self) -> int:
        """The number of rows, or of what limits leave of the space where that is less."""
        return min(len(self.rows), self.network.size * self.recipe.size)

    def row(self, candidate: Candidate) -> int | None:
        """Return the candidate's row, None where it was not measured."""
        taken = [candidate.recipe[path] if recipe else candidate.architecture[path] for recipe, path in self.paths]
        return self.rows.get(tuple(labels.index(label) for labels, label in zip(self.labels, taken, strict=True)))

    def candidate(self, row: int) -> Candidate:
        """Return the candidate of a row."""
        records: tuple[dict[str, Label], dict[str, Label]] = ({}, {})
        for (recipe, path), labels, option in zip(self.paths, self.labels, self.table.architectures[row], strict=True):
            records[recipe][path] = labels[option]
        return Candidate(Architecture(records[0]), Architecture(records[1]))

    def allows(self, candidate: Candidate) -> bool:
        """Whether the table has a row for the candidate, and it costs no more than allowed."""
        return self.row(candidate) is not None and self._excess(candidate) <= 1

    def sample(self, seed: int | np.random.Generator) -> Candidate:
        """Draw a candidate of the table; each row within the limits is equally likely.

        Raises:
            SpaceError: no row is.
        """
        rng = np.random.default_rng(seed)
        for _ in range(DRAWS):
            candidate = self.candidate(int(rng.integers(len(self.table.architectures))))
            if candidate in self and self.allows(candidate):
                return candidate
        left = list(self.enumerate())
        if not left:
            raise SpaceError(f"No row of the table {self.table.name!r} is within the limits: loosen them.")
        return left[rng.integers(len(left))]

    def enumerate(self) -> Iterator[Candidate]:
        """Yield the candidate of every row within the limits."""
        every = map(self.candidate, range(len(self.table.architectures)))
        return (candidate for candidate in every if candidate in self and self.allows(candidate))


def table_space(table: Table) -> TableSpace:
    """Return the search space of a table.

    Cells (decisions `i->j` between all pairs of nodes, among NAS-Bench-201's operations) are networks of
    NAS-Bench-201, or of TransNAS-Bench-101 where there is no pooling among these; HPOBench's perceptrons are networks
    with a recipe. The decisions of any other table are settings.

    Args:
        table: the table.

    Raises:
        DataError: two options of a decision are the same, or the names of two decisions but for `/`, `=` and `*`.
    """
    names = [_clean(decision.name) for decision in table.decisions]
    if twice := [d.name for d, name in zip(table.decisions, names, strict=True) if names.count(name) > 1]:
        raise DataError(f"{' and '.join(map(repr, twice))} of the table {table.name!r} are too much alike: rename one.")
    for decision in table.decisions:
        if len(set(map(str, decision.options))) < len(decision.options):
            raise DataError(f"{decision.name!r} of the table {table.name!r} has the same option twice.")
    nodes = _cell_nodes(table.decisions)
    if nodes:
        return _cell_space(table, nodes)
    if {decision.name for decision in table.decisions} == PERCEPTRON:
        return _perceptron_space(table)
    settings = Settings(**{decision.name: _choice(decision) for decision in table.decisions})
    paths = tuple((True, _clean(decision.name)) for decision in table.decisions)
    labels = tuple(decision.options for decision in table.decisions)
    return TableSpace(Space(Chain(head())), Space(settings), ROW, table=table, paths=paths, labels=labels)


def _cell_nodes(decisions: tuple[TableDecision, ...]) -> int | None:
    """Return the number of nodes where the decisions are all edges of a cell among known operations."""
    edges = {match.groups() for d in decisions if (match := re.fullmatch(r"(\d+)->(\d+)", d.name))}
    nodes = 1 + max((int(end) for _, end in edges), default=0)
    every = {(str(i), str(j)) for j in range(nodes) for i in range(j)}
    known = all(option in OPERATIONS for decision in decisions for option in decision.options)
    alike = len({decision.options for decision in decisions}) == 1
    return nodes if known and alike and edges == every and len(decisions) == len(every) else None


def _cell_space(table: Table, nodes: int) -> TableSpace:
    options = table.decisions[0].options
    taken = tuple(OPERATIONS[str(option)] for option in options)
    if nodes == 4 and set(taken) == set(OPERATIONS.values()):
        network, scope = nasbench201(), "/stage"
    elif nodes == 4 and set(taken) == set(OPERATIONS.values()) - {"avg_pool3x3"}:
        network, scope = transnas101_micro(), "/cell"
    else:
        operations = [operation for operation in nasbench201_operations() if operation.label in taken]
        network, scope = cell(nodes, operations, width=16, depth=5, name=table.name), "/stage"
    paths = tuple((False, f"{scope}/{decision.name}/op") for decision in table.decisions)
    recipe = Space(Settings(), "as published")
    return TableSpace(network, recipe, IMAGE, table=table, paths=paths, labels=(taken,) * len(paths))


def _perceptron_space(table: Table) -> TableSpace:
    choices = {decision.name: _choice(decision) for decision in table.decisions}
    layers = Repeat(Chain(dense(choices.pop("width")), relu()), choices.pop("depth"))
    recipe = Space(Settings(**choices))
    paths = tuple((decision.name in choices, decision.name) for decision in table.decisions)
    labels = tuple(decision.options for decision in table.decisions)
    return TableSpace(Space(Chain(layers, head()), table.name), recipe, ROW, table=table, paths=paths, labels=labels)


def _choice(decision: TableDecision) -> Choice:
    """Return a decision as a choice; of numbers, the default is the one in the middle."""
    numeric = all(isinstance(option, int | float) for option in decision.options)
    middle = decision.options[len(decision.options) // 2]
    return Choice(_clean(decision.name), decision.options, default=middle if numeric else decision.options[0])


def _clean(name: str) -> str:
    """Return a decision's name without the signs that paths are written with."""
    return re.sub(r"[/=*]", "_", name)
