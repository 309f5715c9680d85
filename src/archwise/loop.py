"""The loop: a strategy proposes, workers evaluate, the experience remembers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from threadpoolctl import ThreadpoolController

from archwise.clock import PATIENCE, TRIAL_SHARE, Clock, default_epochs
from archwise.errors import SpaceError
from archwise.evaluators.evaluator import TrainingEvaluator
from archwise.evaluators.schedule import Schedule, derive_seed
from archwise.experience import Experience
from archwise.lineage import Lineage
from archwise.measuring import seconds_per_epoch
from archwise.progress import Listener
from archwise.run import Run
from archwise.runtime.pool import WorkerPool
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy, default_by, next_number, passes_on_weights
from archwise.tasks.task import Task
from archwise.trial import Outcome, Pending, Proposal, Trial

KEPT_CHECKPOINTS = 30
"""Training states that are kept: those of the best trials, which alone are likely to continue."""
TRIAL, CONFIRM = 1, 2
"""Labels of the seeds of trials and of the finalists' fresh seeds."""


class Search:
    """One search on one task: exploring by the strategy, with everything that ends recorded.

    Args:
        run: the run folder; run.json holds the settings and where earlier sessions stopped.
        task: the task.
        space: the candidates.
        default: the candidate that the result is held against; it takes the place of the first proposal.
        strategy: proposes what to evaluate.
        experience: remembers every trial.
        clock: the time budget of this session.
        listener: hears of progress.
    """

    def __init__(
        self,
        run: Run,
        task: Task,
        space: JointSpace,
        default: Candidate,
        strategy: Strategy,
        experience: Experience,
        clock: Clock,
        listener: Listener,
    ):
        self.run = run
        self.task = task
        self.space = space
        self.default = default
        self.strategy = strategy
        self.experience = experience
        self.clock = clock
        self.listener = listener
        self.settings = run.settings
        self.lineage = Lineage(run.weights, passes_on_weights(strategy))
        self._default_by = min(default_by(strategy), self.settings.trials or 1_000_000)
        self._libraries = ThreadpoolController()
        recorded = experience.trials(run["search"])
        self.trials = [trial for trial in recorded if trial.purpose == "search"]
        self.confirmations = [trial for trial in recorded if trial.purpose == "confirm"]
        self._full_seconds: dict[Candidate, list[float]] = {}
        self._evaluation_seconds: dict[Candidate, list[float]] = {}
        self._states: dict[Path, float] = {}
        for trial in recorded:
            self._learn_seconds(trial)
        for trial in self.trials:
            self._keep_checkpoint(trial)

    # ------------------------------------------------------------------ exploring

    def explore(self, pool: WorkerPool, reserve: Callable[[], float]) -> str:
        """Evaluate what the strategy proposes until the budget is used.

        Args:
            pool: the workers.
            reserve: returns how many seconds must be left for what follows.

        Returns:
            What ended it: "trials", "budget" (of time) or "exhausted".
        """
        self._decide_epochs(pool)
        self.space = replace(self.space, most_flops=self.settings.most_flops)
        self.run.checkpoints.mkdir(exist_ok=True)
        if self.lineage.active:
            self.run.weights.mkdir(exist_ok=True)
        self.listener.stage("searching", self.settings.trials)
        pending: dict[int, Pending] = {}
        started: dict[int, float] = {}
        while True:
            if self._time_is_over(reserve):
                for number in pending:
                    pool.cancel(number)
                return "budget"
            proposed = False
            allowed = self._trials_left(len(pending))
            if pool.idle and allowed:
                for proposal in self._propose(list(pending.values()), min(pool.idle, allowed)):
                    number = next_number(self.trials, list(pending.values()))
                    proposed, begun, seed = True, time.time(), self._seed(number, proposal)
                    try:
                        start = self.lineage.start(proposal, self.trials)
                        job = self.evaluator.job(proposal, self.task, seed, start)
                    except SpaceError as error:
                        outcome = Outcome("failed", reason=f"cannot be built: {error}")
                        self._record(number, proposal, seed, outcome, "search", begun)
                        continue
                    pending[number], started[number] = Pending(number, proposal), begun
                    limit = self._time_limit(proposal)
                    weights = self.lineage.file(number)
                    pool.submit(number, replace(job, time_limit=limit, weights_to=weights), limit)
            if not pending and not proposed:
                return "trials" if not self._trials_left(0) else "exhausted"
            for number, outcome in pool.wait(timeout=min(1.0, max(0.1, self.clock.left - reserve()))):
                item, begun = pending.pop(number), started.pop(number)
                self._record(number, item.proposal, self._seed(number, item.proposal), outcome, "search", begun)
                self.lineage.forget(self.trials, [left.proposal for left in pending.values()])
            self.listener.tick(self.clock.left)

    def _time_is_over(self, reserve: Callable[[], float]) -> bool:
        """Whether what is left is needed for the end; while nothing has finished, there is no end to keep time for."""
        if any(trial.score is not None for trial in self.trials):
            return self.clock.left <= reserve()
        return self.clock.left <= 0

    def _propose(self, pending: list[Pending], n: int) -> list[Proposal]:
        with self._libraries.limit(limits=1, user_api="blas"):  # the workers have the other cores
            proposals = self.strategy.propose(self.space, self.trials, pending, self.settings.seed, n)
        known = [*(trial.candidate for trial in self.trials), *(item.proposal.candidate for item in pending)]
        last = len(dict.fromkeys([*known, *(proposal.candidate for proposal in proposals)]))
        if proposals and proposals[0].parent is None and self.default not in known and last >= self._default_by:
            first = replace(proposals[0], candidate=self.default, origin="the space's default", inherits=None)
            others = [proposal for proposal in proposals if proposal.candidate != self.default]
            proposals = [first, *(others if len(others) < len(proposals) else others[1:])]
        return [self.lineage.settled(proposal, self.trials) for proposal in proposals]

    def _trials_left(self, pending: int) -> int:
        limit = self.settings.trials
        return 1_000_000 if limit is None else max(0, limit - len(self.trials) - pending)

    def _seed(self, number: int, proposal: Proposal) -> int:
        """A continued trial keeps its seed; others have one of their own."""
        if proposal.parent is not None:
            return next(trial.seed for trial in self.trials if trial.number == proposal.parent)
        return derive_seed(self.settings.seed, TRIAL, number)

    def _time_limit(self, proposal: Proposal) -> float | None:
        """Seconds a trial may take: what was asked for; else, within a time budget, a share of it."""
        if self.settings.trial_seconds is not None or self.clock.budget is None:
            return self.settings.trial_seconds
        sizes, batch = self.task.sizes, int(self.space.recipe.values(proposal.candidate.recipe).get("batch_size", 64))
        schedule = Schedule.of(sizes["train"], sizes["validation"], self.evaluator.epochs, batch, 0.0)
        share = schedule.share(schedule.interval_at(proposal.fidelity))
        return PATIENCE * self._full_share * share + 2.0

    @property
    def _full_share(self) -> float:
        """Most seconds of a time budget that training the default architecture once may take."""
        # One worker trains winner and default one after the other.
        return TRIAL_SHARE * (self.clock.budget or 0.0) * min(1.0, self.settings.workers / 2)

    # ------------------------------------------------------------------ evaluating

    @property
    def evaluator(self) -> TrainingEvaluator:
        """Trains candidates under this search's settings."""
        epochs = self.settings.epochs or default_epochs(self.task.sizes["train"])
        return TrainingEvaluator(
            self.space, self.settings.objective, epochs, self.settings.device, self.run.checkpoints
        )

    def confirm(self, pool: WorkerPool, candidates: list[Candidate], seeds: int, reserve: Callable[[], float]) -> None:
        """Evaluate candidates in full with fresh seeds, the same seeds for all; recorded ones are not repeated.

        Args:
            pool: the workers.
            candidates: the finalists.
            seeds: how many fresh seeds each.
            reserve: returns how many seconds must be left for what follows; what would take longer is given up.
        """
        fresh = [derive_seed(self.settings.seed, CONFIRM, i) for i in range(seeds)]
        done = {(trial.candidate, trial.seed) for trial in self.confirmations}
        todo = [(c, seed) for seed in fresh for c in candidates if (c, seed) not in done]
        self.listener.stage("confirming", len(todo))
        running: dict[int, tuple[Candidate, int, float]] = {}
        number = next_number(self.confirmations, [])
        while (running or todo) and self.clock.left > reserve():
            while todo and pool.idle:
                candidate, seed = todo.pop(0)
                running[number] = (candidate, seed, time.time())
                job = self.evaluator.job(Proposal(candidate), self.task, seed)
                limit = self.settings.trial_seconds
                pool.submit(number, replace(job, time_limit=limit), limit)
                number += 1
            for key, outcome in pool.wait(timeout=1.0):
                candidate, seed, begun = running.pop(key)
                self._record(key, Proposal(candidate, origin="finalist"), seed, outcome, "confirm", begun)
            self.listener.tick(self.clock.left)
        for key in running:
            pool.cancel(key)

    def fresh_trials(self, candidate: Candidate) -> list[Trial]:
        """Return the finished evaluations of a candidate with fresh seeds."""
        return [t for t in self.confirmations if t.candidate == candidate and t.score is not None]

    def full_seconds(self, candidate: Candidate) -> float | None:
        """Return how long a full training of the candidate takes, from its trials; None where none finished."""
        times = self._full_seconds.get(candidate)
        return sum(times) / len(times) if times else None

    def evaluation_seconds(self, candidate: Candidate) -> float:
        """Return how long evaluating the candidate in full takes, early stopping included; 0 if nothing is known."""
        times = self._evaluation_seconds.get(candidate)
        return sum(times) / len(times) if times else self.full_seconds(candidate) or 0.0

    def _learn_seconds(self, trial: Trial) -> None:
        if trial.score is not None and trial.outcome.curve:
            point = trial.outcome.curve[-1]
            self._full_seconds.setdefault(trial.candidate, []).append(point.seconds / point.fidelity)
            if trial.fidelity == 1:
                self._evaluation_seconds.setdefault(trial.candidate, []).append(point.seconds)

    def _record(self, number: int, proposal: Proposal, seed: int, outcome: Outcome, purpose: str, begun: float) -> None:
        trial = Trial(
            number=number,
            candidate=proposal.candidate,
            fidelity=proposal.fidelity,
            seed=seed,
            outcome=outcome,
            parent=proposal.parent,
            origin=proposal.origin,
            purpose="confirm" if purpose == "confirm" else "search",
            started=begun,
            seconds=time.time() - begun,
            inherits=proposal.inherits,
        )
        self.experience.add_trial(self.run["search"], trial, *self.space.key(trial.candidate))
        (self.confirmations if purpose == "confirm" else self.trials).append(trial)
        self._learn_seconds(trial)
        self.trials.sort(key=lambda t: t.number)
        if purpose == "search":
            self._keep_checkpoint(trial)
        self.listener.trial(trial)

    def _keep_checkpoint(self, trial: Trial) -> None:
        """Note the training state that a trial left, and delete the worst beyond those that are kept."""
        state = self.evaluator.checkpoint(trial.candidate, trial.seed)
        if state is None or trial.score is None:
            return
        self._states.pop(state, None)  # a continued trial wrote over its parent's
        if trial.fidelity == 1:
            state.unlink(missing_ok=True)
            return
        self._states[state] = trial.score
        if len(self._states) > KEPT_CHECKPOINTS:
            worst = min(self._states, key=self._states.__getitem__)
            del self._states[worst]
            worst.unlink(missing_ok=True)

    # ------------------------------------------------------------------ how long a full training is

    def _decide_epochs(self, pool: WorkerPool) -> None:
        """Settle how long a full training is, before the first trial and once for the whole search."""
        if self.settings.epochs is not None:
            return
        epochs = default_epochs(self.task.sizes["train"])
        if self.clock.budget is not None:
            self.listener.stage("measuring", None)
            seconds = seconds_per_epoch(self, pool)
            epochs = min(epochs, max(self._full_share / seconds, 0.05))
            # The time of small networks on tables hardly follows their FLOPs.
            if self.task.signature.kind != "table":
                self._limit_flops(PATIENCE * self._full_share / (epochs * seconds))
        self.settings = replace(self.settings, epochs=epochs)
        self.run.update(settings=self.settings.to_json())
        self.experience.settle(self.run["search"], self.settings.to_json())

    def _limit_flops(self, slower: float) -> None:
        flops = slower * self.space.cost(self.default).flops
        self.settings = replace(self.settings, most_flops=min(self.settings.most_flops or math.inf, flops))
        self.listener.note(
            f"Networks of more than {slower:.2g} times the default's FLOPs are left out: time is too short for them."
        )
