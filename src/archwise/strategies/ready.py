"""The ready-made strategies by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archwise.errors import SpaceError
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
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.strategies.tpe import TreeStructuredParzenEstimator


class Proposing(NamedTuple):
    """A ready-made strategy that evaluates every candidate in full.

    Args:
        description: what it is, in a few words.
        make: makes one.
    """

    description: str
    make: Callable[[], Strategy]


class TradingOff(NamedTuple):
    """A ready-made strategy that makes costs small beside the score large; every candidate is evaluated in full.

    Args:
        description: what it is, in a few words.
        make: costs that are to be small -> one.
    """

    description: str
    make: Callable[[Sequence[str]], Strategy]


class Scheduling(NamedTuple):
    """A ready-made strategy that trains many candidates of another one a little, and few in full.

    Args:
        description: what it is, in a few words.
        make: (the other strategy, number of fidelities) -> one.
    """

    description: str
    make: Callable[[Strategy, int], Strategy]


PROPOSING = {
    "random": Proposing("random search", RandomSearch),
    "grid": Proposing("a grid in shuffled order", GridSearch),
    "evolution": Proposing("regularised evolution", RegularisedEvolution),
    "genetic": Proposing("a genetic algorithm with small generations", GeneticAlgorithm),
    "genetic-classic": Proposing(
        "a genetic algorithm with generations of 100", lambda: GeneticAlgorithm(100, 0.1, 0.7, 0.2, elite=10)
    ),
    "reinforce": Proposing("a controller trained by REINFORCE", lambda: ReinforcementLearning(update="reinforce")),
    "ppo": Proposing("a controller trained by PPO", lambda: ReinforcementLearning(update="ppo")),
    "bayesian": Proposing("Bayesian optimisation", BayesianOptimization),
    "predictor": Proposing("an ensemble of networks as predictor (BANANAS)", PredictorGuided),
    "tpe": Proposing("the tree-structured Parzen estimator of Optuna", TreeStructuredParzenEstimator),
    "local-search": Proposing("local search with restarts", LocalSearch),
    "growing": Proposing("network growing: edits that keep the trained weights", NetworkGrowing),
    "growing-reinforce": Proposing("network growing by a controller trained by REINFORCE", ReinforcedGrowing),
    "hierarchical": Proposing("local search level by level: macro, cell, recipe", lambda: Hierarchical(LocalSearch())),
    "genetic-then-ppo": Proposing(
        "a genetic algorithm, then a controller that edits its best",
        lambda: InSequence({"genetic": GeneticAlgorithm(), "ppo": ReinforcementLearning(edits=2)}, [40]),
    ),
    "turns": Proposing(
        "evolution and Bayesian optimisation in turns",
        lambda: InTurns({"evolution": RegularisedEvolution(), "bayesian": BayesianOptimization()}),
    ),
    "portfolio": Proposing(
        "a portfolio of evolution, local search and Bayesian optimisation",
        lambda: Portfolio(
            {"evolution": RegularisedEvolution(), "local": LocalSearch(), "bayesian": BayesianOptimization()}
        ),
    ),
    "best-first": Proposing("best-first search of the graph of edits (A*)", BestFirstSearch),
    "iterative-deepening": Proposing("iterative deepening from small networks to large", IterativeDeepening),
}
TRADING_OFF = {
    "nsga2": TradingOff("NSGA-II", NSGA2),
    "pareto-bayesian": TradingOff("Bayesian optimisation of the hypervolume", MultiObjectiveBayesian),
    "parego": TradingOff("ParEGO", lambda minimise: MultiObjectiveBayesian(minimise, "chebyshev")),
}
DEFAULT_COSTS = ("parameters",)
"""What strategies that trade off make small where nothing is named."""
SCHEDULING = {
    "halving": Scheduling("successive halving", lambda other, rungs: SuccessiveHalving(other, rungs=rungs)),
    "hyperband": Scheduling("Hyperband", lambda other, rungs: Hyperband(other, rungs=rungs)),
    "asha": Scheduling(
        "asynchronous successive halving", lambda other, rungs: AsynchronousSuccessiveHalving(other, rungs=rungs)
    ),
    "freeze-thaw": Scheduling("freeze-thaw", lambda other, rungs: FreezeThaw(other, rungs=rungs)),
}
READY = {name: f"{kind.description}, every trial in full" for name, kind in (PROPOSING | TRADING_OFF).items()} | {
    f"{schedule}-{name}": f"{proposing.description} under {scheduling.description}"
    for schedule, scheduling in SCHEDULING.items()
    for name, proposing in PROPOSING.items()
}
"""Name -> what it is; a name with a schedule before it trains many candidates a little, and few in full."""


def ready_strategy(name: str, trials: int | None = None, minimise: Sequence[str] = ()) -> Strategy:
    """Return the ready-made strategy of a name.

    Args:
        name: the name, one of `READY`.
        trials: how many trials there will be; where time alone is limited, the lowest fidelity is a 27th of a full
            training, else a ninth, as few trials fill no larger cohort.
        minimise: costs that are to be small; strategies of one objective do not look at them.

    Raises:
        SpaceError: no strategy has that name.
        ArchwiseError: the strategy needs a library that is not installed.
    """
    if name not in READY:
        raise SpaceError(
            f"There is no strategy {name!r}: take one of {', '.join(PROPOSING)}, or one of these behind "
            f"{', '.join(f'{schedule}-' for schedule in SCHEDULING)}; or for several objectives one of "
            f"{', '.join(TRADING_OFF)}."
        )
    if name in PROPOSING:
        return PROPOSING[name].make()
    if name in TRADING_OFF:
        return TRADING_OFF[name].make(minimise or DEFAULT_COSTS)
    schedule = next(schedule for schedule in SCHEDULING if name.startswith(f"{schedule}-"))
    return SCHEDULING[schedule].make(ready_strategy(name.removeprefix(f"{schedule}-")), 4 if trials is None else 3)
