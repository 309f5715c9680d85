"""What past tasks of other spaces say of a space's candidates, through the layers that both have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from archwise.meta.past_task import PastTask
from archwise.spaces.architecture import Candidate
from archwise.spaces.features import counts_of
from archwise.spaces.graph import Graph
from archwise.spaces.joint import JointSpace
from archwise.spaces.space import Space
from archwise.strategies.surrogate import Surrogate

REFERENCES = 64
"""Random candidates of each space from which it is seen what both have."""
ALIKE = 0.6
"""Share of a space's links between layers from which another space that has them says something about it."""
REMEMBERED = 10_000
"""Most candidates of a space whose graphs are remembered as counts."""


class ForeignSurrogates:
    """Surrogates of past tasks that were searched in other spaces, for the candidates of one.

    Candidates of two spaces are compared by what both spaces have: what their graphs count (labelled paths,
    neighbourhoods, sums of widths and the like), depth, and the settings of their recipes. None of it depends on the
    task's shapes. What only one of them has is not seen.

    Args:
        space: the candidates that are to be predicted.
    """

    def __init__(self, space: JointSpace):
        self.space = space
        self._own = _View(space)

    def surrogate(self, task: PastTask) -> Surrogate | None:
        """Return the surrogate of a past task, fitted to its trials in its space; `predict` takes those of this one.

        Args:
            task: a past task whose `space` is another one, with two finished trials or more.

        Returns:
            The surrogate; None where its trials are all alike in what both spaces have.
        """
        if task.space is None:
            raise ValueError(f"The past task {task.name!r} was searched in this space.")
        trials = task.within(task.space)
        theirs = _View(task.space)
        columns = _Columns(
            [theirs(trial.candidate) for trial in trials], [self._own(candidate) for candidate in self._own.references]
        )
        if not columns.groups:
            return None
        surrogate = Surrogate(_SharedEncoding(theirs, columns))
        surrogate.fit(trials)
        surrogate.encoding = _SharedEncoding(self._own, columns)
        return surrogate


def links_in_common(past: Space, new: Space) -> float:
    """Return the share of the links between layers in a space's networks that the networks of another one have, too.

    Args:
        past: the other space.
        new: the space.

    Example:
        >>> from archwise.spaces.cnn import cnn
        >>> from archwise.spaces.mlp import mlp
        >>> links_in_common(mlp(), mlp().fix({"depth": 1})) >= ALIKE, links_in_common(cnn(), mlp()) >= ALIKE
        (True, False)
    """
    known = {link for graph in _graphs(past) for link in _links(graph)}
    shares = [[link in known for link in links] for graph in _graphs(new) if (links := list(_links(graph)))]
    return float(np.mean([np.mean(share) for share in shares])) if shares else 0.0


def _graphs(space: Space) -> Iterator[Graph]:
    rng = np.random.default_rng(0)
    return (space.graph(space.sample(rng)) for _ in range(REFERENCES))


def _links(graph: Graph) -> Iterator[tuple[str, str]]:
    return ((graph.vertices[i].kind, vertex.kind) for vertex in graph.vertices for i in vertex.inputs)


class _Seen(NamedTuple):
    """What is seen of a candidate, whatever its space."""

    counts: Mapping[str, float]
    depth: int
    settings: Mapping[str, Any]


class _View:
    """What is seen of a space's candidates; the latest are remembered."""

    def __init__(self, space: JointSpace):
        self._space = space
        rng = np.random.default_rng(0)
        self.references = [Candidate(space.network.sample(rng), space.recipe.sample(rng)) for _ in range(REFERENCES)]
        self._seen = lru_cache(maxsize=REMEMBERED)(self._see)

    def __call__(self, candidate: Candidate) -> _Seen:
        return self._seen(candidate)

    def _see(self, candidate: Candidate) -> _Seen:
        graph = self._space.network.graph(candidate.architecture)
        return _Seen(counts_of(graph), graph.depth, self._space.recipe.values(candidate.recipe))


class _Columns:
    """Rows of numbers for candidates of two spaces, in groups of columns of equal weight.

    Args:
        past: what is seen of the candidates that were tried.
        new: what is seen of random ones of the other space.
    """

    def __init__(self, past: Sequence[_Seen], new: Sequence[_Seen]):
        self._counted = sorted(_keys(seen.counts for seen in past) & _keys(seen.counts for seen in new))
        self._settings = {
            name: _levels([seen.settings[name] for seen in past if name in seen.settings])
            for name in sorted(_keys(seen.settings for seen in past) & _keys(seen.settings for seen in new))
        }
        blocks = list(zip(*(self._blocks(seen) for seen in past), strict=True))
        spreads = [2 * np.var(block, axis=0).sum() for block in blocks]
        self._kept = [i for i, spread in enumerate(spreads) if spread > 1e-12]
        self._scales = [spreads[i] ** -0.5 for i in self._kept]
        ends = np.cumsum([0, *(len(blocks[i][0]) for i in self._kept)])
        self.groups = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    def row(self, seen: _Seen) -> np.ndarray:
        """Return the row of a candidate; a group's squared distance of two that were tried is 1 on average."""
        blocks = self._blocks(seen)
        return np.concatenate([[], *(scale * blocks[i] for i, scale in zip(self._kept, self._scales, strict=True))])

    def _blocks(self, seen: _Seen) -> list[np.ndarray]:
        counted = np.array([seen.counts.get(key, 0.0) for key in self._counted], dtype=float)
        settings = (_placed(seen.settings.get(name), levels) for name, levels in self._settings.items())
        return [np.sign(counted) * np.log1p(np.abs(counted)), np.array([float(seen.depth)]), *settings]


class _SharedEncoding:
    """An encoding of one space's candidates in columns that another space has, too."""

    def __init__(self, view: _View, columns: _Columns):
        self._view = view
        self._columns = columns
        self.groups = columns.groups

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        width = self.groups[-1].stop
        rows = [self._columns.row(self._view(candidate)) for candidate in candidates]
        return np.array(rows).reshape(len(candidates), width)

    def sizes(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return zeros: sizes of networks for inputs of different shapes cannot be compared."""
        return np.zeros(len(candidates))


def _keys(several: Iterator[Mapping[str, Any]]) -> set[str]:
    return {key for each in several for key in each}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _levels(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the words that a setting takes; none where it takes numbers."""
    return () if all(map(_is_number, values)) else tuple(sorted({str(value) for value in values}))


def _placed(value: Any, levels: tuple[Any, ...]) -> np.ndarray:
    """Return a setting as columns: the logarithm of a number, or a 1 for a word."""
    if levels:
        return np.array([float(str(value) == level) for level in levels])
    if not _is_number(value):
        return np.zeros(2)
    return np.array([math.log10(value) if value > 0 else -6.0, 1.0])
