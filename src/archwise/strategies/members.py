"""What the hybrids share: several strategies that search together over one history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy, one_after_another
from archwise.trial import Pending, Proposal, Trial

Said = TypeVar("Said", Trial, Proposal)

SIGN = ": "
"""Stands in an origin between the name of who proposed and what that said: "evolution: mutation of trial 12"."""


class Members:
    """Strategies by their names, each of which is shown one history and reads its own origins in it.

    The name of who proposed stands before the proposal's origin, so it outlives files and kills. A member is shown what
    it proposed itself without the name, as if it had searched alone; trials of others keep theirs.

    Args:
        strategies: name -> strategy.

    Raises:
        ArchwiseError: there is no strategy, or a name is empty or holds a colon.
    """

    def __init__(self, strategies: Mapping[str, Strategy]):
        wrong = [name for name in strategies if not name or SIGN.strip() in name]
        if wrong or not strategies:
            raise ArchwiseError(
                f"A strategy of others needs one or more, each by a name without a colon, not {list(strategies)!r}."
            )
        self.strategies = dict(strategies)
        self._shown: dict[tuple[str, int], tuple[Trial, Trial]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in the order in which they were given."""
        return tuple(self.strategies)

    def who(self, origin: str) -> str | None:
        """Return the name of the member that said where a candidate came from; None if no member did."""
        name = name_in(origin)
        return name if name in self.strategies else None

    def begun(self, history: Sequence[Trial], pending: Sequence[Pending]) -> Counter[str]:
        """Return how many candidates of this search each member proposed."""
        return begun(self.names, history, pending)

    def proposers(self, history: Sequence[Trial], pending: Sequence[Pending]) -> list[str]:
        """Return which member proposed each candidate of this search, in their order; continued ones count once."""
        return proposers(self.names, history, pending)

    def ask(
        self, name: str, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int
    ) -> Proposal | None:
        """Return a member's next proposal with its name, None where it has none; see `Strategy.propose`."""
        shown = [self._trial(name, trial) for trial in history]
        under_way = [item._replace(proposal=self._without(name, item.proposal)) for item in pending]
        found = self.strategies[name].propose(space, shown, under_way, seed, 1)
        return replace(found[0], origin=f"{name}{SIGN}{found[0].origin}") if found else None

    def _trial(self, name: str, trial: Trial) -> Trial:
        """Return a trial as a member sees it, the same object every time, as members compare what they remember."""
        if trial.number < 0 or self.who(trial.origin) != name:
            return trial
        known = self._shown.get((name, trial.number))
        if known is None or known[0] is not trial:
            known = self._shown[name, trial.number] = (trial, self._without(name, trial))
        return known[1]

    def _without(self, name: str, said: Said) -> Said:
        """Return a trial or proposal without a member's name before its origin."""
        return replace(said, origin=said.origin.removeprefix(f"{name}{SIGN}"))


class Hybrid(ABC):
    """Base of strategies that let others propose, one candidate at a time, over one shared history.

    Args:
        strategies: name -> strategy; the name stands before the origins of what it proposes.

    Raises:
        ArchwiseError: there is no strategy, or a name is empty or holds a colon.
    """

    def __init__(self, strategies: Mapping[str, Strategy]):
        self.members = Members(strategies)

    @property
    def strategies(self) -> Mapping[str, Strategy]:
        """The strategies by their names."""
        return self.members.strategies

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return a proposal each of the first members that have one; see `Strategy.propose`."""

        def propose_next(begun: Sequence[Pending]) -> Proposal | None:
            asked = (self.members.ask(name, space, history, begun, seed) for name in self.order(space, history, begun))
            return next((proposal for proposal in asked if proposal), None)

        return one_after_another(propose_next, history, pending, n)

    @abstractmethod
    def order(self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> Sequence[str]:
        """Return the members' names in the order in which they are asked for the next proposal."""


def name_in(origin: str) -> str | None:
    """Return the name of who proposed, which stands before an origin, or None.

    Example:
        >>> name_in("evolution: mutation of trial 12"), name_in("mutation of trial 12")
        ('evolution', None)
    """
    name, sign, _ = origin.partition(SIGN)
    return name if sign else None


def begun(names: Iterable[str], history: Sequence[Trial], pending: Sequence[Pending]) -> Counter[str]:
    """Return how many candidates of this search were proposed in each of some names; continued ones count once."""
    names = tuple(names)
    counts = Counter(proposers(names, history, pending))
    return Counter({name: counts[name] for name in names})


def proposers(names: Iterable[str], history: Sequence[Trial], pending: Sequence[Pending]) -> list[str]:
    """Return who of some names proposed each candidate of this search, in their order; continued ones count once."""
    names = tuple(names)
    own = [(trial.number, trial.origin, trial.candidate) for trial in history if trial.number >= 0]
    own += [(item.number, item.proposal.origin, item.proposal.candidate) for item in pending]
    in_order = sorted(own, key=lambda said: said[0])
    once = dict.fromkeys((name_in(origin), candidate) for _, origin, candidate in in_order)
    return [name for name, _ in once if name in names]
