"""The tree-structured Parzen estimator, by Optuna."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.spaces.choice import Choice
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal

if TYPE_CHECKING:
    import optuna

DRAWS = 20
"""How often Optuna is asked for a candidate that is new."""


class TreeStructuredParzenEstimator(OneAtATime):
    """Optuna's sampler on the choices of a space: ordered grids as whole numbers, others as categories.

    It models which options the better and the worse trials took, jointly over the choices that trials have in common,
    and proposes what the better ones take more often. Failed trials count as the worst.

    Source: Bergstra et al. 2011, Algorithms for hyper-parameter optimization; multivariate as in Falkner et al. 2018,
    BOHB; Akiba et al. 2019, Optuna.

    Args:
        startup: how many trials must have finished before there is a model; before, candidates are random.

    Raises:
        ArchwiseError: Optuna is not installed, or `startup` is less than 1.

    Example:
        >>> TreeStructuredParzenEstimator(startup=5).startup
        5
    """

    def __init__(self, startup: int = 10):
        if startup < 1:
            raise ArchwiseError(f"TPE needs a startup of 1 or more, not {startup}.")
        try:
            import optuna  # noqa: F401
        except ImportError as error:
            raise ArchwiseError("The strategy 'tpe' needs Optuna: pip install 'archwise[optuna]'.") from error
        self.startup = startup

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return what Optuna's sampler proposes."""
        if len(now.finished) < self.startup:
            return now.best_elsewhere() or now.random()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of options that Optuna calls experimental
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=self.startup,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=int(now.rng.integers(2**31)),
            )
            study = optuna.create_study(direction="maximize", sampler=sampler)
            worst = min(trial.score or 0.0 for trial in now.finished)
            for trial in now.own:
                study.add_trial(_frozen(now.space, trial.candidate, worst if trial.score is None else trial.score))
            for candidate in now.under_way:
                study.add_trial(_frozen(now.space, candidate, None))
            for _ in range(DRAWS):
                asked = study.ask()
                candidate = now.space.derive(partial(_taken, asked))
                if now.is_new(candidate):
                    return Proposal(candidate, origin="tree-structured Parzen estimator")
        return now.random()


def _distribution(choice: Choice, open_: tuple[int, ...]) -> optuna.distributions.BaseDistribution:
    import optuna

    if choice.numeric:
        return optuna.distributions.IntDistribution(0, len(open_) - 1)
    return optuna.distributions.CategoricalDistribution(range(len(open_)))


def _taken(asked: optuna.Trial, path: str, choice: Choice, open_: tuple[int, ...]) -> int:
    """Return the open option that Optuna takes at a choice."""
    if choice.numeric:
        return open_[asked.suggest_int(path, 0, len(open_) - 1)]
    return open_[int(asked.suggest_categorical(path, range(len(open_))))]


def _frozen(space: JointSpace, candidate: Candidate, score: float | None) -> optuna.trial.FrozenTrial:
    """Return a trial as Optuna keeps it; one that is under way has no score."""
    import optuna

    decisions = space.decisions(candidate)
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING if score is None else optuna.trial.TrialState.COMPLETE,
        params={d.path: d.allowed.index(d.index) for d in decisions},
        distributions={d.path: _distribution(d.choice, d.allowed) for d in decisions},
        value=score,
    )
