"""Search strategies: which candidates to evaluate next."""

from archwise.strategies.asha import AsynchronousSuccessiveHalving
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.best_first import BestFirstSearch
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.strategies.genetic import GeneticAlgorithm
from archwise.strategies.grid import GridSearch
from archwise.strategies.growing import NetworkGrowing
from archwise.strategies.hierarchical import Hierarchical
from archwise.strategies.hyperband import Hyperband
from archwise.strategies.in_sequence import InSequence
from archwise.strategies.in_turns import InTurns
from archwise.strategies.iterative_deepening import IterativeDeepening
from archwise.strategies.local_search import LocalSearch
from archwise.strategies.multi_objective import MultiObjectiveBayesian
from archwise.strategies.nsga2 import NSGA2
from archwise.strategies.portfolio import Portfolio
from archwise.strategies.predictor import PredictorGuided
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.reinforced_growing import ReinforcedGrowing
from archwise.strategies.reinforcement import ReinforcementLearning
from archwise.strategies.rewards import CostWeighted, Logistic
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.strategies.tpe import TreeStructuredParzenEstimator
from archwise.strategies.zero_cost_guided import ZeroCostGuided

__all__ = [
    "NSGA2",
    "AsynchronousSuccessiveHalving",
    "BayesianOptimization",
    "BestFirstSearch",
    "CostWeighted",
    "FreezeThaw",
    "GeneticAlgorithm",
    "GridSearch",
    "Hierarchical",
    "Hyperband",
    "InSequence",
    "InTurns",
    "IterativeDeepening",
    "LocalSearch",
    "Logistic",
    "MultiObjectiveBayesian",
    "NetworkGrowing",
    "Portfolio",
    "PredictorGuided",
    "RandomSearch",
    "RegularisedEvolution",
    "ReinforcedGrowing",
    "ReinforcementLearning",
    "Strategy",
    "SuccessiveHalving",
    "TreeStructuredParzenEstimator",
    "ZeroCostGuided",
]
