"""Reinforcement learning: a controller writes candidates, and their rewards teach it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.controller import Controller
from archwise.strategies.rewards import METRIC, Reward, advantages, rewards_of
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.trial import Proposal, Trial

KEPT = 8
"""Batches by which learning can go back when a trial with a low number ends late."""
OTHERS = 40
"""Trials of other searches that the controller learns from; where those mislead, more of them mislead for longer."""


class _Learned(NamedTuple):
    """What the controller had learned after some trials of this search."""

    trials: list[Trial]
    state: dict[str, Any]


class _Course(NamedTuple):
    """A controller with what it learned, the last batch at the end, and all that decided where it started."""

    space: JointSpace
    seed: int
    others: list[Trial]
    controller: Controller
    learned: list[_Learned]


class ReinforcementLearning(OneAtATime):
    """A recurrent controller writes candidates choice by choice; each batch of trials that ended is a lesson.

    The controller begins near random sampling. Trials are taught in the order of their numbers, a batch at a time, each
    by how far its reward is above the moving average of the rewards, in standard deviations.

    - Failed trials count as the lowest reward there was.
    - The youngest trials of other searches in this space are taught before the first proposal, by their own average and
      deviation; their scores are not compared with this search's own.
    - A trial that ends late is taught in its place, and what came after it once more.
    - With `edits`, it rewrites a few choices of the best trial, drawn at random, instead of writing all anew.
    - Where the controller writes nothing new any more, a random candidate is proposed. Lessons are of whole candidates,
      whoever wrote them, and a lesson's steps are clipped around the policy before it.

    Source: Zoph & Le 2017, Neural architecture search with reinforcement learning (REINFORCE); Zoph et al. 2018,
    Learning transferable architectures for scalable image recognition (proximal policy optimisation of the same, from
    Schulman et al. 2017); Cai et al. 2018, Efficient architecture search by network transformation (an agent that edits
    what is there). Batch, learning rate and entropy suit hundreds of trials; theirs were tens of thousands.

    Args:
        reward: what to make of an outcome; see `rewards` for the metric, its logistic, and either weighted by a cost.
        update: "ppo" takes several clipped steps a batch and learns more from it; "reinforce" takes one and is quicker.
        batch: trials a lesson; larger is steadier and slower.
        learning_rate: larger follows the rewards faster and settles sooner.
        entropy: weight of the policy's entropy beside the rewards; larger explores longer.
        decay: share of the moving average that stays at each trial; smaller follows the latest rewards closer.
        edits: how many choices of the best trial are rewritten; fewer stay closer to it. None writes whole candidates.

    Raises:
        ArchwiseError: an unknown update, or a number that is out of its range.

    Example:
        >>> from archwise.strategies.rewards import CostWeighted
        >>> ReinforcementLearning(CostWeighted(target=1e6), update="reinforce").reward.cost
        'flops'
    """

    def __init__(
        self,
        reward: Reward = METRIC,
        update: Literal["ppo", "reinforce"] = "ppo",
        batch: int = 8,
        learning_rate: float = 0.01,
        entropy: float = 0.05,
        decay: float = 0.9,
        edits: int | None = None,
    ):
        if update not in ("ppo", "reinforce"):
            raise ArchwiseError(f"Reinforcement learning knows no update {update!r}: take 'ppo' or 'reinforce'.")
        if batch < 1 or not learning_rate > 0 or not entropy >= 0 or not 0 < decay < 1:
            raise ArchwiseError(
                "Reinforcement learning needs a batch of 1 or more, a learning rate above 0, an entropy weight of 0 or "
                f"more and a decay in (0, 1), not {batch}, {learning_rate}, {entropy} and {decay}."
            )
        if edits is not None and edits < 1:
            raise ArchwiseError(f"Reinforcement learning edits 1 choice or more of the best trial, not {edits}.")
        self.reward = reward
        self.update = update
        self.batch = batch
        self.learning_rate = learning_rate
        self.entropy = entropy
        self.decay = decay
        self.edits = edits
        self._course: _Course | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return a candidate that the controller writes; where it writes nothing new, a random one."""
        course, self._course = self._course, None  # so that a lesson that is interrupted leaves nothing half learned
        self._course = course = self._learn(course, now)
        edited = self._edited(course.controller, now)
        if edited:
            return edited
        written = now.draw_new(lambda: course.controller.write(now.rng))
        return Proposal(written, origin="written by the controller") if written else now.random()

    def _edited(self, controller: Controller, now: Situation) -> Proposal | None:
        """Return the best trial's candidate with a few choices rewritten, None where that is not to be or not new."""
        rewards = [(self.reward(trial.outcome), -trial.number, trial) for trial in now.finished]
        known = [(reward, place, trial) for reward, place, trial in rewards if reward is not None]
        if self.edits is None or not known:
            return None
        *_, best = max(known)
        decisions = [d for d in now.space.decisions(best.candidate) if len(d.allowed) > 1]

        def draw() -> Candidate:
            rewritten = set(now.rng.permutation(len(decisions))[: self.edits].tolist())
            kept = {d.path: d.label for i, d in enumerate(decisions) if i not in rewritten}
            return controller.write(now.rng, kept)

        edited = now.draw_new(draw)
        return Proposal(edited, origin=f"trial {best.number} edited by the controller") if edited else None

    def _learn(self, course: _Course | None, now: Situation) -> _Course:
        """Return the course after all full batches of the history; what is known of it already is not done again."""
        others = [trial for trial in now.history if trial.number < 0]
        if course is None or course[:3] != (now.space, now.seed, others):
            course = self._begin(now, others)
        learned = course.learned
        latest = learned[-1]
        while learned[-1].trials != now.own[: len(learned[-1].trials)]:
            learned.pop()
        if learned[-1] is not latest:
            course.controller.load(learned[-1].state)
        for end in range(len(learned[-1].trials) + self.batch, len(now.own) + 1, self.batch):
            self._teach(course.controller, now.own[:end], self.batch)
            learned.append(_Learned(now.own[:end], course.controller.state()))
            del learned[1:-KEPT]
        return course

    def _begin(self, now: Situation, others: list[Trial]) -> _Course:
        """Return a new controller that learned from other searches alone."""
        controller = self._make(now.space, now.seed)
        fitting = self._fitting(now, others)
        for start in range(0, len(fitting), self.batch):
            batch = fitting[start : start + self.batch]
            self._teach(controller, fitting[: start + len(batch)], len(batch))
        return _Course(now.space, now.seed, others, controller, [_Learned([], controller.state())])

    def _make(self, space: JointSpace, seed: int) -> Controller:
        """Return a controller that learned nothing yet."""
        return Controller(space, seed, self.learning_rate, self.entropy)

    def _fitting(self, now: Situation, others: Sequence[Trial]) -> list[Trial]:
        """Return the trials of other searches that are taught, by number."""
        youngest = sorted(others, key=lambda trial: -trial.number)
        return list(islice((trial for trial in youngest if trial.candidate in now.space), OTHERS))[::-1]

    def _teach(self, controller: Controller, trials: Sequence[Trial], count: int) -> None:
        """Teach the last few of some trials, by how they compare with all of these."""
        above = advantages(rewards_of(self.reward, trials), self.decay)
        if not above[-count:].any():
            return
        improve = controller.proximal if self.update == "ppo" else controller.reinforce
        improve([trial.candidate for trial in trials[-count:]], above[-count:].tolist())
