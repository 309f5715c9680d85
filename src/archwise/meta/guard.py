"""The guard: transfer and a search from scratch over one history, each with as many proposals as it earns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from archwise.meta.agreement import places
from archwise.meta.landmarks import Landmarks
from archwise.meta.past_task import PastTask
from archwise.meta.store import SurrogateStore
from archwise.meta.transfer import Transfer
from archwise.spaces.joint import JointSpace
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.members import Hybrid
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Proposal, Trial

FIRST = 5
"""Candidates that are transfer's, before there is anything to judge by."""
USUAL = 0.7
"""Share of the later candidates that transfer proposes while neither proposes better ones."""
FLOOR = 0.15
"""Least share of them that either of both proposes."""
WINDOW = 20
"""Of how many candidates in a row each proposes its share."""
SLOPE = 1.0
"""How much the share moves with the difference of the mean ranks."""
FADING = 0.9
"""How much less the trial before counts."""
PRIOR = 1.0
"""Trials of middling rank that each is taken to have proposed before."""
TRANSFER, SCRATCH = "transfer", "from scratch"


class GuardedTransfer(Hybrid):
    """Alternates between transfer and the same search without experience; who proposes better ones, proposes more.

    Both see all trials, so what one finds the other goes on from, and misleading experience costs no more than its
    share of the proposals. The share of transfer is 0.7 and moves with the mean rank of what each proposed, recent
    trials before older ones, between 0.15 and 0.85, of each 20 in a row. The first five candidates are transfer's.
    Where the experience says nothing about the space, all is as without it, but that the best of past tasks with few
    trials are tried early.

    Args:
        past: past tasks.
        scratch: the search without experience.
        descriptor: numbers that describe the new task; see `Transfer`.
        limits: the most that a full training may cost; see `Transfer`.
        store: where surrogates of past tasks are kept; see `Transfer`.
        landmarks: scores of a few candidates on the new task; see `Transfer`.
    """

    default_by = Transfer.default_by

    def __init__(
        self,
        past: Sequence[PastTask],
        scratch: Strategy | None = None,
        descriptor: Mapping[str, float] | None = None,
        limits: Mapping[str, float] | None = None,
        store: SurrogateStore | None = None,
        landmarks: Landmarks | None = None,
    ):
        self.transfer = Transfer(past, descriptor, limits, store=store, landmarks=landmarks)
        super().__init__({TRANSFER: self.transfer, SCRATCH: scratch or BayesianOptimization()})

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""
        return super().propose(space, [*self.transfer.favourites(space), *history], pending, seed, n)

    def order(self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> Sequence[str]:
        """Return first who is further behind its share."""
        if not self.transfer.knows(space):
            return (SCRATCH,)
        proposers = self.members.proposers(history, pending)
        recent = proposers[FIRST:][1 - WINDOW :]
        due = recent.count(TRANSFER) + 1 <= self.share(history) * (len(recent) + 1) + 1e-9
        return (TRANSFER, SCRATCH) if due or len(proposers) < FIRST else (SCRATCH, TRANSFER)

    def share(self, history: Sequence[Trial]) -> float:
        """Return the share of later candidates that transfer proposes."""
        own = sorted((trial for trial in history if trial.number >= 0), key=lambda trial: trial.number)
        judged = [trial for trial in own if self.members.who(trial.origin)]
        if len(judged) <= FIRST:
            return USUAL
        scores = [-np.inf if trial.score is None else trial.score for trial in judged]
        ranks = places(np.array(scores)) / len(judged)
        weights = FADING ** np.arange(len(judged))[::-1]
        ours = np.array([self.members.who(trial.origin) == TRANSFER for trial in judged])
        means = [(weights[who] @ ranks[who] + PRIOR / 2) / (weights[who].sum() + PRIOR) for who in (ours, ~ours)]
        return float(np.clip(USUAL + SLOPE * (means[0] - means[1]), FLOOR, 1 - FLOOR))
