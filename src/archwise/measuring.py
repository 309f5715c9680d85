"""Measuring how fast networks train here, before a search within a time budget begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from archwise.errors import RunError
from archwise.evaluators.schedule import derive_seed
from archwise.runtime.pool import WorkerPool
from archwise.spaces.architecture import Candidate
from archwise.trial import Outcome, Proposal

if TYPE_CHECKING:
    from archwise.loop import Search

STEPS = 60
"""Training steps by which the speed is measured."""
MEASURE_SHARE = 0.1
"""Most of the time budget that measuring the speed may take."""
MEASURE = 4
"""Label of the seeds of what is measured."""


def seconds_per_epoch(search: Search, pool: WorkerPool) -> float:
    """Train the default architecture, or another where it cannot be trained, for some steps.

    Returns:
        How many seconds a pass over the training split would take.

    Raises:
        RunError: none of them can be trained, or not in the time there is.
    """
    others = (search.space.sample(derive_seed(search.settings.seed, MEASURE, i)) for i in range(3))
    for candidate in [search.default, *filter(search.space.allows, others)]:
        outcome, epochs = _some_steps(search, pool, candidate)
        curve = outcome.curve
        if outcome.status == "finished" and len(curve) > 1:
            return (curve[-1].seconds - curve[0].seconds) / (1 - curve[0].fidelity) / epochs
    raise RunError(
        f"Neither the default architecture nor others can be trained on this task ({outcome.reason}): "
        "give more minutes if time was short, or another space."
    )


def _some_steps(search: Search, pool: WorkerPool, candidate: Candidate) -> tuple[Outcome, float]:
    """Train for some steps, like the final network, since that training never stops to validate.

    Returns:
        The outcome, and the passes over the training split that the steps were.
    """
    batch = int(search.space.recipe.values(candidate.recipe).get("batch_size", 64))
    train, both = search.task.sizes["train"], search.task.sizes["train"] + search.task.sizes["validation"]
    evaluator = replace(search.evaluator, epochs=STEPS * batch / both, checkpoints=None)
    job = evaluator.job(Proposal(candidate), search.task, search.settings.seed)
    job = replace(job, on="train+validation", measure_latency=False)
    # On all workers at once, as trials will run: they compete for memory and caches.
    for key in range(search.settings.workers):
        pool.submit(key, job, None if search.clock.budget is None else MEASURE_SHARE * search.clock.budget)
    outcomes: list[Outcome] = []
    while pool.pending:
        outcomes += [outcome for _, outcome in pool.wait(timeout=1.0)]
        search.listener.tick(search.clock.left)
    slowest = max(outcomes, key=lambda o: (o.status != "finished", o.costs.get("train_seconds", 0.0)))
    return slowest, STEPS * batch / train
