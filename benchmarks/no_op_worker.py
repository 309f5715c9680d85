"""A worker whose trainer does nothing: what is left of a trial is what archwise adds to it."""

from __future__ import annotations

from collections.abc import Callable

from archwise.evaluators import training
from archwise.evaluators.job import TrainingJob
from archwise.runtime import worker
from archwise.trial import CurvePoint, Outcome


def no_op(job: TrainingJob, report: Callable[[CurvePoint], None]) -> Outcome:
    """Answer at once, with a score that the seed decides."""
    score = job.seed % 1000 / 1000
    point = CurvePoint(job.fidelity, 0.0, 1.0, 1.0, score)
    report(point)
    return Outcome("finished", score, {job.objective: score}, {"train_seconds": 0.0}, (point,))


if __name__ == "__main__":
    training.train = no_op
    worker.main()
