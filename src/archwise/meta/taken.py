"""How often a candidate takes each option: what costs follow almost linearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from archwise.spaces.architecture import Candidate, Label
from archwise.spaces.choice import Choice
from archwise.spaces.joint import JointSpace

REFERENCE = 200
"""Random candidates by which columns are chosen and scaled."""


class Taken:
    """Candidates as counts of the options that they take, choices of one name together.

    An option that is a number counts with its place on the choice's grid. Parts of a network that lead nowhere count
    too: most devices compute them. The columns are centred and scaled so that the squared length of a random row is 1
    on average.

    Args:
        space: the candidates.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> network = Space(Chain(dense(Choice("width", [8, 16, 32])), head()))
        >>> taken = Taken(JointSpace(network, Space(Settings(rate=Choice("rate", [0.1, 0.2])))))
        >>> taken([taken.space.default, taken.space.sample(0)]).shape
        (2, 2)
    """

    def __init__(self, space: JointSpace):
        self.space = space
        self._columns = [_column(side, path, choice) for side, path, choice in space.choices()]
        rng = np.random.default_rng(0)
        drawn = [self._counts(space.sample(rng)) for _ in range(REFERENCE)]
        self._names = sorted({name for counts in drawn for name in counts})
        rows = self._rows(drawn)
        self._middle, self._spread = rows.mean(axis=0), rows.std(axis=0)
        self._varies = self._spread > 1e-9

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return a row for each candidate: (candidates, columns)."""
        rows = (self._rows([self._counts(candidate) for candidate in candidates]) - self._middle)[:, self._varies]
        scaled: np.ndarray = rows / (self._spread[self._varies] * max(1, self._varies.sum()) ** 0.5)
        return scaled

    def _rows(self, counted: Sequence[Mapping[str, float]]) -> np.ndarray:
        rows = [[counts.get(name, 0.0) for name in self._names] for counts in counted]
        return np.array(rows, dtype=float).reshape(len(counted), len(self._names))

    def _counts(self, candidate: Candidate) -> Mapping[str, float]:
        counts: dict[str, float] = defaultdict(float)
        for side, path, amounts in self._columns:
            if (label := candidate[side].get(path)) is not None:
                name, amount = amounts[label]
                counts[name] += amount
        return counts


def _column(side: int, path: str, choice: Choice) -> tuple[int, str, dict[Label, tuple[str, float]]]:
    """Return whether a choice is of the recipe, its path, and by label what counts there, and how much."""
    if not choice.numeric:
        return side, path, {label: (f"{side} {choice.name} = {label}", 1.0) for label in choice.labels}
    most = max(1, len(choice.labels) - 1)
    return side, path, {label: (f"{side} {choice.name}", place / most) for place, label in enumerate(choice.labels)}
