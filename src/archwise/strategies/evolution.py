"""Regularised evolution: mutate the best of a few, and let the oldest die."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace, Key
from archwise.strategies.strategy import OneByOne, draw_new, random_proposal
from archwise.trial import Proposal, Trial


class RegularisedEvolution(OneByOne):
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

    def propose_one(
        self, space: JointSpace, history: Sequence[Trial], seen: set[Key], rng: np.random.Generator
    ) -> Proposal | None:
        """Return a mutation of a tournament's winner; while the population is small, a known or random candidate."""
        finished = sorted((trial for trial in history if trial.score is not None), key=lambda trial: trial.number)
        alive = [trial for trial in finished if trial.number >= 0][-self.population :]
        if len(alive) == self.population:
            parent = self._winner(alive, rng)
            mutation = draw_new(space, seen, lambda: space.mutate(parent.candidate, rng))
            if mutation:
                return Proposal(mutation, origin=f"mutation of trial {parent.number}")
        elif others := self._others(finished, space):
            known = draw_new(space, seen, lambda: self._winner(others, rng).candidate)
            if known:
                return Proposal(known, origin="from another search")
        return random_proposal(space, seen, rng)

    def _others(self, finished: Sequence[Trial], space: JointSpace) -> list[Trial]:
        """Return the youngest trials of other searches whose candidates are of this space."""
        fitting = (trial for trial in reversed(finished) if trial.number < 0 and trial.candidate in space)
        return list(islice(fitting, self.population))

    def _winner(self, trials: Sequence[Trial], rng: np.random.Generator) -> Trial:
        """Return the best of a few trials drawn at random."""
        drawn = rng.choice(len(trials), size=min(self.sample, len(trials)), replace=False)
        return max((trials[int(i)] for i in drawn), key=lambda trial: trial.outcome.score or 0.0)
