"""A portfolio of strategies: more trials for whoever finds what is better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice

from archwise.errors import ArchwiseError
from archwise.spaces.joint import JointSpace
from archwise.strategies.members import Hybrid
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Trial


class Portfolio(Hybrid):
    """A bandit among strategies that see one history: who improved on the best lately proposes more.

    Each strategy is worth the area under its curve, which goes up with every trial of it that scored above all before,
    and stays level with every other; so late improvements count for more than early ones. To this comes what is not
    known, `exploration * sqrt(2 log2(trials) / its trials)`, which lets nobody starve. The strategy of the largest sum
    proposes; of equal ones, the one with the fewest trials, then the first.

    - Only the last `window` trials count: whoever stops improving loses its share again.
    - Failed trials and those under way count as trials without improvement, so that free workers are spread.
    - A trial belongs to who is named before its origin.

    Source: Ansel et al. 2014, OpenTuner: an extensible framework for program autotuning (window 500, exploration 0.05,
    for thousands of trials); Fialho et al. 2010, Toward comparison-based adaptive operator selection (the area).

    Args:
        strategies: name -> strategy; the name stands before the origins of what it proposes.
        window: how many of the latest trials count; smaller follows sooner who improves, on less evidence.
        exploration: how much not knowing is worth beside the share of improvements; larger spreads trials more evenly.

    Raises:
        ArchwiseError: the window is less than 1 or the exploration not above 0; there is no strategy; or a name is
            empty or holds a colon.

    Example:
        >>> from archwise.strategies import LocalSearch, RegularisedEvolution
        >>> portfolio = Portfolio({"evolution": RegularisedEvolution(), "local search": LocalSearch()})
        >>> portfolio.members.names
        ('evolution', 'local search')
    """

    def __init__(self, strategies: Mapping[str, Strategy], window: int = 50, exploration: float = 0.2):
        super().__init__(strategies)
        if window < 1 or not 0 < exploration < math.inf:
            raise ArchwiseError(
                f"A portfolio needs a window of 1 trial or more and an exploration above 0, not {window} and "
                f"{exploration}."
            )
        self.window = window
        self.exploration = exploration

    def order(self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending]) -> Sequence[str]:
        """Return the strategies by what they are worth."""
        tried: dict[str, list[bool]] = {name: [] for name in self.members.names}
        for name, improved in self._latest(history, pending):
            tried[name].append(improved)
        logarithm = math.log2(max(1, sum(map(len, tried.values()))))

        def worth(name: str) -> float:
            if not tried[name]:
                return math.inf
            return area(tried[name]) + self.exploration * math.sqrt(2 * logarithm / len(tried[name]))

        return sorted(tried, key=lambda name: (-worth(name), len(tried[name])))

    def _latest(self, history: Sequence[Trial], pending: Sequence[Pending]) -> list[tuple[str, bool]]:
        """Return of the latest trials who proposed them, and whether they improved on the best of their fidelity."""
        best: dict[float, float] = {}
        begun: list[tuple[int, str, bool]] = []
        for trial in sorted(history, key=lambda trial: trial.number):
            if trial.number < 0:
                continue
            score = -math.inf if trial.score is None else trial.score
            begun.append((trial.number, trial.origin, score > best.get(trial.fidelity, -math.inf)))
            best[trial.fidelity] = max(score, best.get(trial.fidelity, -math.inf))
        begun += [(item.number, item.proposal.origin, False) for item in pending]
        named = ((self.members.who(origin), improved) for _, origin, improved in sorted(begun, reverse=True))
        ours = ((name, improved) for name, improved in named if name)
        return list(islice(ours, self.window))[::-1]


def area(improved: Sequence[bool]) -> float:
    """Return the area under the curve that goes up at each improvement, as a share of the largest possible.

    Example:
        >>> area([True, False, False]), area([False, False, True]), area([True, True, True])
        (0.16666666666666666, 0.5, 1.0)
    """
    count = len(improved)
    return 2 * sum(place for place, up in enumerate(improved, 1) if up) / (count * (count + 1)) if count else 0.0
