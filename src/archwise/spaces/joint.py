"""A network's space and its recipe's, seen by strategies as one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from archwise.errors import SpaceError, Unbuildable
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.choice import Choice, Decide, Decision
from archwise.spaces.occurrences import occurrences
from archwise.spaces.space import Seed, Space

if TYPE_CHECKING:
    from archwise.spaces.cost import Cost
    from archwise.spaces.encoding import Encoding


MUTATIONS = 200
"""Most mutations that are tried to bring a candidate within the limits."""
NEARER = 20
"""How often the default is brought within the limits, and samples are, before none counts as allowed."""
SAMPLES = 1_000
"""Samples that are tried where the default cannot be built."""
RECIPE = "recipe:"
"""What stands before the paths of a recipe's choices where both trees are walked."""


class Key(NamedTuple):
    """What two candidates share exactly when they are the same: the graph's hash and the recipe's."""

    architecture: str
    recipe: str


@dataclass(frozen=True)
class JointSpace:
    """The candidates of a search: an architecture and a recipe that trains it.

    Args:
        network: space of architectures.
        recipe: space of Settings.
        signature: if given, `allows` refuses what cannot be built for it.
        most_parameters: if given (with a signature), networks with more parameters are not allowed.
        most_flops: if given (with a signature), networks that need more FLOPs for one example are not allowed.
    """

    network: Space
    recipe: Space
    signature: Signature | None = None
    most_parameters: float | None = None
    most_flops: float | None = None

    @cached_property
    def size(self) -> int:
        """The exact number of candidates."""
        return self.network.size * self.recipe.size

    @cached_property
    def default(self) -> Candidate:
        """The default architecture with the default recipe."""
        return Candidate(self.network.default, self.recipe.default)

    @cached_property
    def allowed_default(self) -> Candidate | None:
        """The default candidate, or one near it that is allowed, or an allowed sample; None where none was found."""
        samples = NEARER if 1 < self._excess(self.default) < math.inf else SAMPLES
        nearer = (self.shrunk(self.default, seed) for seed in range(NEARER))
        tried = chain(nearer, self.neighbours(self.default), map(self.sample, range(samples)))
        return next(filter(self.allows, tried), None)

    @property
    def starting_candidate(self) -> Candidate:
        """The allowed default, or the default itself where none was found."""
        return self.allowed_default or self.default

    @cached_property
    def encoding(self) -> Encoding:
        """Candidates as rows of numbers, for surrogates."""
        from archwise.spaces.encoding import Encoding

        return Encoding(self)

    def choices(self) -> Iterator[tuple[int, str, Choice]]:
        """Yield every choice wherever it stands: 0 for the network or 1 for the recipe, the path, and the choice."""
        for side, part in enumerate((self.network, self.recipe)):
            for path, choice in occurrences(part.root):
                yield side, path, choice

    def sample(self, seed: Seed) -> Candidate:
        """Draw an architecture and a recipe; see `Space.sample`.

        What is too large is mutated until it is allowed, as far as that can be done.
        """
        rng = np.random.default_rng(seed)
        return self.shrunk(Candidate(self.network.sample(rng), self.recipe.sample(rng)), rng)

    def shrunk(self, candidate: Candidate, seed: Seed) -> Candidate:
        """Return a candidate within the limits on parameters and FLOPs, by mutations that bring it nearer to them.

        Returns:
            The candidate itself if it is within them or cannot be built; the nearest that was found if none is.
        """
        rng = np.random.default_rng(seed)
        excess = self._excess(candidate)
        tries = iter(range(MUTATIONS))
        while self.network.size > 1 and 1 < excess < math.inf and next(tries, None) is not None:
            network = self.network.mutate(candidate.architecture, rng)
            smaller = candidate._replace(architecture=network)
            if self._excess(smaller) < excess:
                candidate, excess = smaller, self._excess(smaller)
        return candidate

    def derive(self, decide: Decide) -> Candidate:
        """Walk down both trees, the recipe's paths after `recipe:`; see `Space.derive`."""
        architecture = self.network.derive(decide)
        recipe = self.recipe.derive(lambda path, choice, open_: decide(f"{RECIPE}{path}", choice, open_))
        return Candidate(architecture, recipe)

    def decisions(self, candidate: Candidate) -> tuple[Decision, ...]:
        """Return the active choices of both records, with the paths that `derive` uses."""
        recipe = (replace(d, path=f"{RECIPE}{d.path}") for d in self.recipe.decisions(candidate.recipe))
        return (*self.network.decisions(candidate.architecture), *recipe)

    def mutate(self, candidate: Candidate, seed: Seed, levels: Sequence[str] | None = None) -> Candidate:
        """Resample one active choice of the two records together; see `Space.mutate`."""
        rng = np.random.default_rng(seed)
        sides = [
            self._open(self.network, candidate.architecture, levels),
            self._open(self.recipe, candidate.recipe, levels),
        ]
        if not sum(sides):
            raise SpaceError(f"The space {self.network.name!r} and its recipe leave no choice to mutate.")
        if rng.integers(sum(sides)) < sides[0]:
            return candidate._replace(architecture=self.network.mutate(candidate.architecture, rng, levels))
        return candidate._replace(recipe=self.recipe.mutate(candidate.recipe, rng, levels))

    def cross(self, first: Candidate, second: Candidate, seed: Seed) -> Candidate:
        """Return a child of two candidates; see `Space.cross`."""
        rng = np.random.default_rng(seed)
        child = self.network.cross(first.architecture, second.architecture, rng)
        return Candidate(child, self.recipe.cross(first.recipe, second.recipe, rng))

    def neighbours(self, candidate: Candidate) -> Iterator[Candidate]:
        """Yield every candidate one choice away."""
        for architecture in self.network.neighbours(candidate.architecture):
            yield candidate._replace(architecture=architecture)
        for recipe in self.recipe.neighbours(candidate.recipe):
            yield candidate._replace(recipe=recipe)

    def enumerate(self) -> Iterator[Candidate]:
        """Yield every candidate, each once."""
        return (Candidate(a, r) for a in self.network.enumerate() for r in self.recipe.enumerate())

    def key(self, candidate: Candidate) -> Key:
        """Return what tells candidates apart: equal for equal functions trained alike."""
        return Key(self.network.key(candidate.architecture), self.recipe.key(candidate.recipe))

    def allows(self, candidate: Candidate) -> bool:
        """Whether the candidate can be built and costs no more than allowed; always true without a signature."""
        if self.signature is None:
            return True
        return self.network.check(candidate.architecture, self.signature) is None and self._excess(candidate) <= 1

    def cost(self, candidate: Candidate) -> Cost:
        """Return what the candidate's network costs for the signature.

        Raises:
            SpaceError: the space knows no signature, or the candidate cannot be built.
        """
        if self.signature is None:
            raise SpaceError("Costs depend on the input's shape: give the JointSpace a signature.")
        return self.network.cost(candidate.architecture, self.signature)

    def _excess(self, candidate: Candidate) -> float:
        """Return the largest ratio of a cost to its limit; infinite if the candidate cannot be built."""
        if self.signature is None or (self.most_parameters is None and self.most_flops is None):
            return 0.0
        try:
            cost = self.cost(candidate)
        except Unbuildable:
            return math.inf
        limited = ((cost.parameters, self.most_parameters), (cost.flops, self.most_flops))
        return max(value / most for value, most in limited if most is not None)

    def __contains__(self, candidate: object) -> bool:
        return (
            isinstance(candidate, Candidate)
            and candidate.architecture in self.network
            and candidate.recipe in self.recipe
        )

    @staticmethod
    def _open(space: Space, record: Architecture, levels: Sequence[str] | None) -> int:
        decisions = space.decisions(record)
        return sum(len(d.allowed) > 1 and (levels is None or d.choice.level in levels) for d in decisions)
