"""Network growing: edit good networks, and let the children start from their parents' weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Architecture, Candidate
from archwise.strategies.edits import Edit, edits_of
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import INHERITABLE, Proposal, Trial


class NetworkGrowing(OneAtATime):
    """Begins at one network and edits the best it has: adds, changes or removes a layer, or changes the recipe.

    Each proposal is an edit of a parent, the best of `sample` drawn from the `population` best trials. The child
    inherits the parent's trained weights, as far as they fit; where it can compute the same function, it starts with
    that. First it is drawn what kind of edit it is (more layers, fewer, as many, or another recipe), then which one.
    Numbers go one step up or down.

    - A child is trained for as long as any trial, so scores of one lineage rise with the training of all its ancestors
      too. The finalists of a search are trained from scratch, all alike, so what decides in the end is the network.
    - The first children are begun before the first network has ended where there are several workers; they start from
      scratch. So does what is proposed where no edit is new any more: a random candidate.
    - Where other searches evaluated candidates of this space and no start is given, the best of theirs is one.
    - On tables and in other evaluators that do not train, there are no weights; the edits are the same.

    Source: Chen, Goodfellow & Shlens 2016, Net2Net: accelerating learning via knowledge transfer; Real et al. 2017,
    Large-scale evolution of image classifiers (weights kept under mutation).

    Args:
        start: the network to begin at: a candidate, or an architecture that the default recipe trains; the space's
            default if None. A search evaluates the space's default first in any case.
        population: how many of the best trials may be parents; larger explores more.
        sample: size of a tournament; larger follows the best more closely.
        share: fidelity of a child. Below 1 it is cheaper, as a network that is nearly right needs less training, but
            its learning rate is not annealed and its score not to be compared with those of longer trainings.

    Raises:
        ArchwiseError: a number is out of its range.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.joint import JointSpace
        >>> from archwise.spaces.mlp import mlp
        >>> space = JointSpace(mlp(), training_recipe("table"))
        >>> small = space.network.fix({"depth": 1, "width": 16}).default
        >>> [proposal] = NetworkGrowing(start=small).propose(space, [], [], seed=0, n=1)
        >>> proposal.candidate.architecture == small
        True
    """

    inherits = True

    def __init__(
        self,
        start: Architecture | Candidate | None = None,
        population: int = 10,
        sample: int = 3,
        share: float = 1.0,
    ):
        if not 1 <= population <= INHERITABLE or sample < 1 or not 0 < share <= 1:
            raise ArchwiseError(
                f"Network growing needs a population from 1 to {INHERITABLE}, a sample of 1 or more and a share in "
                f"(0, 1], not {population}, {sample} and {share}."
            )
        self.start = start
        self.population = population
        self.sample = sample
        self.share = share
        self._edits = lru_cache(maxsize=256)(edits_of)

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the start, then edits of good trials; see `Strategy.propose`."""
        start = self._start(now)
        if start in now.space and now.is_new(start):
            return Proposal(start, origin="the network to start from")
        best = sorted(now.finished, key=lambda trial: (-(trial.outcome.score or 0.0), trial.number))[: self.population]
        if not best and start in now.space:
            for edit in self._order(now, None, start):
                if now.is_new(edit.candidate):
                    return Proposal(edit.candidate, origin=f"{edit}, from the start")
        for parent in self._parents(now, best):
            for edit in self._order(now, parent, parent.candidate):
                if now.is_new(edit.candidate):
                    origin = f"{edit}, from trial {parent.number}'s weights"
                    return Proposal(edit.candidate, self.share, None, origin, parent.number)
        return now.random()

    def order(self, now: Situation, parent: Trial | None, edits: Sequence[Edit]) -> Iterator[Edit]:
        """Yield the edits of a parent, the first to try first.

        Args:
            now: the situation.
            parent: the trial that is edited, None for the start that has not ended.
            edits: of its candidate.
        """
        kinds = sorted({edit.kind for edit in edits})
        for kind in now.rng.permutation(kinds):
            alike = [edit for edit in edits if edit.kind == kind]
            yield from (alike[i] for i in now.rng.permutation(len(alike)))

    def _order(self, now: Situation, parent: Trial | None, candidate: Candidate) -> Iterator[Edit]:
        # Other numbers than those that the proposal draws.
        number = -1 if parent is None else parent.number
        return self.order(now, parent, self._edits(now.space, candidate, (now.seed, number + 1, 1)))

    def _start(self, now: Situation) -> Candidate:
        """Return the candidate to begin at."""
        if isinstance(self.start, Candidate):
            return self.start
        if self.start is not None:
            return Candidate(self.start, now.space.recipe.default)
        others = [t for t in now.history if t.number < 0 and t.score is not None and t.candidate in now.space]
        best = max(others, key=lambda trial: (trial.outcome.score or 0.0, trial.number), default=None)
        return best.candidate if best else now.space.default

    def _parents(self, now: Situation, best: Sequence[Trial]) -> list[Trial]:
        """Return the winner of a tournament among the best trials, then the others from the best on."""
        if not best:
            return []
        drawn = now.rng.choice(len(best), size=min(self.sample, len(best)), replace=False)
        winner = best[int(min(drawn))]
        return [winner, *(trial for trial in best if trial is not winner)]
