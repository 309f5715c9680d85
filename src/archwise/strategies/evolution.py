"""Regularised evolution: mutate the best of a few, and let the oldest die."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.errors import ArchwiseError
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal, Trial


class RegularisedEvolution(OneAtATime):
    """Ageing evolution: a tournament among the youngest trials, and a mutation of one choice of the winner.

    Random candidates fill the first population. After that, each proposal draws `sample` of the last `population`
    finished trials and mutates one choice of the best of them.

    - Failed trials never enter the population.
    - Where other searches evaluated candidates of this space, winners of tournaments among the youngest of these fill
      the first population, to be evaluated here; their scores are not compared with this search's own.
    - Where no mutation of the winner is new, a random candidate is proposed.

    Source: Real et al. 2019, Regularized evolution for image classifier architecture search (population 100, sample 25;
    20 and 5 for small budgets).

    Args:
        population: how many of the youngest finished trials may become parents; larger explores more.
        sample: size of a tournament; larger follows the best more closely.

    Raises:
        ArchwiseError: either is less than 1.

    Example:
        >>> RegularisedEvolution(population=20, sample=5).population
        20
    """

    def __init__(self, population: int = 20, sample: int = 5):
        if population < 1 or sample < 1:
            raise ArchwiseError(f"Evolution needs a population and a sample of 1 or more, not {population}, {sample}.")
        self.population = population
        self.sample = sample

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a mutation of a tournament's winner; while the population is small, a known or random candidate."""
        alive = now.finished[-self.population :]
        if len(alive) == self.population:
            parent = self._winner(alive, now.rng)
            mutation = now.draw_new(lambda: now.space.mutate(parent.candidate, now.rng))
            if mutation:
                return Proposal(mutation, origin=f"mutation of trial {parent.number}")
        elif others := self._others(now):
            known = now.draw_new(lambda: self._winner(others, now.rng).candidate)
            if known:
                return Proposal(known, origin="from another search")
        return now.random()

    def _others(self, now: Situation) -> list[Trial]:
        """Return the youngest finished trials of other searches whose candidates are of this space."""
        fitting = (t for t in now.history if t.number < 0 and t.score is not None and t.candidate in now.space)
        return sorted(fitting, key=lambda trial: -trial.number)[: self.population]

    def _winner(self, trials: Sequence[Trial], rng: np.random.Generator) -> Trial:
        """Return the best of a few trials drawn at random."""
        drawn = rng.choice(len(trials), size=min(self.sample, len(trials)), replace=False)
        return max((trials[int(i)] for i in drawn), key=lambda trial: trial.outcome.score or 0.0)
