"""Training one network for a job: the evaluator that everything else is measured by."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from archwise.evaluators import costs
from archwise.evaluators.allocator import reused_memory
from archwise.evaluators.batches import Examples, Order
from archwise.evaluators.checkpoint import (
    Progress,
    load_checkpoint,
    plain,
    save_checkpoint,
    save_weights,
    training_key,
)
from archwise.evaluators.failures import TrainingError, describe
from archwise.evaluators.inheritance import inherited_weights
from archwise.evaluators.job import TrainingJob
from archwise.evaluators.learner import Learner
from archwise.evaluators.metrics import check_metric, compute_metrics, metric_names, score_of
from archwise.evaluators.network import build_network
from archwise.evaluators.schedule import Schedule, derive_seed
from archwise.evaluators.seeding import reproducible, seed_torch
from archwise.tasks.task import Task
from archwise.trial import CurvePoint, Outcome

PATIENCE = 0.4
"""Training stops early after this share of the schedule without a better score."""
INTERVAL = 2
"""Label of the random numbers of an interval: augmentation and dropout."""
PROBE = (5, 25)
"""Steps between which the speed is measured, where there is a time limit."""
LOOK_EVERY = 50
"""Steps between looks at the losses: on a GPU each look waits for it."""


def train(job: TrainingJob, report: Callable[[CurvePoint], None] | None = None) -> Outcome:
    """Train a network as a job says and return how good it is and what it costs.

    The outcome is that of the best point of the curve by score (of equal points the later), and so are the
    weights. Training stops early after 40 % of the schedule without a better score. With `on="train+validation"`
    nothing is validated: the weights are the last ones, the score is the negated training loss, and there are no
    metrics.

    Beside those named in `Outcome`, the costs are "best_fidelity" (share of the schedule at which the best
    weights were reached), "steps" (optimiser steps done) and "train_seconds" (with those of the trials it
    continues); "memory_bytes" counts weights, gradients, optimiser state, and what one batch keeps for the
    backward pass. Where the training starts from another network's weights, "inherited" is their share.

    Args:
        job: what to train, on what, how far.
        report: called with each point of the learning curve as it is reached.

    Returns:
        A finished outcome, or a failed one with reason and traceback, whatever went wrong: only
        KeyboardInterrupt and SystemExit escape.
    """
    training = _Training(job, report)
    try:
        with reproducible(job.device), reused_memory():
            return training.run()
    except Exception as error:
        reason, trace = describe(error)
        return Outcome("failed", None, {}, training.costs, tuple(training.progress.curve), reason, trace)


class _Training:
    """One training, from its first look at the task to its outcome."""

    def __init__(self, job: TrainingJob, report: Callable[[CurvePoint], None] | None) -> None:
        self.job = job
        self.report = report
        self.progress = Progress()
        self.costs: dict[str, float] = {}

    def run(self) -> Outcome:
        job = self.job
        self._prepare()
        key = training_key(job, self.task.fingerprint)
        last = self.schedule.interval_at(job.fidelity)
        self.steps = self.schedule.end(last)
        self.begun = time.perf_counter()
        self._resume(key, last)
        self.learned = 0
        while self.progress.interval < last and not self._hopeless():
            self._advance()
        if job.checkpoint_to is not None:
            # A checkpoint that cannot be written costs time later, not this trial.
            with contextlib.suppress(OSError):
                state = self.learner.model.state_dict(), self.learner.optimizer.state()
                save_checkpoint(job.checkpoint_to, key, self.progress, *state)
        return self._outcome()

    def _prepare(self) -> None:
        """Open the task, lay out the schedule and build the network."""
        job = self.job
        task = self.task = Task.load(job.task)
        check_metric(job.objective, task.problem)
        device = torch.device(job.device)
        self.validates = job.on == "train"
        train, validation = task.arrays("train"), task.arrays("validation")
        self.examples = Examples([train] if self.validates else [train, validation], device)
        self.x_validation, y_validation = Examples([validation], device)[0]
        self.y_validation = y_validation.cpu()
        self.order = Order(len(self.examples), int(job.settings.get("batch_size", 64)), job.seed)
        warmup = float(job.settings.get("warmup", 0.0))
        sizes = len(self.examples), len(validation[1])
        self.schedule = Schedule.of(*sizes, job.epochs, self.order.batch_size, warmup)
        self.example = self.x_validation[:1].to(device)
        self.learner = Learner(build_network(job.source, job.seed), task, job.settings, self.example)
        self.costs["parameters"] = self.learner.parameters
        self.costs["flops"] = self.learner.flops

    def _resume(self, key: str, last: int) -> None:
        found = None if self.job.resume_from is None else load_checkpoint(self.job.resume_from, key, last)
        if found is not None:
            self.progress, weights, state = found
            self.learner.model.load_state_dict(weights)
            self.learner.optimizer.load_state(state)
        elif self.job.inherit_weights is not None:
            indices = self.order.batch(0)
            examples = self.examples.take(indices)[0].to("cpu")
            weights, self.progress.inherited = inherited_weights(self.job, examples)
            self.learner.model.load_state_dict(weights)

    def _hopeless(self) -> bool:
        share, progress = self.schedule.share, self.progress
        return self.validates and share(progress.interval) - share(progress.improved) >= PATIENCE

    def _advance(self) -> None:
        """Train for one interval and take stock."""
        start = time.perf_counter() - self.progress.seconds
        interval = self.progress.interval + 1
        # The randomness of an interval is its own, so a continued training needs no generator's state.
        seed_torch(derive_seed(self.job.seed, INTERVAL, interval), self.example.device)
        loss = self._learn(self.schedule.end(interval - 1), self.schedule.end(interval))
        validation_loss, score, outputs = self._validate() if self.validates else (math.nan, math.nan, None)
        point = CurvePoint(self.schedule.share(interval), time.perf_counter() - start, loss, validation_loss, score)
        self._keep(point, outputs)
        self.costs |= self.progress.costs(self.schedule)
        if self.report is not None:
            self.report(point)

    def _keep(self, point: CurvePoint, outputs: Tensor | None) -> None:
        """Add a point to the curve, and remember its weights if they are the best so far."""
        progress = self.progress
        progress.interval += 1
        best = progress.curve[progress.best - 1].score if progress.curve else -math.inf
        progress.curve.append(point)
        if outputs is None:
            progress.best = progress.interval
        elif point.score >= best:
            progress.best, progress.best_outputs = progress.interval, outputs
            progress.best_weights = plain(self.learner.model.state_dict())
            if point.score > best:
                progress.improved = progress.interval

    def _learn(self, first: int, end: int) -> float:
        """Do the steps from `first` up to `end` and return their mean loss."""
        losses: list[Tensor] = []
        total = 0.0
        before = self.learned
        for step in range(first, end):
            if step < end - 1 and self._too_late(step):
                continue
            self._refuse_too_slow(step)
            self.learned += 1
            x, y = self.examples.take(self.order.batch(step))
            rate = self.schedule.rate(step)
            if self.progress.memory_bytes:
                losses.append(self.learner.step(x, y, rate))
            else:
                loss, self.progress.memory_bytes = self.learner.step_counting(x, y, rate)
                losses.append(loss)
            if len(losses) == LOOK_EVERY or step == end - 1:
                total += _checked_sum(losses, step)
                losses.clear()
        self.progress.steps += self.learned - before
        return total / (self.learned - before)

    def _refuse_too_slow(self, step: int) -> None:
        """Raise TrainingError where the first steps show that the time limit will not do."""
        limit, (first, last) = self.job.time_limit, PROBE
        if self.learned in PROBE:
            costs.wait_for(self.example)
        if self.learned == first:
            self.probed = time.perf_counter()
        elif self.learned == last and limit is not None:
            whole = (time.perf_counter() - self.probed) / (last - first) * (self.steps - step + last)
            if whole > limit:
                raise TrainingError(f"too slow: it would take about {whole:.0f} seconds, the limit is {limit:.0f}")

    def _too_late(self, step: int) -> bool:
        """Whether the timetable has a later step for now."""
        limit = self.job.seconds
        return limit is not None and time.perf_counter() - self.begun > limit * (step + 1) / self.steps

    def _validate(self) -> tuple[float, float, Tensor]:
        """Return (loss, score, raw outputs) of the present weights on the validation split."""
        outputs, loss = self.learner.evaluate(self.x_validation, self.y_validation)
        objective = self.job.objective
        score = score_of(objective, self._metrics((objective,), outputs)[objective])
        if not math.isfinite(loss) or not math.isfinite(score):
            step = self.schedule.end(self.progress.interval + 1)
            raise TrainingError(f"diverged at step {step}: validation loss {loss}, {objective} {score}")
        return loss, score, outputs

    def _metrics(self, names: tuple[str, ...], outputs: Tensor) -> dict[str, float]:
        mean, scale = self.task.target_mean, self.task.target_scale
        problem = self.task.problem
        return compute_metrics(names, problem, outputs, self.y_validation, target_mean=mean, target_scale=scale)

    def _outcome(self) -> Outcome:
        """Sum up: all metrics, the weights' file, what the network costs."""
        job, progress, model = self.job, self.progress, self.learner.model
        self.costs |= progress.costs(self.schedule)
        if self.validates:
            metrics = self._metrics(metric_names(self.task.problem), progress.best_outputs)
            score, weights = score_of(job.objective, metrics[job.objective]), progress.best_weights
        else:
            metrics, score, weights = {}, -progress.curve[-1].train_loss, model.state_dict()
        if job.weights_to is not None:
            save_weights(job.weights_to, weights)
        if job.measure_latency:
            self.costs["latency_ms"] = costs.latency_ms(model, self.example)
        return Outcome("finished", score, metrics, self.costs, tuple(progress.curve))


def _checked_sum(losses: list[Tensor], step: int) -> float:
    """Return the sum of the losses up to this step.

    Raises:
        TrainingError: one of them is not finite.
    """
    values: list[float] = torch.stack(losses).tolist()
    for number, value in enumerate(values, start=step + 2 - len(values)):
        if not math.isfinite(value):
            raise TrainingError(f"diverged at step {number}: the loss is {value}")
    return sum(values)
