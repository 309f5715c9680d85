"""A genetic algorithm: generation after generation of children of the best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from archwise.errors import ArchwiseError
from archwise.strategies.strategy import TRIES, OneAtATime, Situation
from archwise.trial import Proposal, Trial


class GeneticAlgorithm(OneAtATime):
    """Generations of children that are crossed from the best of the generation before, and mutated.

    The first generation is random. The parents of a later one are the best of the generation before and of the elite.
    With the probability `crossover` a child takes each choice from one of two parents, and then, with the probability
    `mutation`, one of its choices is resampled. Else it is a mutation of one parent, as a copy is nothing new.

    - A child that was seen before or cannot be built is mutated, one choice after another, until it is new; where 100
      mutations find nothing new, a random candidate takes its place.
    - Failed trials count as members of their generation and are no parents; earlier generations fill their places.
    - While a generation waits for its last trials, free workers begin the next one with the parents there are.
    - Where other searches evaluated candidates of this space, the best of the youngest of these begin the first
      generation, to be evaluated here; their scores are not compared with this search's own.

    Source: Holland 1975, Adaptation in natural and artificial systems; with truncation selection as in Muehlenbein &
    Schlierkamp-Voosen 1993, Predictive models for the breeder genetic algorithm.

    Args:
        population: children in a generation. 10 with 3 parents suits budgets of tens to hundreds of trials; for
            thousands take 100 with `parents=0.1`.
        parents: the share of a population, in (0, 1], that may become parents: its best. Smaller follows the best more
            closely.
        crossover: probability that a child takes after both parents.
        mutation: probability that a child of two parents is mutated, in one choice (not a probability for each choice).
        elite: how many of the best trials of all generations stay candidates for parents; 0 forgets the best with
            their generation.
        tournament: each parent is the best of so many that are drawn; 1 draws all with equal probability.

    Raises:
        ArchwiseError: a number or a share is out of its range.

    Example:
        >>> GeneticAlgorithm(population=100, parents=0.1, crossover=0.7, mutation=0.2).population
        100
    """

    def __init__(
        self,
        population: int = 10,
        parents: float = 0.3,
        crossover: float = 0.7,
        mutation: float = 0.2,
        elite: int = 2,
        tournament: int = 1,
    ):
        if population < 1 or tournament < 1 or elite < 0:
            raise ArchwiseError(
                "A genetic algorithm needs a population and a tournament of 1 or more and an elite of 0 or more, "
                f"not {population}, {tournament} and {elite}."
            )
        if not (0 < parents <= 1 and 0 <= crossover <= 1 and 0 <= mutation <= 1):
            raise ArchwiseError(
                "Parents are a share above 0 and up to 1, crossover and mutation are probabilities from 0 to 1, "
                f"not {parents}, {crossover} and {mutation}."
            )
        self.population = population
        self.parents = parents
        self.crossover = crossover
        self.mutation = mutation
        self.elite = elite
        self.tournament = tournament

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a child of former generations; in the first one, a known or random candidate."""
        former = self._former(now)
        return (self._child(now, former) if former else self._known(now)) or now.random()

    def _former(self, now: Situation) -> list[Trial]:
        """Return the finished trials of the generations before the one that is being filled, in their order."""
        begun = [(trial.number, trial.candidate) for trial in now.own]
        begun += [(item.number, item.proposal.candidate) for item in now.pending]
        # Candidates are counted, not numbers: kills leave gaps in these, and trials that continue others take some.
        keys = dict.fromkeys(now.space.key(candidate) for _, candidate in sorted(begun, key=lambda item: item[0]))
        places = {key: place for place, key in enumerate(keys)}
        start = len(keys) - len(keys) % self.population
        finished = ((places[now.space.key(trial.candidate)], trial.number, trial) for trial in now.finished)
        return [trial for place, _, trial in sorted(finished, key=lambda item: item[:2]) if place < start]

    def _child(self, now: Situation, former: Sequence[Trial]) -> Proposal | None:
        """Return a new child of two of the finished trials of former generations, or None where none was found."""
        space, rng = now.space, now.rng
        parents = self._best([*former[-self.population :], *_ranked(former)[: self.elite]])
        first = self._drawn(parents, rng)
        child, origin, mutated = first.candidate, f"mutation of trial {first.number}", ""
        others = [trial for trial in parents if trial is not first]
        crossed = bool(others) and rng.random() < self.crossover
        if crossed:
            second = self._drawn(others, rng)
            child = space.cross(first.candidate, second.candidate, rng)
            origin = f"child of trials {first.number} and {second.number}"
            if rng.random() < self.mutation:
                child, mutated = space.mutate(child, rng), ", mutated"
        for _ in range(TRIES):
            if now.is_new(child):
                return Proposal(child, origin=origin + mutated)
            child, mutated = space.mutate(child, rng), ", mutated" if crossed else ""
        return None

    def _known(self, now: Situation) -> Proposal | None:
        """Return a candidate that did well in other searches, or None where there is none."""
        others = [trial for trial in now.history if trial.number < 0 and trial.score is not None]
        others.sort(key=lambda trial: trial.number, reverse=True)
        fitting = (trial for trial in others if trial.candidate in now.space)
        parents = self._best(list(islice(fitting, self.population)))
        known = now.draw_new(lambda: self._drawn(parents, now.rng).candidate) if parents else None
        return Proposal(known, origin="from another search") if known else None

    def _best(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return those of a population that may become parents, the best first; two at least, where there are two."""
        different = {trial.number: trial for trial in trials}.values()
        return _ranked(different)[: max(2, round(self.parents * self.population))]

    def _drawn(self, ranked: Sequence[Trial], rng: np.random.Generator) -> Trial:
        """Return the winner of a tournament."""
        return ranked[int(min(rng.integers(len(ranked), size=self.tournament)))]


def _ranked(trials: Iterable[Trial]) -> list[Trial]:
    """Return finished trials, the best first; of equal scores the earlier."""
    return sorted(trials, key=lambda trial: (-(trial.score or 0.0), trial.number))
