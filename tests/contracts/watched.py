"""A strategy that can be asked what it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from archwise.spaces.joint import JointSpace
from archwise.strategies import RandomSearch
from archwise.trial import Pending, Proposal, Trial


class Watched(RandomSearch):
    """Random search that remembers what it was shown last."""

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        self.history, self.pending = list(history), list(pending)
        return super().propose(space, history, pending, seed, n)
