"""The ready-made strategies by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archwise.errors import SpaceError
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving


class Ready(NamedTuple):
    """A ready-made strategy.

    Args:
        description: what it is, in a few words.
        make: makes one.
    """

    description: str
    make: Callable[[], Strategy]


SINGLE = {
    "random": Ready("random search", RandomSearch),
    "evolution": Ready("regularised evolution", RegularisedEvolution),
    "bayesian": Ready("Bayesian optimisation", BayesianOptimization),
}
"""Those that evaluate every candidate in full."""
READY = {name: f"{ready.description}, every trial in full" for name, ready in SINGLE.items()} | {
    f"halving-{name}": f"{ready.description} under successive halving" for name, ready in SINGLE.items()
}
"""Name -> what it is."""


def ready_strategy(name: str, trials: int | None = None) -> Strategy:
    """Return the ready-made strategy of a name.

    Args:
        name: the name, one of `READY`.
        trials: how many trials there will be; where time alone is limited, successive halving starts at a 27th of a
            full training, else at a ninth, as few trials fill no larger cohort.

    Raises:
        SpaceError: no strategy has that name.
    """
    if name not in READY:
        raise SpaceError(f"There is no strategy {name!r}: take one of {', '.join(READY)}.")
    proposer = SINGLE[name.removeprefix("halving-")].make()
    return SuccessiveHalving(proposer, rungs=4 if trials is None else 3) if name.startswith("halving-") else proposer
