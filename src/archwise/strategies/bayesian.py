"""Bayesian optimisation: evaluate what a model of the scores promises most of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from zlib import crc32

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace, Key
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.strategy import best_elsewhere, is_new, keys_of, next_number, random_proposal
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Pending, Proposal, Trial

RANDOM = 500
"""Random candidates among which the most promising is looked for."""
FRESH = 8
"""Random candidates that are replaced from one proposal to the next."""
PARENTS = 10
"""Trials whose neighbours are looked at."""
NEIGHBOURS = 64
"""Most neighbours of a trial that are looked at; of more, as many random mutations."""
LOOKED_AT = 200
"""How many of the most promising may turn out to be known under another name before a random one is taken."""


class BayesianOptimization:
    """Proposes the candidate of the largest expected improvement, among neighbours of the best and random ones.

    - The model is a Gaussian process over the choices, what the graph counts, the paths through its sections, and its
      size.
    - The first candidates are those that tell most about all others: the most central, then what is least like them.
      Where other searches evaluated candidates of this space, their best come first.
    - Failed trials make their neighbourhood less likely to succeed; the expected improvement is weighed by that.
    - Candidates under way are taken to get what is predicted for them.

    Source: Jones et al. 1998, Efficient global optimization of expensive black-box functions; for architectures,
    Kandasamy et al. 2018, and White et al. 2021, BANANAS, for looking among the neighbours of the best.

    Args:
        first: how many candidates are chosen without scores.

    Raises:
        ArchwiseError: `first` is less than 2.

    Example:
        >>> BayesianOptimization(first=3).first
        3
    """

    def __init__(self, first: int = 3):
        if first < 2:
            raise ArchwiseError(f"Bayesian optimisation needs 2 first candidates or more, not {first}.")
        self.first = first
        self._memory: _Memory | None = None

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""
        if self._memory is None or self._memory.space is not space or self._memory.seed != seed:
            self._memory = _Memory(space, seed)
        seen = keys_of(space, history, pending)
        trials = sorted((t for t in history if t.number >= 0 and t.candidate in space), key=lambda t: t.number)
        believed = [item.proposal.candidate for item in pending]
        proposals: list[Proposal] = []
        begin = next_number(history, pending)
        for number in range(begin, begin + n):
            if len(seen) >= space.size:
                break
            rng = np.random.default_rng([seed, number])
            proposal = self._propose_one(self._memory, history, trials, believed, seen, number, rng)
            if proposal is None:
                break
            seen.add(space.key(proposal.candidate))
            believed.append(proposal.candidate)
            proposals.append(proposal)
        return proposals

    def _propose_one(
        self,
        memory: _Memory,
        history: Sequence[Trial],
        trials: Sequence[Trial],
        believed: Sequence[Candidate],
        seen: set[Key],
        number: int,
        rng: np.random.Generator,
    ) -> Proposal | None:
        space = memory.space
        finished = [trial for trial in trials if trial.score is not None]
        if len(finished) >= self.first:
            pool = memory.pool(number, finished)
            memory.surrogate.fit(trials, believed)
            promise = log_expected_improvement(*memory.surrogate.predict(pool), memory.surrogate.best)
            promise = promise + np.log(memory.surrogate.feasible(pool))
            origin = "largest expected improvement"
        else:
            elsewhere = best_elsewhere(space, history, seen)
            if elsewhere:
                return elsewhere
            pool = memory.random(number, REFERENCES)
            promise = memory.information(pool, [*(trial.candidate for trial in trials), *believed])
            origin = "tells most about others"
        for i in np.argsort(-promise, kind="stable")[:LOOKED_AT]:
            if is_new(space, seen, pool[i]):
                return Proposal(pool[i], origin=origin)
        return random_proposal(space, seen, rng)


REFERENCES = 200
"""Candidates among which the first are chosen."""


class _Memory:
    """What was computed for one space and seed."""

    def __init__(self, space: JointSpace, seed: int):
        self.space = space
        self.seed = seed
        self.surrogate = Surrogate(space.encoding)
        self._random: dict[int, Candidate] = {}
        self._neighbours: dict[Candidate, list[Candidate]] = {}

    def random(self, number: int, count: int = RANDOM) -> list[Candidate]:
        """Return the random candidates that a proposal chooses from."""
        places = range(FRESH * number, FRESH * number + count)
        for place in places:
            if place not in self._random:
                self._random[place] = self.space.sample(np.random.default_rng([self.seed, place, 1]))
        return [self._random[place] for place in places]

    def pool(self, number: int, finished: Sequence[Trial]) -> list[Candidate]:
        """Return the random candidates and the neighbours of the best trials, none of them evaluated."""
        best = sorted(finished, key=lambda trial: -(trial.score or 0.0))[:PARENTS]
        pool = [*self.random(number), *(n for trial in best for n in self.neighbours(trial.candidate))]
        known = {trial.candidate for trial in finished}
        return [candidate for candidate in dict.fromkeys(pool) if candidate not in known]

    def neighbours(self, candidate: Candidate) -> list[Candidate]:
        """Return candidates one choice away: all if they are few, else random mutations."""
        if candidate not in self._neighbours:
            found = list(islice(self.space.neighbours(candidate), NEIGHBOURS + 1))
            if len(found) > NEIGHBOURS:
                text = f"{candidate.architecture.to_json()} {candidate.recipe.to_json()}"
                rng = np.random.default_rng([self.seed, crc32(text.encode()), 2])
                found = [self.space.mutate(candidate, rng) for _ in range(NEIGHBOURS)]
            self._neighbours[candidate] = found
        return self._neighbours[candidate]

    def information(self, pool: Sequence[Candidate], known: Sequence[Candidate]) -> np.ndarray:
        """Return how much of the pool's prior variance evaluating each member would explain, after known ones."""
        covariance = self.surrogate.prior_covariance([*known, *pool])
        for i in range(len(known)):
            column = covariance[:, i].copy()
            covariance -= np.outer(column, column) / (column[i] + 0.01)
        left = covariance[len(known) :, len(known) :]
        information: np.ndarray = (left**2).mean(axis=0) / (np.diag(left) + 0.01)
        return information
