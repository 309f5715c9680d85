"""Search strategies: which candidates to evaluate next."""

from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving

__all__ = ["RandomSearch", "RegularisedEvolution", "Strategy", "SuccessiveHalving"]
