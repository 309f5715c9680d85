"""The ready-made strategies by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archwise.errors import ArchwiseError, SpaceError
from archwise.strategies.asha import AsynchronousSuccessiveHalving
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.strategies.genetic import GeneticAlgorithm
from archwise.strategies.grid import GridSearch
from archwise.strategies.hyperband import Hyperband
from archwise.strategies.local_search import LocalSearch
from archwise.strategies.predictor import PredictorGuided
from archwise.strategies.proxies import Scorer
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.reinforcement import ReinforcementLearning
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.strategies.tpe import TreeStructuredParzenEstimator
from archwise.strategies.zero_cost_guided import ZeroCostGuided


class Proposing(NamedTuple):
    """A ready-made strategy that evaluates every candidate in full.

    Args:
        description: what it is, in a few words.
        make: makes one.
    """

    description: str
    make: Callable[[], Strategy]


class Guided(NamedTuple):
    """A ready-made strategy that evaluates every candidate in full, and uses scores that take no training.

    Args:
        description: what it is, in a few words.
        make: makes one from such scores.
    """

    description: str
    make: Callable[[Scorer], Strategy]


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
}
GUIDED = {
    "zero-cost-evolution": Guided(
        "regularised evolution guided by zero-cost proxies",
        lambda scorer: ZeroCostGuided(RegularisedEvolution(), scorer),
    ),
    "zero-cost-bayesian": Guided(
        "Bayesian optimisation that learns from zero-cost proxies too",
        lambda scorer: ZeroCostGuided(
            BayesianOptimization(extra=lambda candidate: list(scorer(candidate).values())), scorer, first=5, choices=1
        ),
    ),
}
SCHEDULING = {
    "halving": Scheduling("successive halving", lambda other, rungs: SuccessiveHalving(other, rungs=rungs)),
    "hyperband": Scheduling("Hyperband", lambda other, rungs: Hyperband(other, rungs=rungs)),
    "asha": Scheduling(
        "asynchronous successive halving", lambda other, rungs: AsynchronousSuccessiveHalving(other, rungs=rungs)
    ),
    "freeze-thaw": Scheduling("freeze-thaw", lambda other, rungs: FreezeThaw(other, rungs=rungs)),
}
_DESCRIPTIONS = {name: proposing.description for name, proposing in PROPOSING.items()} | {
    name: guided.description for name, guided in GUIDED.items()
}
READY = {name: f"{description}, every trial in full" for name, description in _DESCRIPTIONS.items()} | {
    f"{schedule}-{name}": f"{description} under {scheduling.description}"
    for schedule, scheduling in SCHEDULING.items()
    for name, description in _DESCRIPTIONS.items()
}
"""Name -> what it is; a name with a schedule before it trains many candidates a little, and few in full."""


def check_strategy(name: str) -> None:
    """Make sure that a ready-made strategy can be made here.

    Raises:
        SpaceError: no strategy has that name.
        ArchwiseError: it needs a library that is not installed.
    """
    ready_strategy(name, scorer=lambda candidate: {})


def is_guided(name: str) -> bool:
    """Whether the ready-made strategy of a name uses scores that take no training."""
    return name.endswith(tuple(GUIDED))


def ready_strategy(name: str, trials: int | None = None, scorer: Scorer | None = None) -> Strategy:
    """Return the ready-made strategy of a name.

    Args:
        name: the name, one of `READY`.
        trials: how many trials there will be; where time alone is limited, the lowest fidelity is a 27th of a full
            training, else a ninth, as few trials fill no larger cohort.
        scorer: what zero-cost proxies say of candidates, for the strategies that are guided by them.

    Raises:
        SpaceError: no strategy has that name.
        ArchwiseError: the strategy needs a library that is not installed, or a scorer.
    """
    if name not in READY:
        raise SpaceError(
            f"There is no strategy {name!r}: take one of {', '.join([*PROPOSING, *GUIDED])}, "
            f"or one of these behind {', '.join(f'{schedule}-' for schedule in SCHEDULING)}."
        )
    if name in PROPOSING:
        return PROPOSING[name].make()
    if name in GUIDED:
        if scorer is None:
            raise ArchwiseError(f"The strategy {name!r} needs zero-cost scores: give ready_strategy a scorer.")
        return GUIDED[name].make(scorer)
    schedule = next(schedule for schedule in SCHEDULING if name.startswith(f"{schedule}-"))
    other = ready_strategy(name.removeprefix(f"{schedule}-"), trials, scorer)
    return SCHEDULING[schedule].make(other, 4 if trials is None else 3)
