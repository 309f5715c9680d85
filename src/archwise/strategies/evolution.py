"""Regularised evolution: mutate the best of a few, and let the oldest die."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.spaces.joint import JointSpace, Key
from archwise.strategies.strategy import OneByOne, fresh
from archwise.trial import Proposal, Trial


class RegularisedEvolution(OneByOne):
    """Ageing evolution: a tournament among the youngest trials, and a mutation of one choice of the winner.

    Random candidates fill the first population. After that, each proposal draws `sample` of the last `population`
    finished trials and mutates one choice of the best of them. Failed trials never enter the population.

    Source: Real et al. 2019, Regularized evolution for image classifier architecture search (population 100, sample 25;
    20 and 5 for small budgets).

    Args:
        population: how many of the youngest finished trials may become parents; larger explores more.
        sample: size of a tournament; larger follows the best more closely.

    Example:
        >>> RegularisedEvolution(population=20, sample=5).population
        20
    """

    def __init__(self, population: int = 20, sample: int = 5):
        self.population = population
        self.sample = sample

    def propose_one(
        self, space: JointSpace, history: Sequence[Trial], seen: set[Key], rng: np.random.Generator
    ) -> Proposal | None:
        """Return a mutation of a tournament's winner, or a random candidate while the population is small."""
        finished = [trial for trial in history if trial.score is not None and trial.candidate in space]
        alive = sorted(finished, key=lambda trial: trial.number)[-self.population :]
        if len(alive) < self.population:
            candidate = fresh(space, seen, rng, space.sample)
            return Proposal(candidate, origin="random") if candidate else None
        tournament = rng.choice(len(alive), size=min(self.sample, len(alive)), replace=False)
        parent = max((alive[i] for i in tournament), key=lambda trial: trial.score or 0.0)
        candidate = fresh(space, seen, rng, lambda rng: space.mutate(parent.candidate, rng))
        return Proposal(candidate, origin=f"mutation of trial {parent.number}") if candidate else None
