"""The encoding view: candidates as rows of numbers that surrogates learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from archwise.errors import Unbuildable
from archwise.spaces.architecture import Candidate, Label
from archwise.spaces.choice import Choice
from archwise.spaces.features import counts_of, sizes_of, ways_of

if TYPE_CHECKING:
    from archwise.spaces.joint import JointSpace

REFERENCE = 200
"""Random candidates by which columns are chosen and scaled."""
REMEMBERED = 10_000
"""Most rows that are remembered; of a space of convolutional networks they take about 120 MB."""


class Encoding:
    """The candidates of one space as rows of numbers, in groups of columns of equal weight.

    - One group for each choice: where on its ordered grid a number lies, or which option is taken; and whether the
      choice is met at all.
    - One for what the graph counts, labelled paths and neighbourhoods (`counts_of`), and one for the paths through each
      of its sections (`ways_of`), both as logarithms.
    - One for each of log parameters, log FLOPs and depth; the first two where the space knows the shape of inputs.

    A group is scaled so that the squared distance of two random candidates is 1 on average; what does not vary is left
    out. The latest rows are remembered.

    Args:
        space: the candidates.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> network = Space(Chain(dense(Choice("width", [8, 16, 32])), head()))
        >>> space = JointSpace(network, Space(Settings(rate=Choice("rate", [0.1, 0.2]))))
        >>> encoding = Encoding(space)
        >>> rows = encoding([space.default, space.sample(0)])
        >>> rows.shape == (2, encoding.groups[-1].stop), encoding.groups[0]
        (True, slice(0, 2, None))
    """

    def __init__(self, space: JointSpace):
        self.space = space
        self._choices = [_Column(*choice) for choice in space.choices()]
        rng = np.random.default_rng(0)
        described = [self._describe(space.sample(rng)) for _ in range(REFERENCE)]
        self._counted = _places(row.counts for row in described)
        self._ways = _places(row.ways for row in described)
        blocks = list(zip(*(self._blocks(row) for row in described), strict=True))
        spreads = [2 * np.var(block, axis=0).sum() for block in blocks]
        self._kept = [i for i, spread in enumerate(spreads) if spread > 1e-12]
        self._scales = [spreads[i] ** -0.5 for i in self._kept]
        ends = np.cumsum([0, *(len(blocks[i][0]) for i in self._kept)])
        self.groups = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))
        """The columns of each group."""
        sizes = [row.sizes[0] for row in described]
        self._size = float(np.mean(sizes)), float(np.std(sizes)) or 1.0
        self._rows: dict[Candidate, tuple[np.ndarray, float]] = {}

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return a row for each candidate: (candidates, columns)."""
        width = self.groups[-1].stop if self.groups else 0
        return np.array([self._remembered(candidate)[0] for candidate in candidates]).reshape(len(candidates), width)

    def sizes(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of each candidate's parameters, standardised over the space; zeros if unknown."""
        return np.array([self._remembered(candidate)[1] for candidate in candidates])

    def remember(self, candidates: Sequence[Candidate], rows: np.ndarray, sizes: np.ndarray) -> None:
        """Take what this encoding returned for candidates in another process, instead of finding it again."""
        for candidate, row, size in zip(candidates, rows, sizes.tolist(), strict=True):
            if len(self._rows) < REMEMBERED:
                self._rows.setdefault(candidate, (row, size))

    def _remembered(self, candidate: Candidate) -> tuple[np.ndarray, float]:
        found = self._rows.get(candidate)  # one look: hashing a candidate is what this mostly costs
        if found is None:
            if len(self._rows) >= REMEMBERED:
                del self._rows[next(iter(self._rows))]
            described = self._describe(candidate)
            blocks = self._blocks(described)
            kept = [blocks[i] * scale for i, scale in zip(self._kept, self._scales, strict=True)]
            mean, spread = self._size
            found = self._rows[candidate] = np.concatenate([[], *kept]), (described.sizes[0] - mean) / spread
        return found

    def _describe(self, candidate: Candidate) -> _Description:
        network, signature = self.space.network, self.space.signature
        graph = network.sketch(candidate.architecture)
        cost = None
        with suppress(Unbuildable):
            cost = network.cost(candidate.architecture, signature) if signature else None
        parameters, flops, _, depth, *_ = sizes_of(graph, cost)
        decided = [column.values(candidate[column.side]) for column in self._choices]
        return _Description(decided, counts_of(graph), ways_of(graph), [parameters, flops, depth])

    def _blocks(self, row: _Description) -> list[np.ndarray]:
        """Return the columns of each group, unscaled."""
        counted = _placed(row.counts, self._counted)
        ways = np.log1p(_placed(row.ways, self._ways))
        counted = np.sign(counted) * np.log1p(np.abs(counted))
        return [*map(np.array, row.decided), counted, ways, *(np.array([size]) for size in row.sizes)]


def _places(counters: Iterable[Counter[str]]) -> dict[str, int]:
    """Return a column for each thing that is counted anywhere."""
    return {key: place for place, key in enumerate(sorted({key for counter in counters for key in counter}))}


def _placed(counter: Counter[str], places: Mapping[str, int]) -> np.ndarray:
    """Return counts in their columns; what has none is left out."""
    row = np.zeros(len(places))
    for key, amount in counter.items():
        if key in places:
            row[places[key]] = amount
    return row


class _Description(NamedTuple):
    """What an encoding knows of a candidate."""

    decided: list[list[float]]
    counts: Counter[str]
    ways: Counter[str]
    sizes: list[float]


@dataclass(frozen=True)
class _Column:
    """A choice as columns.

    Args:
        side: 0 for a choice of the architecture, 1 for one of the recipe.
        path: the choice's path.
        choice: the choice.
    """

    side: int
    path: str
    choice: Choice

    def values(self, record: Mapping[str, Label]) -> list[float]:
        """Return a place in [0, 1] and 1, or a 1 for the option taken; zeros where the choice is not met."""
        options = len(self.choice.labels)
        taken = self.choice.find(record[self.path]) if self.path in record else None
        if self.choice.numeric:
            return [0.0, 0.0] if taken is None else [taken / max(1, options - 1), 1.0]
        return [float(i == taken) for i in range(options)]
