"""The candidates among which a model looks for the most promising one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from zlib import crc32

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

FIRST = 100
"""Random candidates among which the first proposal is looked for."""
MORE = 50
"""How many more there are for each further proposal, up to `RANDOM`: encoding them all at once would take seconds."""
RANDOM = 500
"""Most random candidates among which the most promising is looked for."""
FRESH = 4
"""Random candidates that are replaced from one proposal to the next."""
PARENTS = 10
"""Trials whose neighbours are looked at."""
NEIGHBOURS = 64
"""Most neighbours of a trial that are looked at; of more, as many random mutations."""


class CandidatePool:
    """Random candidates and the neighbours of the best trials; they depend on space, seed and history alone.

    Source: White et al. 2021, BANANAS: most of what a model gains, it gains among the neighbours of the best.

    Args:
        space: the candidates.
        seed: the search's seed.
    """

    def __init__(self, space: JointSpace, seed: int):
        self.space = space
        self.seed = seed
        self._random: dict[int, Candidate] = {}
        self._neighbours: dict[Candidate, list[Candidate]] = {}

    def random(self, number: int, count: int | None = None) -> list[Candidate]:
        """Return the random candidates that the proposal of a number chooses from: `count`, or as many as are due."""
        count = min(RANDOM, FIRST + MORE * number) if count is None else count
        places = range(FRESH * number, FRESH * number + count)
        for place in places:
            if place not in self._random:
                self._random[place] = self.space.sample(np.random.default_rng([self.seed, place, 1]))
        return [self._random[place] for place in places]

    def around(self, number: int, finished: Sequence[Trial]) -> list[Candidate]:
        """Return random candidates and the neighbours of the best trials, none of them evaluated.

        Args:
            number: of the proposal.
            finished: trials of the space with scores.
        """
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
