"""The encoding view with columns from elsewhere: what others know of a candidate, as numbers for surrogates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.encoding import Encoding

Extra = Callable[[Candidate], Sequence[float]]
"""Numbers about a candidate, always as many; NaN is unknown."""
REFERENCE = 32
"""Random candidates by which the further columns are scaled: few, as their numbers may be dear."""


class ExtendedEncoding:
    """An encoding with one more group of columns.

    A column is centred and scaled by the median and the quartiles of random candidates, and its tails are compressed
    (inverse hyperbolic sine), so numbers of any size will do. What is unknown is put at the median. Like any group, it
    is scaled so that the squared distance of two random candidates is 1 on average, or left out where nothing varies.

    Args:
        encoding: the other columns.
        extra: the numbers of a candidate, of which it should remember what is dear.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> space = JointSpace(Space(Chain(dense(Choice("width", [8, 64])), head())), Space(Settings(rate=0.1)))
        >>> extended = ExtendedEncoding(space.encoding, lambda candidate: [candidate.architecture["width"]])
        >>> len(extended.groups) - len(space.encoding.groups), extended([space.default])[0, extended.groups[-1]].shape
        (1, (1,))
    """

    def __init__(self, encoding: Encoding, extra: Extra):
        self.encoding = encoding
        self.extra = extra
        rng = np.random.default_rng(0)
        values = self._values([encoding.space.sample(rng) for _ in range(REFERENCE)])
        known = [column[np.isfinite(column)] for column in values.T]
        quartiles = [np.percentile(column, [25, 50, 75]) if len(column) else np.zeros(3) for column in known]
        self._middle = np.array([middle for _, middle, _ in quartiles])
        deviations = [float(column.std()) if len(column) else 0.0 for column in known]
        self._spread = np.array([b - a or d or 1.0 for (a, _, b), d in zip(quartiles, deviations, strict=True)])
        variance = 2 * np.var(self._compressed(values), axis=0).sum()
        self._scale = variance**-0.5 if variance > 1e-12 else None
        last = encoding.groups[-1].stop if encoding.groups else 0
        added = () if self._scale is None else (slice(last, last + values.shape[1]),)
        self.groups = (*encoding.groups, *added)
        """The columns of each group, the further ones last."""

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return a row for each candidate: (candidates, columns)."""
        rows = self.encoding(candidates)
        if self._scale is None:
            return rows
        further = self._scale * self._compressed(self._values(candidates))
        return np.concatenate([rows, further], axis=1)

    def sizes(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what `Encoding.sizes` does."""
        return self.encoding.sizes(candidates)

    def _values(self, candidates: Sequence[Candidate]) -> np.ndarray:
        values = [list(self.extra(candidate)) for candidate in candidates]
        return np.array(values, dtype=float).reshape(len(values), len(values[0]) if values else len(self._middle))

    def _compressed(self, values: np.ndarray) -> np.ndarray:
        finite = np.where(np.isfinite(values), values, self._middle)
        compressed: np.ndarray = np.arcsinh((finite - self._middle) / self._spread)
        return compressed
