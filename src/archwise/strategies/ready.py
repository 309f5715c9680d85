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


def ready_strategy(name: str) -> Strategy:
    """Return the ready-made strategy of a name: random, evolution, halving-random or halving-evolution.

    Raises:
        SpaceError: no strategy has that name.
    """
    if name not in READY:
        raise SpaceError(f"There is no strategy {name!r}: take one of {', '.join(READY)}.")
    proposer = RandomSearch() if name.endswith("random") else RegularisedEvolution()
    return SuccessiveHalving(proposer) if name.startswith("halving-") else proposer
