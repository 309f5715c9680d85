"""Network growing whose edits a controller chooses, which learns from what they brought."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np

from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.controller import Controller
from archwise.strategies.edit_controller import EditController, Place
from archwise.strategies.edits import Edit, moves
from archwise.strategies.growing import NetworkGrowing
from archwise.strategies.reinforcement import ReinforcementLearning
from archwise.strategies.rewards import METRIC, Reward, advantages, rewards_of
from archwise.strategies.strategy import Situation
from archwise.trial import Trial


class ReinforcedGrowing(NetworkGrowing):
    """Network growing in which a controller chooses the edit, and learns by REINFORCE which edits make networks better.

    The parent is chosen as in `NetworkGrowing`. The controller reads all its choices and draws one of its edits. The
    reward of an edit is by how much the child's is above its parent's, compared with the moving average of these.

    - A failed child counts as the worst edit so far.
    - The controller begins near drawing all edits alike; each batch of this search's trials that ended is a lesson.

    Source: Cai et al. 2018, Efficient architecture search by network transformation. There the reward is the child's
    own and an episode edits one network several times; here every edit is evaluated, so its own gain is known.

    Args:
        start, population, sample, share: as for `NetworkGrowing`.
        reward: what to make of an outcome; see `rewards`.
        batch: trials a lesson; larger is steadier and slower.
        learning_rate: larger follows the rewards faster and settles sooner.
        entropy: weight of the policy's entropy beside the rewards; larger explores longer.
        decay: share of the moving average that stays at each edit; smaller follows the latest rewards closer.

    Raises:
        ArchwiseError: a number is out of its range.

    Example:
        >>> ReinforcedGrowing(population=5, batch=4).population
        5
    """

    def __init__(
        self,
        start: Architecture | Candidate | None = None,
        population: int = 10,
        sample: int = 3,
        share: float = 1.0,
        reward: Reward = METRIC,
        batch: int = 8,
        learning_rate: float = 0.01,
        entropy: float = 0.05,
        decay: float = 0.9,
    ):
        super().__init__(start, population, sample, share)
        self._lessons = _EditLessons(reward, "reinforce", batch, learning_rate, entropy, decay)

    def order(self, now: Situation, parent: Trial | None, edits: Sequence[Edit]) -> Iterator[Edit]:
        """Yield the edits of a parent as the controller draws them, none twice."""
        if not edits or parent is None:
            yield from super().order(now, parent, edits)
            return
        chances = self._lessons.controller(now).probabilities(parent.candidate)
        # The largest of logarithms with Gumbel noise are a draw without putting back.
        logs = np.log([max(chances[edit.path, edit.after], 1e-12) for edit in edits])
        for i in np.argsort(-(logs + now.rng.gumbel(size=len(edits)))):
            yield edits[int(i)]


class _EditLessons(ReinforcementLearning):
    """What the controller of edits learned from the trials that ended."""

    def controller(self, now: Situation) -> EditController:
        """Return the controller after all full batches of the history."""
        course, self._course = self._course, None  # so that a lesson that is interrupted leaves nothing half learned
        self._course = self._learn(course, now)
        assert isinstance(self._course.controller, EditController)
        return self._course.controller

    @cached_property
    def _edit(self) -> Callable[[JointSpace, Candidate, Candidate], Place | None]:
        return lru_cache(maxsize=1 << 14)(_edit)

    def _make(self, space: JointSpace, seed: int) -> Controller:
        return EditController(space, seed, self.learning_rate, self.entropy)

    def _fitting(self, now: Situation, others: Sequence[Trial]) -> list[Trial]:
        """What other searches edited is not known here."""
        return []

    def _teach(self, controller: Controller, trials: Sequence[Trial], count: int) -> None:
        """Teach the edits among the last few trials, by how their gains compare with all gains so far."""
        assert isinstance(controller, EditController)
        trial_of = {trial.number: trial for trial in trials}
        first = trials[-count].number
        edits = [(trial, trial_of[trial.inherits]) for trial in trials if trial.inherits in trial_of]
        made = [
            (child, parent, edit)
            for child, parent in edits
            if (edit := self._edit(controller.space, parent.candidate, child.candidate))
        ]
        worth = {trial.number: value for trial, value in zip(trials, rewards_of(self.reward, trials), strict=True)}
        above = advantages([_gain(worth[parent.number], worth[child.number]) for child, parent, _ in made], self.decay)
        lesson = [(*item, float(a)) for item, a in zip(made, above, strict=True) if item[0].number >= first]
        if any(advantage for *_, advantage in lesson):
            _, parents, taken, gained = zip(*lesson, strict=True)
            controller.reinforce_edits([parent.candidate for parent in parents], taken, gained)


def _gain(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _edit(space: JointSpace, parent: Candidate, child: Candidate) -> Place | None:
    """Return the edit that made a child of its parent, None where no single one would."""
    after = {decision.path: decision.label for decision in space.decisions(child)}
    changed = [
        (decision, after[decision.path])
        for decision in space.decisions(parent)
        if decision.path in after and after[decision.path] != decision.label
    ]
    if len(changed) != 1:
        return None
    decision, label = changed[0]
    possible = [decision.choice.labels[index] for index in moves(decision)]
    return (decision.path, label) if label in possible else None
