"""Hierarchical search: macro choices first, then the cell inside the best of them, then the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from copy import deepcopy

from archwise.errors import ArchwiseError, SpaceError
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace, Key
from archwise.spaces.levels import RECIPE_LEVEL, LevelSpace, level_space, levels_of
from archwise.strategies.members import Members, begun
from archwise.strategies.strategy import Strategy, keys_of, next_number, one_after_another
from archwise.trial import Pending, Proposal, Trial

WHOLE = "all levels"
"""Stands before the origins of what is proposed when no level is searched alone."""
AGAIN = 20
"""How often a level's strategy is asked for something that is new in the whole search."""


class Hierarchical:
    """Searches one level of the space at a time, all other choices as in the best trials; then all levels together.

    At first all choices are as by default, or near it where limits forbid the default, and those of the first level
    vary. Then those of the second vary inside the best that the first has found, and so on, and then the first again
    inside the best of all. A space whose network has one level has two, the network and its recipe; one with one level
    in all is searched by the strategy alone. The strategy should learn from a handful of trials, as local search does:
    on small budgets short visits to a level, each inside the best there is, find more than long ones inside several.

    - A level's strategy sees the space in which the other levels are fixed, and the trials in there. Where a choice
      opens further choices of another level, these are as by default.
    - Inside `best` different settings of the other levels, the one with the fewest trials has the next.
    - Where a level has nothing new, the next one takes its place; where none has, all levels are searched together.
    - Where other searches evaluated candidates of this space and this one has no score yet, the first level varies
      inside the best of theirs.
    - How far the search has come is read from the origins, which name the level.

    Source: Liu et al. 2018, Progressive neural architecture search, and Tan et al. 2019, MnasNet, for searching a space
    by its parts; block coordinate descent, as in Nesterov 2012, for coming back to them.

    Args:
        strategy: proposes at every level, and when all levels are searched together.
        at: strategies of their own for some levels.
        levels: the levels in their order; if None, macro, then the network's others, then cell, then the recipe. The
            choices of a level that is left out stay as by default until all levels are searched together.
        candidates: how many candidates a level is given in a round; larger goes deeper before it goes on.
        rounds: how often all levels are gone through; 0 searches them together from the beginning.
        best: inside how many settings of the other levels a level is searched; larger is wrong less often about what
            was fixed too early, and slower.

    Raises:
        ArchwiseError: candidates or best are less than 1, or rounds less than 0.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.cell import cell
        >>> from archwise.strategies import RegularisedEvolution
        >>> space = JointSpace(cell(), training_recipe("image"))
        >>> proposals = Hierarchical(RegularisedEvolution(), candidates=3).propose(space, [], [], seed=0, n=5)
        >>> [proposal.origin for proposal in proposals]
        ['macro: random', 'macro: random', 'macro: random', 'cell: random', 'cell: random']
    """

    def __init__(
        self,
        strategy: Strategy,
        at: Mapping[str, Strategy] | None = None,
        levels: Sequence[str] | None = None,
        candidates: int = 10,
        rounds: int = 2,
        best: int = 1,
    ):
        if candidates < 1 or rounds < 0 or best < 1:
            raise ArchwiseError(
                "Hierarchical search needs candidates and best of 1 or more and rounds of 0 or more, not "
                f"{candidates}, {best} and {rounds}."
            )
        self.strategy = strategy
        self.at = dict(at or {})
        self.levels = None if levels is None else tuple(levels)
        self.candidates = candidates
        self.rounds = rounds
        self.best = best
        self._space: JointSpace | None = None
        self._insides: dict[tuple[str, Candidate], _Inside] = {}
        self._settings: dict[tuple[str, str, str], _Inside] = {}
        self._whole = Members({WHOLE: deepcopy(strategy)})

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return the next candidates of the level that is searched now; see `Strategy.propose`.

        Raises:
            SpaceError: `levels` or `at` name a level that the space does not have.
        """
        return one_after_another(lambda begun: self._propose_one(space, history, begun, seed), history, pending, n)

    def _propose_one(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int
    ) -> Proposal | None:
        """Return the next candidate, None where nothing is left."""
        seen = keys_of(space, history, pending)
        levels = self._levels(space)
        stage = begun([*levels, WHOLE], history, pending).total() // self.candidates
        if len(levels) > 1 and stage < self.rounds * len(levels):
            place = stage % len(levels)
            for level in [*levels[place:], *levels[:place]]:
                known = [trial.candidate for trial in history if trial.number >= 0]
                known += [item.proposal.candidate for item in pending]
                insides = self._best(space, level, history)
                for inside in sorted(insides, key=lambda inside: sum(map(inside.holds, known))):
                    proposal = inside.ask(history, pending, seen, seed)
                    if proposal:
                        return proposal
        return self._whole.ask(WHOLE, space, history, pending, seed)

    def _levels(self, space: JointSpace) -> tuple[str, ...]:
        """Return the levels of a space in the order in which they are searched."""
        known = levels_of(space)
        for level in (*(self.levels or ()), *self.at):
            if level not in known and level != RECIPE_LEVEL:
                raise SpaceError(f"The space has no level {level!r} to search: take some of {', '.join(known)}.")
        return known if self.levels is None else tuple(level for level in self.levels if level in known)

    def _best(self, space: JointSpace, level: str, history: Sequence[Trial]) -> list[_Inside]:
        """Return where to search a level: inside the best different settings of all others, or the default's."""
        finished = [trial for trial in history if trial.score is not None and trial.candidate in space]
        own = [trial for trial in finished if trial.number >= 0]
        found: list[_Inside] = []
        for trial in sorted(own or finished, key=lambda trial: (-(trial.score or 0.0), abs(trial.number))):
            # Another search may have had wider limits.
            if space.allows(trial.candidate) and not any(inside.holds(trial.candidate) for inside in found):
                found.append(self._inside(space, level, trial.candidate))
            if len(found) == self.best:
                break
        return found or [self._inside(space, level, space.starting_candidate)]

    def _inside(self, space: JointSpace, level: str, candidate: Candidate) -> _Inside:
        """Return where a level varies and all else is as in a candidate; the same object for the same settings."""
        if self._space is not space:
            self._space, self._insides, self._settings = space, {}, {}
        if (level, candidate) not in self._insides:
            inside = level_space(space, level, candidate)
            settings = level, inside.network.hash, inside.recipe.hash
            if settings not in self._settings:
                self._settings[settings] = _Inside(level, inside, deepcopy(self.at.get(level, self.strategy)))
            self._insides[level, candidate] = self._settings[settings]
        return self._insides[level, candidate]


