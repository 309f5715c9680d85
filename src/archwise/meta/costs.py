"""What trials will cost on a new task, and whether they will fail: from past tasks' trials and the search's own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.special import log_ndtr

from archwise.meta.cost_model import CostModel, Costs
from archwise.meta.failures import FailureModel
from archwise.meta.past_task import PastTask
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.surrogate import caution
from archwise.trial import Trial

Item = TypeVar("Item")
SECONDS = "train_seconds"
"""The cost that grows with the share of the full training that is spent."""
PLACES = 12
"""Past tasks whose costs are learnt from, those with most trials."""
MOST_COSTS = 200
"""Costs of each of them."""
MOST_PAST = 400
"""Trials of all past tasks together by which failures are learnt."""
MOST_OWN = 60
"""Costs of the search's own trials that are learnt from."""
MOST_OWN_ENDED = 200
"""Its own trials by which failures are learnt."""
TOO_LONG = ("time limit", "too slow")
"""How the reasons of trials begin that took longer than allowed."""
NOT_ITS_FAULT = ("the weights of trial",)
"""How those begin that say nothing of the candidate."""


class CostTransfer:
    """Training times and failures on a new task.

    - *Costs*: log costs follow those of past tasks, up to a level, a spread and what the search's own trials add (see
      `CostModel`); training times are those of full trainings.
    - *Failures*: log odds of failing are learnt from past tasks together, and from the search's own trials beyond that
      (see `FailureModel`). Trials that took too long are no failures where a limit on training time is given and their
      curves tell how long they would have taken: that is a cost like any other.

    Args:
        past: past tasks.
        space: the candidates.
        limits: name of a cost -> the most of it that a full training may have: "train_seconds", "memory_bytes" or any
            other that trials record. Without one, what exceeded it counts as failed.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> from archwise.trial import Outcome
        >>> network = Space(Chain(dense(Choice("width", [8, 16, 32, 64, 128])), head()))
        >>> space = JointSpace(network, Space(Settings(rate=0.1)))
        >>> def outcome(width):
        ...     return Outcome("finished", 0.9, costs={"train_seconds": 0.1 * width})
        >>> trials = [Trial(i, c, 1.0, 0, outcome(c.architecture["width"])) for i, c in enumerate(space.enumerate())]
        >>> costs = CostTransfer([PastTask("small", trials)], space, {"train_seconds": 2.0})
        >>> costs.fit(trials[:3])
        >>> small, *_, large = costs.feasible(list(space.enumerate()))
        >>> bool(small > 0.8 and large < 0.1)
        True
    """

    def __init__(self, past: Sequence[PastTask], space: JointSpace, limits: Mapping[str, float] | None = None):
        self.space = space
        self.limits = dict(limits or {})
        inside = [task.inside(space) for task in past]
        self._inside = inside
        self._own: list[Trial] = []
        self._models = {name: _cost_model(name, inside, space) for name in self.limits}
        past_failures = FailureModel(space)
        share = max(1, MOST_PAST // max(1, sum(map(bool, inside))))
        self._learn(past_failures, [trial for trials in inside for trial in _spread(self._telling(trials), share)])
        self._failures = FailureModel(space, past_failures if past_failures.knows else None)

    def fit(self, own: Sequence[Trial]) -> None:
        """Learn from the search's own trials that ended, failed ones too; of none, what past tasks say stays."""
        own = [trial for trial in own if trial.candidate in self.space]
        self._own = own
        for name, model in self._models.items():
            model.fit(_costs(name, own, MOST_OWN))
        self._learn(self._failures, _spread(self._telling(own), MOST_OWN_ENDED))

    def feasible(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the probability that each candidate neither fails nor exceeds a limit."""
        feasible: np.ndarray = np.exp(self._log_chance(candidates))
        return feasible

    def log_feasible(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of that probability, times `caution`."""
        weighed: np.ndarray = caution(self._own) * self._log_chance(candidates)
        return weighed

    def _log_chance(self, candidates: Sequence[Candidate]) -> np.ndarray:
        chance: np.ndarray = -np.logaddexp(0.0, self._failures.log_odds(candidates))
        for name, most in self.limits.items():
            if self._models[name].has_level:
                logs = self._models[name].predict(candidates)
                chance = chance + log_ndtr((np.log(most) - logs.mean) / logs.deviation)
        return chance

    def train_seconds(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return how many seconds the full training of each candidate is expected to take (the median)."""
        if SECONDS not in self._models:
            self._models[SECONDS] = _cost_model(SECONDS, self._inside, self.space)
            self._models[SECONDS].fit(_costs(SECONDS, self._own, MOST_OWN))
        seconds: np.ndarray = np.exp(self._models[SECONDS].predict(candidates).mean)
        return seconds

    def _telling(self, trials: Iterable[Trial]) -> list[Trial]:
        """Return the trials from which failures are learnt."""
        limited = SECONDS in self.limits
        return [
            trial
            for trial in trials
            if not trial.outcome.reason.startswith(NOT_ITS_FAULT)
            and not (limited and _took_too_long(trial) and _cost(trial, SECONDS) is not None)
        ]

    @staticmethod
    def _learn(model: FailureModel, trials: Sequence[Trial]) -> None:
        model.fit([trial.candidate for trial in trials], [trial.outcome.status == "failed" for trial in trials])


def _cost_model(name: str, past: Sequence[Sequence[Trial]], space: JointSpace) -> CostModel:
    places = [_costs(name, trials, MOST_COSTS) for trials in past]
    most_first = sorted(places, key=lambda place: -len(place.values))
    return CostModel(most_first[:PLACES], space)


def _costs(name: str, trials: Iterable[Trial], most: int) -> Costs:
    """Return what full trainings cost, of those trials that tell."""
    known = [(trial.candidate, cost) for trial in trials if (cost := _cost(trial, name)) is not None]
    known = _spread(known, most)
    return Costs([candidate for candidate, _ in known], np.array([cost for _, cost in known]))


def _cost(trial: Trial, name: str) -> float | None:
    """Return what a full training costs, as far as a trial tells; None where that has no logarithm."""
    cost = _told(trial, name)
    return cost if cost is not None and 0 < cost < math.inf else None


def _told(trial: Trial, name: str) -> float | None:
    """Return what a trial says of the cost of a full training: one that took too long, by how far it came."""
    cost, curve = trial.outcome.costs.get(name), trial.outcome.curve
    if name != SECONDS:
        return cost
    if trial.outcome.status == "finished":
        return None if cost is None else cost / trial.fidelity
    if _took_too_long(trial) and curve and curve[-1].fidelity > 0:
        return curve[-1].seconds / curve[-1].fidelity
    return None


def _took_too_long(trial: Trial) -> bool:
    return trial.outcome.status == "failed" and trial.outcome.reason.startswith(TOO_LONG)


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return items, of too many evenly spread ones with the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]
