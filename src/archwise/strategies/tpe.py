"""The tree-structured Parzen estimator, by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from archwise.errors import ArchwiseError
from archwise.spaces.choice import Choice
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import best_elsewhere, is_new, keys_of, next_number, random_proposal
from archwise.trial import Pending, Proposal, Trial

if TYPE_CHECKING:
    import optuna

DRAWS = 20
"""How often Optuna is asked for a candidate that is new."""


class TreeStructuredParzenEstimator:
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

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        """Return up to `n` new proposals; see `Strategy.propose`."""
        import numpy as np

        seen = keys_of(space, history, pending)
        own = [trial for trial in history if trial.number >= 0 and trial.candidate in space]
        finished = sum(trial.score is not None for trial in own)
        first = next_number(history, pending)
        proposals: list[Proposal] = []
        for number in range(first, first + n):
            if len(seen) >= space.size:
                break
            rng = np.random.default_rng([seed, number])
            proposal = best_elsewhere(space, history, seen) if finished < self.startup else None
            if proposal is None and finished >= self.startup:
                waiting = [*(item.proposal for item in pending), *proposals]
                proposal = self._ask(space, own, waiting, seen, int(rng.integers(2**31)))
            proposal = proposal or random_proposal(space, seen, rng)
            if proposal is None:
                break
            seen.add(space.key(proposal.candidate))
            proposals.append(proposal)
        return proposals

    def _ask(
        self, space: JointSpace, own: Sequence[Trial], waiting: Sequence[Proposal], seen: set[Any], seed: int
    ) -> Proposal | None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of options that Optuna calls experimental
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=self.startup, multivariate=True, group=True, constant_liar=True, seed=seed
            )
            study = optuna.create_study(direction="maximize", sampler=sampler)
            worst = min(trial.score for trial in own if trial.score is not None)
            for trial in own:
                study.add_trial(_frozen(space, trial, worst if trial.score is None else trial.score))
            for proposal in waiting:
                study.add_trial(_frozen(space, proposal, None))
            for _ in range(DRAWS):
                asked = study.ask()
                candidate = space.derive(partial(_taken, asked))
                if is_new(space, seen, candidate):
                    return Proposal(candidate, origin="tree-structured Parzen estimator")
        return None


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


def _frozen(space: JointSpace, made: Trial | Proposal, score: float | None) -> optuna.trial.FrozenTrial:
    """Return a trial, or a proposal under way, as Optuna keeps it."""
    import optuna

    decisions = space.decisions(made.candidate)
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING if score is None else optuna.trial.TrialState.COMPLETE,
        params={d.path: d.allowed.index(d.index) for d in decisions},
        distributions={d.path: _distribution(d.choice, d.allowed) for d in decisions},
        value=score,
    )