class _Inside:
    """A level's space inside one setting of the other levels, with a strategy of its own, as strategies remember.

    Args:
        level: the level.
        space: the candidates that differ in the level's choices alone.
        strategy: proposes.
    """

    def __init__(self, level: str, space: LevelSpace, strategy: Strategy):
        self.level = level
        self.space = space
        self.members = Members({level: strategy})
        self._held: dict[Candidate, bool] = {}

    def holds(self, candidate: Candidate) -> bool:
        """Whether a candidate is in here."""
        if candidate not in self._held:
            self._held[candidate] = candidate in self.space
        return self._held[candidate]

    def ask(self, history: Sequence[Trial], pending: Sequence[Pending], seen: Set[Key], seed: int) -> Proposal | None:
        """Return a proposal that is new in the whole search, or None.

        Args:
            history, pending, seed: as for `Strategy.propose`.
            seen: keys of all candidates of this search.
        """
        shown = [trial for trial in history if self.holds(trial.candidate)]
        under_way = [item for item in pending if self.holds(item.proposal.candidate)]
        for _ in range(AGAIN):
            found = self.members.ask(self.level, self.space, shown, under_way, seed)
            if found is None or found.parent is not None or self.space.key(found.candidate) not in seen:
                return found
            # It equals a candidate with other settings; as one under way it is not proposed again.
            under_way.append(Pending(next_number(shown, under_way), found))
        return None
