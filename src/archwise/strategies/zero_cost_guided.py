"""Search guided by zero-cost proxies: they choose among what another strategy proposes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace, Key
from archwise.strategies.proxies import Scorer, preference
from archwise.strategies.strategy import Strategy, keys_of, one_after_another
from archwise.trial import Pending, Proposal, Trial

WARM_UP = "best of random candidates by zero-cost proxies"
"""The origin of the first proposals."""


class ZeroCostGuided:
    """Lets scores that take no training choose among random candidates first, then among another strategy's proposals.

    - Warm-up: of `drawn` random candidates, the `first` best by the proxies' mean rank are evaluated first. Where other
      searches evaluated candidates of this space, there is none, as real scores tell more.
    - Move proposal: after that, the other strategy is asked `choices` times, with seeds derived from the search's, and
      the proposal that the proxies rank best is taken.
    - Proxies are never the objective: real scores decide what the other strategy learns from and what the search
      returns. A proxy that goes against the scores of the youngest trials loses its say; where all did, the other
      strategy's own proposal is taken.

    At most `drawn` candidates are scored for the first proposal, and `choices` for each later one; where a search is
    resumed, the youngest trials too.

    Source: Abdelfattah et al. 2021, Zero-cost proxies for lightweight NAS (warm-up and move proposal).

    Args:
        proposer: the other strategy.
        scorer: candidate -> what each proxy says of it; larger is better. The same candidate must always get the same
            scores.
        first: how many trials the warm-up takes; 0 for no warm-up.
        drawn: how many random candidates it chooses from; more follow the proxies more closely.
        choices: how many proposals there are to choose from. 1 takes every proposal as it comes, which suits strategies
            that compute for long and keep what they computed for one seed.

    Raises:
        ArchwiseError: a number is too small.

    Example:
        >>> from archwise.strategies import RegularisedEvolution
        >>> widths = lambda candidate: {"width": candidate.architecture["width"]}
        >>> ZeroCostGuided(RegularisedEvolution(), widths, choices=4).choices
        4
    """

    def __init__(self, proposer: Strategy, scorer: Scorer, first: int = 10, drawn: int = 32, choices: int = 4):
        if first < 0 or drawn < first or choices < 1:
            raise ArchwiseError(
                "Zero-cost guidance needs 0 first trials or more, as many candidates drawn or more, and 1 choice or "
                f"more, not {first}, {drawn} and {choices}."
            )
        self.proposer = proposer
        self.scorer = scorer
        self.first = first
        self.drawn = drawn
        self.choices = choices
        self._drawn: tuple[JointSpace, int, dict[Key, Candidate]] | None = None

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` proposals that the proxies prefer; see `Strategy.propose`."""

        def propose_next(begun: Sequence[Pending]) -> Proposal | None:
            return self._warm_up(space, history, begun, seed) or self._move(space, history, begun, seed)

        return one_after_another(propose_next, history, pending, n)

    def _warm_up(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int
    ) -> Proposal | None:
        """Return the best of the random candidates that is new, or None where the warm-up is over."""
        elsewhere = any(t.number < 0 and t.score is not None and t.candidate in space for t in history)
        seen = keys_of(space, history, pending)
        if elsewhere or len(seen) >= min(self.first, space.size):
            return None
        if self._drawn is None or self._drawn[0] is not space or self._drawn[1] != seed:
            drawn = [space.sample(np.random.default_rng([seed, place, 3])) for place in range(self.drawn)]
            self._drawn = space, seed, {space.key(candidate): candidate for candidate in drawn}
        new = [c for key, c in self._drawn[2].items() if key not in seen and space.allows(c)]
        return Proposal(self._preferred(space, new, history), origin=WARM_UP) if new else None

    def _move(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int
    ) -> Proposal | None:
        """Return the best of the other strategy's proposals, or None where it has none; of equals, its own first."""
        found = self.proposer.propose(space, history, pending, seed, 1)
        if not found or found[0].parent is not None:
            return found[0] if found else None
        for choice in range(1, self.choices):
            other_seed = int(np.random.default_rng([seed, choice, 4]).integers(2**62))
            found += self.proposer.propose(space, history, pending, other_seed, 1)
        alternatives = {p.candidate: p for p in reversed(found) if p.parent is None}
        best = self._preferred(space, list(reversed(alternatives)), history)
        return alternatives[best]

    def _preferred(self, space: JointSpace, candidates: Sequence[Candidate], history: Sequence[Trial]) -> Candidate:
        finished = [t for t in history if t.number >= 0 and t.score is not None and t.candidate in space]
        if len(candidates) == 1:
            return candidates[0]
        finished.sort(key=lambda trial: trial.number)
        return candidates[int(np.argmax(preference(self.scorer, candidates, finished)))]
