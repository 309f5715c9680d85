"""Surrogates of past tasks, and what they predict on the candidates of a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from archwise.meta.agreement import rank_correlation
from archwise.meta.past_task import PastTask
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Trial

REFERENCES = 200
"""Random candidates over which a past task's predictions are standardised."""
LEAST = 5
"""Fewest finished trials in full of a past task that a surrogate is fitted to."""
FEW = 30
"""Finished trials below which scores that follow nothing may do so by chance."""
RELIABLE = 0.5
"""Rank correlation from which few trials are believed to follow the architectures."""
MOST_TRIED = 200
"""Best trials of each past task among which the most promising candidates are looked for."""
LOOKED_AT = 500
"""Random candidates among which those are that past tasks promise most of."""
FAVOURITES = 3
"""Best trials of a past task that is not sure."""
CLIMBS = 6
"""How often the neighbours of the most promising are looked at."""
CLIMBERS = 10
"""How many these are."""
NEIGHBOURS = 64
"""Most neighbours of each."""


class Sources:
    """A surrogate for each past task whose trials say something about a space.

    What a past task says counts as far as its own trials are predicted when they are left out, by their rank
    correlation; one whose scores follow nothing in the architectures (under three standard errors, under 0.5 for few
    trials) is left out.

    Args:
        past: past tasks, with trials of candidates of the space.
        space: the candidates.
    """

    def __init__(self, past: Sequence[PastTask], space: JointSpace):
        self.space = space
        rng = np.random.default_rng(0)
        self._references = [space.sample(rng) for _ in range(REFERENCES)]
        self.used: list[PastTask] = []
        self.unsure: list[PastTask] = []
        """Past tasks of so few trials that nobody can tell whether their scores follow the architectures."""
        self._trials: list[Candidate] = []
        self._surrogates: list[Surrogate] = []
        self._scales: list[tuple[float, float]] = []
        reliability = []
        for task in past:
            trials = task.within(space)
            finished = [trial for trial in trials if trial.score is not None]
            few = len(finished) < FEW
            if len({trial.score for trial in finished}) < LEAST:
                self.unsure += [task] * (few and bool(finished))
                continue
            surrogate = Surrogate(space.encoding)
            surrogate.fit(trials)
            agreement = rank_correlation(*surrogate.left_out())
            mean, _ = surrogate.predict(self._references)
            if agreement < min(3 / len(finished) ** 0.5, RELIABLE) or mean.std() < 1e-9:
                self.unsure += [task] * few
                continue
            self.used.append(task)
            best = sorted(finished, key=lambda trial: -(trial.score or 0.0))[:MOST_TRIED]
            self._trials += [trial.candidate for trial in best]
            self._surrogates.append(surrogate)
            self._scales.append((float(mean.mean()), agreement / float(mean.std())))
            reliability.append(agreement)
        self.reliability = np.array(reliability)
        self._known: dict[Candidate, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.used)

    @property
    def surrogates(self) -> Sequence[Surrogate]:
        """The surrogate of each past task that is used."""
        return self._surrogates

    def predict(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what each past task says of each candidate: (candidates, past tasks).

        Over the space, the mean is 0 and the standard deviation the past task's reliability.
        """
        new = [candidate for candidate in dict.fromkeys(candidates) if candidate not in self._known]
        if new and len(self):
            columns = [
                (surrogate.predict(new)[0] - mean) * scale
                for surrogate, (mean, scale) in zip(self._surrogates, self._scales, strict=True)
            ]
            self._known.update(zip(new, np.stack(columns, axis=1), strict=True))
        known = [self._known[candidate] for candidate in candidates] if len(self) else []
        return np.array(known).reshape(len(candidates), len(self))

    def promising(self, count: int) -> list[Candidate]:
        """Return the allowed candidates of which past tasks together promise most, best first.

        They are looked for among random ones, those that past tasks tried, and the neighbours of the best of them.
        """
        rng = np.random.default_rng(1)
        drawn = (self.space.sample(rng) for _ in range(LOOKED_AT))
        pool = list(dict.fromkeys(self._allowed([*self._references, *self._trials, *drawn])))
        climbed: set[Candidate] = set()
        for _ in range(CLIMBS):
            best = [candidate for candidate in self._ranked(pool)[:CLIMBERS] if candidate not in climbed]
            climbed |= set(best)
            near = (n for candidate in best for n in islice(self.space.neighbours(candidate), NEIGHBOURS))
            pool = list(dict.fromkeys([*pool, *self._allowed(near)]))
        return self._ranked(pool)[:count]

    def favourites(self) -> list[Trial]:
        """Return the best trials of each past task that is not sure, as those of other searches.

        Their numbers are below zero, and their scores 1, 1/2, 1/3, so that those of several past tasks can be compared.
        """
        found = []
        for task in self.unsure:
            finished = [trial for trial in task.within(self.space) if trial.score is not None]
            best = sorted(finished, key=lambda trial: -(trial.score or 0.0))[:FAVOURITES]
            found += [
                replace(trial, outcome=replace(trial.outcome, score=1 / place), parent=None, inherits=None)
                for place, trial in enumerate(best, 1)
            ]
        return [replace(trial, number=number) for number, trial in enumerate(found, -len(found))]

    def _allowed(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        return (candidate for candidate in candidates if self.space.allows(candidate))

    def _ranked(self, pool: Sequence[Candidate]) -> list[Candidate]:
        promise = self.predict(pool).mean(axis=1)
        return [pool[i] for i in np.argsort(-promise, kind="stable")]
