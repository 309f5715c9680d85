"""The ready-made strategies by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from archwise.errors import ArchwiseError, SpaceError
from archwise.meta.baselines import MeanPrediction, MeanRank, NearestTask
from archwise.meta.deep_kernel import DeepKernel
from archwise.meta.guard import GuardedTransfer
from archwise.meta.landmarks import Landmarks, PerformanceLandmarks
from archwise.meta.past_task import PastTask
from archwise.meta.ranking_ensemble import RankingEnsemble
from archwise.meta.rgpe import RankingWeightedEnsemble
from archwise.meta.store import SurrogateStore
from archwise.meta.transfer import Transfer
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
from archwise.strategies.proxies import Scorer
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.reinforced_growing import ReinforcedGrowing
from archwise.strategies.reinforcement import ReinforcementLearning
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.strategies.tpe import TreeStructuredParzenEstimator
from archwise.strategies.zero_cost_guided import ZeroCostGuided

DEFAULT_COSTS = ("parameters",)
"""What strategies of several objectives make small where nothing is named."""


@dataclass(frozen=True)
class Given:
    """What a ready-made strategy may be made from.

    Args:
        trials: how many there will be, None where that is not known.
        minimise: costs that are to be small, for strategies of several objectives.
        scorer: zero-cost scores of candidates, for strategies that are guided by them.
        past: past tasks, for strategies that learn from them.
        descriptor: numbers that describe the new task, for these.
        limits: name of a cost -> the most of it that a full training may have, for these.
        store: where surrogates of past tasks are kept, for these.
    """

    trials: int | None = None
    minimise: Sequence[str] = DEFAULT_COSTS
    scorer: Scorer | None = None
    past: Sequence[PastTask] = ()
    descriptor: Mapping[str, float] | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    store: SurrogateStore | None = None


class Proposing(NamedTuple):
    """A ready-made strategy that evaluates every candidate in full.

    Args:
        description: what it is, in a few words.
        make: makes one.
    """

    description: str
    make: Callable[[Given], Strategy]


class Scheduling(NamedTuple):
    """A ready-made strategy that trains many candidates of another one a little, and few in full.

    Args:
        description: what it is, in a few words.
        make: (the other strategy, number of fidelities) -> one.
    """

    description: str
    make: Callable[[Strategy, int], Strategy]


def _guided(make: Callable[[Scorer], Strategy]) -> Callable[[Given], Strategy]:
    def make_guided(given: Given) -> Strategy:
        if given.scorer is None:
            raise ArchwiseError("A strategy that zero-cost proxies guide needs their scores: give it a scorer.")
        return make(given.scorer)

    return make_guided


def _learning_from(scorer: Scorer) -> Strategy:
    model = BayesianOptimization(extra=lambda candidate: list(scorer(candidate).values()))
    return ZeroCostGuided(model, scorer, first=5, choices=1)


def _guarded(given: Given, landmarks: Landmarks | None = None) -> GuardedTransfer:
    return GuardedTransfer(given.past, None, given.descriptor, given.limits, given.store, landmarks)


def _alone(given: Given, **parts: Any) -> Transfer:
    return Transfer(given.past, given.descriptor, given.limits, store=given.store, **parts)


SINGLE = {
    "random": Proposing("random search", lambda _: RandomSearch()),
    "grid": Proposing("a grid in shuffled order", lambda _: GridSearch()),
    "evolution": Proposing("regularised evolution", lambda _: RegularisedEvolution()),
    "genetic": Proposing("a genetic algorithm with small generations", lambda _: GeneticAlgorithm()),
    "genetic-classic": Proposing(
        "a genetic algorithm with generations of 100", lambda _: GeneticAlgorithm(100, 0.1, 0.7, 0.2, elite=10)
    ),
    "reinforce": Proposing("a controller trained by REINFORCE", lambda _: ReinforcementLearning(update="reinforce")),
    "ppo": Proposing("a controller trained by PPO", lambda _: ReinforcementLearning(update="ppo")),
    "bayesian": Proposing("Bayesian optimisation", lambda _: BayesianOptimization()),
    "predictor": Proposing("an ensemble of networks as predictor (BANANAS)", lambda _: PredictorGuided()),
    "tpe": Proposing("the tree-structured Parzen estimator of Optuna", lambda _: TreeStructuredParzenEstimator()),
    "local-search": Proposing("local search with restarts", lambda _: LocalSearch()),
    "best-first": Proposing("best-first search of the graph of edits (A*)", lambda _: BestFirstSearch()),
    "iterative-deepening": Proposing("iterative deepening, small networks first", lambda _: IterativeDeepening()),
    "growing": Proposing("network growing: edits that keep the trained weights", lambda _: NetworkGrowing()),
    "growing-reinforce": Proposing("network growing by a trained controller", lambda _: ReinforcedGrowing()),
    "hierarchical": Proposing(
        "local search level by level: macro, cell, recipe", lambda _: Hierarchical(LocalSearch())
    ),
    "genetic-then-ppo": Proposing(
        "a genetic algorithm, then a controller that edits its best",
        lambda given: InSequence(
            {"genetic": GeneticAlgorithm(), "ppo": ReinforcementLearning(edits=2)},
            [40 if given.trials is None else min(40, given.trials // 2)],
        ),
    ),
    "turns": Proposing(
        "evolution and Bayesian optimisation in turns",
        lambda _: InTurns({"evolution": RegularisedEvolution(), "bayesian": BayesianOptimization()}),
    ),
    "portfolio": Proposing(
        "a portfolio of evolution, local search and Bayesian optimisation",
        lambda _: Portfolio(
            {"evolution": RegularisedEvolution(), "local": LocalSearch(), "bayesian": BayesianOptimization()}
        ),
    ),
}
"""Strategies of one objective that need nothing but the history."""
LANDMARKED = {
    "transfer-landmarks": Proposing(
        "transfer that first trains a few fixed architectures a little, to tell past tasks apart",
        lambda given: PerformanceLandmarks(partial(_guarded, given), GuardedTransfer.default_by),
    ),
}
"""Strategies that decide for themselves how long each candidate is trained."""
GUIDED = {
    "zero-cost-evolution": Proposing(
        "regularised evolution guided by zero-cost proxies",
        _guided(lambda scorer: ZeroCostGuided(RegularisedEvolution(), scorer)),
    ),
    "zero-cost-bayesian": Proposing(
        "Bayesian optimisation that learns from zero-cost proxies too", _guided(_learning_from)
    ),
}
"""Strategies that score untrained networks."""
LEARNING = {
    "transfer": Proposing(
        "transfer from past tasks, beside a search from scratch",
        _guarded,
    ),
    "transfer-unguarded": Proposing("transfer from past tasks alone", _alone),
    "transfer-uninformed": Proposing(
        "transfer alone, surrogates of past tasks learning nothing from each other", partial(_alone, informed=False)
    ),
    "transfer-unquestioned": Proposing(
        "transfer from past tasks alone, however unlikely they make the scores", partial(_alone, questioned=False)
    ),
    "transfer-cold": Proposing(
        "transfer from past tasks alone, but for the first candidates", partial(_alone, warm_start=False)
    ),
    "transfer-fixed-weights": Proposing(
        "transfer from past tasks alone, each believed as much as at the start", partial(_alone, learn_weights=False)
    ),
    "rgpe": Proposing(
        "a ranking-weighted ensemble of all tasks' models (RGPE)", lambda given: RankingWeightedEnsemble(given.past)
    ),
    "deep-kernel": Proposing(
        "a Gaussian process with a kernel meta-trained on past tasks (FSBO)", lambda given: DeepKernel(given.past)
    ),
    "ranking-ensemble": Proposing(
        "networks that rank candidates, meta-trained on past tasks (DRE)", lambda given: RankingEnsemble(given.past)
    ),
    "mean-prediction": Proposing("what past tasks predict, best first", lambda given: MeanPrediction(given.past)),
    "mean-rank": Proposing("the best mean rank on past tasks, best first", lambda given: MeanRank(given.past)),
    "nearest-task": Proposing("the best of the past task that agrees most", lambda given: NearestTask(given.past)),
}
"""Strategies that learn from past tasks."""
PARETO = {
    "nsga2": Proposing("NSGA-II", lambda given: NSGA2(given.minimise)),
    "pareto-bayesian": Proposing(
        "Bayesian optimisation of the hypervolume", lambda given: MultiObjectiveBayesian(given.minimise)
    ),
    "parego": Proposing("ParEGO", lambda given: MultiObjectiveBayesian(given.minimise, "chebyshev")),
}
"""Strategies of several objectives."""
SCHEDULING = {
    "halving": Scheduling("successive halving", lambda other, rungs: SuccessiveHalving(other, rungs=rungs)),
    "hyperband": Scheduling("Hyperband", lambda other, rungs: Hyperband(other, rungs=rungs)),
    "asha": Scheduling(
        "asynchronous successive halving", lambda other, rungs: AsynchronousSuccessiveHalving(other, rungs=rungs)
    ),
    "freeze-thaw": Scheduling("freeze-thaw", lambda other, rungs: FreezeThaw(other, rungs=rungs)),
}
PROPOSING = SINGLE | LEARNING | LANDMARKED | GUIDED | PARETO
READY = {name: f"{proposing.description}, every trial in full" for name, proposing in PROPOSING.items()} | {
    f"{schedule}-{name}": f"{proposing.description} under {scheduling.description}"
    for schedule, scheduling in SCHEDULING.items()
    for name, proposing in (SINGLE | LEARNING | GUIDED).items()
}
"""Name -> what it is; a name with a schedule before it trains many candidates a little, and few in full."""


def check_strategy(name: str) -> None:
    """Make sure that a ready-made strategy can be made here.

    Raises:
        SpaceError: no strategy has that name.
        ArchwiseError: it needs a library that is not installed.
    """
    ready_strategy(name, scorer=lambda candidate: {})


def is_scheduled(name: str) -> bool:
    """Whether the ready-made strategy of a name trains candidates in part."""
    behind = name.startswith(tuple(f"{schedule}-" for schedule in SCHEDULING))
    return name in LANDMARKED or (name not in PROPOSING and behind)


def is_guided(name: str) -> bool:
    """Whether the ready-made strategy of a name scores untrained networks."""
    return name.endswith(tuple(GUIDED))


def is_learning(name: str) -> bool:
    """Whether the ready-made strategy of a name learns from past tasks."""
    return name.endswith(tuple(LEARNING | LANDMARKED))


def ready_strategy(
    name: str,
    trials: int | None = None,
    minimise: Sequence[str] = (),
    scorer: Scorer | None = None,
    past: Sequence[PastTask] = (),
    descriptor: Mapping[str, float] | None = None,
    limits: Mapping[str, float] | None = None,
    store: SurrogateStore | None = None,
) -> Strategy:
    """Return the ready-made strategy of a name.

    Args:
        name: the name, one of `READY`.
        trials: how many trials there will be; where time alone is limited, the lowest fidelity is a 27th of a full
            training, else a ninth, as few trials fill no larger cohort. Of strategies in sequence the first has no more
            than half of them.
        minimise: costs that are to be small; strategies of one objective do not look at them.
        scorer: what zero-cost proxies say of candidates, for the strategies that are guided by them.
        past: past tasks, for the strategies that learn from them.
        descriptor: numbers that describe the new task, for these.
        limits: name of a cost -> the most of it that a full training may have, for these.
        store: where surrogates of past tasks are kept, for these.

    Raises:
        SpaceError: no strategy has that name.
        ArchwiseError: the strategy needs a library that is not installed, or a scorer.
    """
    if name not in READY:
        raise SpaceError(
            f"There is no strategy {name!r}: take auto, one of {', '.join(PROPOSING)}; or one of these, "
            f"{', '.join(PARETO | LANDMARKED)} aside, behind {', '.join(f'{schedule}-' for schedule in SCHEDULING)}."
        )
    if name in PROPOSING:
        return PROPOSING[name].make(
            Given(trials, tuple(minimise) or DEFAULT_COSTS, scorer, past, descriptor, limits or {}, store)
        )
    schedule = next(schedule for schedule in SCHEDULING if name.startswith(f"{schedule}-"))
    other = ready_strategy(name.removeprefix(f"{schedule}-"), trials, minimise, scorer, past, descriptor, limits, store)
    return SCHEDULING[schedule].make(other, 4 if trials is None else 3)
