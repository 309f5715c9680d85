"""Search strategies: which candidates to evaluate next."""

from archwise.strategies.asha import AsynchronousSuccessiveHalving
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.strategies.genetic import GeneticAlgorithm
from archwise.strategies.grid import GridSearch
from archwise.strategies.hyperband import Hyperband
from archwise.strategies.local_search import LocalSearch
from archwise.strategies.predictor import PredictorGuided
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.reinforcement import ReinforcementLearning
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.strategies.tpe import TreeStructuredParzenEstimator
from archwise.strategies.zero_cost_guided import ZeroCostGuided

__all__ = [
    "AsynchronousSuccessiveHalving",
    "BayesianOptimization",
    "FreezeThaw",
    "GeneticAlgorithm",
    "GridSearch",
    "Hyperband",
    "LocalSearch",
    "PredictorGuided",
    "RandomSearch",
    "RegularisedEvolution",
    "ReinforcementLearning",
    "Strategy",
    "SuccessiveHalving",
    "TreeStructuredParzenEstimator",
    "ZeroCostGuided",
]
