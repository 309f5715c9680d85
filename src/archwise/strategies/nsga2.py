"""NSGA-II: evolution towards all trade-offs between quality and costs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.errors import ArchwiseError
from archwise.pareto import crowding, objective_values, ranks, select
from archwise.strategies.strategy import TRIES, OneAtATime, Situation
from archwise.trial import Proposal, Trial


class NSGA2(OneAtATime):
    """Children of trials that few others beat, and that stand where few others are.

    A trial's rank is how many layers of trials are better in every objective; among trials of one rank the less crowded
    counts more. Of all finished trials the `population` best by rank and crowding are alive. Each parent wins a
    tournament of two of them; the child takes each choice from one of two parents, and may be mutated. Random
    candidates fill the first population.

    - This is the steady-state form, (population + 1): each trial joins as it ends, so no worker waits for a generation.
    - Failed trials never live. A trial that lacks a cost is worse in it than all that have it.
    - Where other searches evaluated candidates of this space, winners of tournaments among the better half of those
      that would be alive begin the first population, to be evaluated here; their scores are not compared with this
      search's own.
    - A child that was seen before or cannot be built is mutated, one choice after another, until it is new; where 100
      mutations find nothing new, a random candidate takes its place.

    Source: Deb et al. 2002, A fast and elitist multiobjective genetic algorithm: NSGA-II; steady-state: Durillo et al.
    2009, On the effect of the steady-state selection scheme in multi-objective genetic algorithms.

    Args:
        minimise: costs that outcomes report ("parameters", "flops", "latency_ms", ...); the score is always maximised.
        population: how many trials are alive; larger keeps more trade-offs, and follows each more slowly.
        crossover: probability that a child takes after two parents; else it is a mutation of one.
        mutation: probability that a child of two parents is mutated, in one choice.

    Raises:
        ArchwiseError: there is no cost, the population is less than 2, or a probability is none.

    Example:
        >>> NSGA2(minimise=["flops", "latency_ms"]).minimise
        ('flops', 'latency_ms')
    """

    def __init__(
        self,
        minimise: Sequence[str] = ("parameters",),
        population: int = 20,
        crossover: float = 0.9,
        mutation: float = 0.6,
    ):
        if not minimise or isinstance(minimise, str):
            raise ArchwiseError(f"NSGA-II needs a list of one cost or more to minimise, not {minimise!r}.")
        if population < 2 or not (0 <= crossover <= 1 and 0 <= mutation <= 1):
            raise ArchwiseError(
                "NSGA-II needs a population of 2 or more, and probabilities of crossover and mutation from 0 to 1, "
                f"not {population}, {crossover} and {mutation}."
            )
        self.minimise = tuple(minimise)
        self.population = population
        self.crossover = crossover
        self.mutation = mutation

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a new child of two who are alive; while these are few, a known or random candidate."""
        if len(now.finished) >= self.population:
            child = self._child(now, self._alive(now.finished, now.rng))
            if child:
                return child
        elif others := self._others(now):
            known = now.draw_new(lambda: self._winner(others, now.rng).candidate)
            if known:
                return Proposal(known, origin="from another search")
        return now.random()

    def _alive(self, trials: Sequence[Trial], rng: np.random.Generator) -> list[Trial]:
        """Return the best of finished trials by rank and crowding, the best first; equal ones in random order."""
        values = objective_values(trials, self.minimise)
        alive = select(values, self.population)
        values = values[alive]
        rank = ranks(values)
        space = np.zeros(len(alive))
        for level in set(rank.tolist()):
            space[rank == level] = crowding(values[rank == level])
        return [trials[alive[i]] for i in np.lexsort([rng.random(len(alive)), -space, rank])]

    def _others(self, now: Situation) -> list[Trial]:
        """Return the better half of whom selection keeps of the youngest trials of other searches in this space."""
        others = (t for t in now.history if t.number < 0 and t.score is not None and t.candidate in now.space)
        young = sorted(others, key=lambda trial: -trial.number)[: 2 * self.population]
        return self._alive(young, now.rng)[: self.population // 2]

    def _child(self, now: Situation, alive: Sequence[Trial]) -> Proposal | None:
        """Return a new child of one or two who are alive, or None where none was found."""
        first = self._winner(alive, now.rng)
        child, origin, mutated = first.candidate, f"mutation of trial {first.number}", ""
        crossed = now.rng.random() < self.crossover
        if crossed:
            second = self._winner([trial for trial in alive if trial is not first], now.rng)
            child = now.space.cross(first.candidate, second.candidate, now.rng)
            origin = f"child of trials {first.number} and {second.number}"
            if now.rng.random() < self.mutation:
                child, mutated = now.space.mutate(child, now.rng), ", mutated"
        for _ in range(TRIES):
            if now.is_new(child):
                return Proposal(child, origin=origin + mutated)
            child, mutated = now.space.mutate(child, now.rng), ", mutated" if crossed else ""
        return None

    @staticmethod
    def _winner(ordered: Sequence[Trial], rng: np.random.Generator) -> Trial:
        """Return the better of two that are drawn from trials in the order of their worth."""
        return ordered[int(rng.integers(len(ordered), size=2).min())]
