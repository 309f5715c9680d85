"""The final training of the winner beside the default, and the test split, opened once."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from archwise.clock import END_SECONDS, FINAL_SHARE, default_epochs
from archwise.errors import RunError
from archwise.evaluators.costs import latency_ms
from archwise.evaluators.job import TrainingJob
from archwise.evaluators.metrics import compute_metrics, metric_names
from archwise.evaluators.predict import predict
from archwise.evaluators.schedule import derive_seed
from archwise.loop import Search
from archwise.runtime.cores import share_threads
from archwise.runtime.pool import WorkerPool
from archwise.spaces.architecture import Candidate
from archwise.trial import Outcome, Proposal

FINAL = 3
"""Label of the final training's seed."""
SLACK = 1.1
"""How much more time than expected is kept for the final training, which uses all of it."""


@dataclass(frozen=True)
class Final:
    """A network of the final training.

    Args:
        candidate: architecture and recipe.
        outcome: of the final training; its costs are the network's.
        test: metrics on the test split.
        weights: the trained weights.
    """

    candidate: Candidate
    outcome: Outcome
    test: Mapping[str, float]
    weights: Path


class FinalTraining:
    """Trains the winner and the default in full and tests both.

    Args:
        search: the search that ends.
    """

    def __init__(self, search: Search):
        self.search = search
        self.done: dict[Candidate, TrainingJob] = {}

    def expected_seconds(self, finalists: Sequence[Candidate]) -> float:
        """Return how long the final training will take within a time budget, 0 without one.

        Args:
            finalists: who may win.
        """
        search, budget = self.search, self.search.clock.budget
        if budget is None:
            return 0.0
        seconds = SLACK * self.usual_seconds(finalists)
        as_before: float = search.run["final_epochs"] / search.evaluator.epochs
        return max(min(seconds, FINAL_SHARE * budget), seconds * as_before)

    def usual_seconds(self, candidates: Sequence[Candidate]) -> float:
        """Return how long the final training of two of the candidates takes if it is as long as their trials."""
        rounds = 1 if self.search.settings.workers > 1 else 2
        return rounds * max(map(self.training_seconds, candidates), default=0.0)

    def training_seconds(self, candidate: Candidate) -> float:
        """Return how long the candidate's final training takes if it is as long as its trials; 0 if that is unknown."""
        sizes = self.search.task.sizes
        growth = (sizes["train"] + sizes["validation"]) / sizes["train"]
        return (self.search.full_seconds(candidate) or 0.0) * growth * self._length(candidate)

    def train(
        self, pool: WorkerPool, candidates: list[Candidate], hurry: bool = False
    ) -> dict[Candidate, tuple[Outcome, Path]]:
        """Train candidates in full on training and validation split together.

        All get one schedule, cut where a candidate was at its best early, and within a time budget a timetable. The
        first interrupt of a search ends nothing here: what is under way is the best so far.

        Args:
            pool: the workers.
            candidates: the winner, and the default where that is another.
            hurry: the search was interrupted: train no longer than in a trial, or than for an answer before, even if
                there is time.

        Returns:
            For each candidate the outcome, and the file with its weights; the default is missing if it failed twice.

        Raises:
            RunError: the winner's training failed twice.
            KeyboardInterrupt: the search was interrupted twice.
        """
        search = self.search
        jobs = self._jobs(candidates, hurry)
        search.listener.stage("training", len(candidates))
        results: dict[Candidate, tuple[Outcome, Path]] = {}
        for i, job in enumerate(jobs):
            pool.submit(i, job)
        tried_again = set()
        interrupted = hurry
        while pool.pending:
            try:
                ended = pool.wait(timeout=1.0)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted, ended = True, []
                search.listener.note(
                    "The final training goes on, so that there is an answer. Press Ctrl-C again to stop at once; "
                    f"archwise resume {search.run.folder} ends the search later."
                )
            for i, outcome in ended:
                if outcome.status == "finished":
                    results[candidates[i]] = (outcome, Path(str(jobs[i].weights_to)))
                elif i not in tried_again:
                    tried_again.add(i)
                    limit = jobs[i].seconds
                    left = None if limit is None else min(limit, max(1.0, search.clock.left - END_SECONDS))
                    jobs[i] = replace(jobs[i], seed=jobs[i].seed + 1, seconds=left)
                    pool.submit(i, jobs[i])
                elif i == 0:
                    search.run.update(final_failures=search.run["final_failures"] + 2)
                    raise RunError(f"The final training failed twice ({outcome.reason}): archwise resume tries again.")
                else:
                    search.listener.note(f"The default's final training failed twice ({outcome.reason}).")
            search.listener.tick(search.clock.left)
        if candidates[0] not in results:  # an interrupt came in the moment in which its outcome was handed over
            raise KeyboardInterrupt
        self.done = dict(zip(candidates, jobs, strict=True))
        return results

    def schedule_epochs(self, final: Final) -> float:
        """Return the passes of the full schedule that a network's training was cut from."""
        return self.record(final)["epochs"] / self._length(final.candidate)

    def record(self, final: Final) -> dict[str, float]:
        """Return how a network was trained: passes over all but the test split, steps, seed."""
        job, sizes, steps = self.done[final.candidate], self.search.task.sizes, final.outcome.costs["steps"]
        rows = sizes["train"] + sizes["validation"]
        passes = steps * min(int(job.settings.get("batch_size", 64)), rows) / rows
        return {"epochs": min(job.epochs, passes), "steps": steps, "seed": job.seed}

    def _jobs(self, candidates: list[Candidate], hurry: bool = False) -> list[TrainingJob]:
        """Return the trainings; their length is that of a full trial, or, within a time budget, what time allows."""
        search = self.search
        settings, clock = search.settings, search.clock
        at_once = min(settings.workers, len(candidates))
        threads = share_threads(at_once)
        usual = default_epochs(search.task.sizes["train"])
        epochs = settings.epochs or usual
        longest = epochs if hurry or search.run["epochs_given"] else max(usual, epochs)
        # An answer that was given before must not be replaced by one that was trained for less.
        least: float = max(search.run["final_epochs"], 0.1 * epochs)
        limits: list[float | None] = [None] * len(candidates)
        if clock.deadline is None:
            epochs = max(epochs, least)
        else:
            left = clock.left - END_SECONDS
            known = [self.training_seconds(candidate) for candidate in candidates]
            speed = epochs * threads / share_threads(settings.workers)
            needed = [max(seconds or max(known), 1e-6) / speed for seconds in known]
            together = sum(needed) if at_once == 1 else max(needed)
            possible = left / together
            epochs = max(least, min(possible, longest))
            shares = [seconds / together if at_once == 1 else 1.0 for seconds in needed]
            limits = [max(left * share, seconds * epochs) for share, seconds in zip(shares, needed, strict=True)]
        evaluator = replace(search.evaluator, checkpoints=None)
        seed = derive_seed(settings.seed, FINAL) + search.run["final_failures"]
        return [
            replace(
                evaluator.job(Proposal(candidate), search.task, seed),
                epochs=epochs * self._length(candidate),
                on="train+validation",
                measure_latency=False,
                threads=threads,
                seconds=limit,
                weights_to=str((search.run.folder / f".weights-{i}.safetensors").absolute()),
            )
            for i, (candidate, limit) in enumerate(zip(candidates, limits, strict=True))
        ]

    def _length(self, candidate: Candidate) -> float:
        """Return which share of a full schedule the candidate needs.

        Where it was at its best early with fresh seeds, the schedule is cut to the same sum of learning rates, and
        ends with them at zero all the same.
        """
        best = [t.outcome.costs["best_fidelity"] for t in self.search.fresh_trials(candidate)]
        middle = statistics.median(best) if best else 1.0
        return middle + math.sin(math.pi * middle) / math.pi

    def test(self, trained: dict[Candidate, tuple[Outcome, Path]]) -> list[Final]:
        """Open the test split, once, and measure every trained network on it."""
        from safetensors.torch import load_file

        search, task = self.search, self.search.task
        search.listener.stage("testing", None)
        search.run.update(test_openings=search.run["test_openings"] + 1)
        x, y = task.open_test()
        finals = []
        for candidate, (outcome, weights) in trained.items():
            model = search.space.network.build(candidate.architecture, task.signature)
            model.load_state_dict(load_file(weights))
            metrics = self._test_metrics(predict(model, x), y)
            # Measured here, one network after the other, as nothing else computes any more.
            latency = latency_ms(model.eval(), torch.from_numpy(np.array(x[:1])))
            outcome = replace(outcome, costs={**outcome.costs, "latency_ms": latency})
            finals.append(Final(candidate, outcome, metrics, weights))
        return finals

    def _test_metrics(self, outputs: Any, y: Any) -> dict[str, float]:
        task = self.search.task
        names = metric_names(task.problem)
        scale = {"target_mean": task.target_mean, "target_scale": task.target_scale}
        return compute_metrics(names, task.problem, torch.tensor(outputs), torch.tensor(y), **scale)
