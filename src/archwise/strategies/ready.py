"""The ready-made strategies by their names."""

from __future__ import annotations

from archwise.errors import SpaceError
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving

READY = {
    "random": "random search, every trial in full",
    "evolution": "regularised evolution, every trial in full",
    "halving-random": "random search under successive halving",
    "halving-evolution": "regularised evolution under successive halving",
}


def ready_strategy(name: str, trials: int | None = None) -> Strategy:
    """Return the ready-made strategy of a name: random, evolution, halving-random or halving-evolution.

    Args:
        name: the name.
        trials: how many trials there will be; where time alone is limited, successive halving starts at a 27th of a
            full training, else at a ninth, as few trials fill no larger cohort.

    Raises:
        SpaceError: no strategy has that name.
    """
    if name not in READY:
        raise SpaceError(f"There is no strategy {name!r}: take one of {', '.join(READY)}.")
    proposer = RandomSearch() if name.endswith("random") else RegularisedEvolution()
    return SuccessiveHalving(proposer, rungs=4 if trials is None else 3) if name.startswith("halving-") else proposer
