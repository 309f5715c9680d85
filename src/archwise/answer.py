"""The end of a search: the finalists again with fresh seeds, the final training, and the test split, once."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from archwise.clock import CONFIRM_SHARE, END_SECONDS, FINAL_SHARE, default_epochs
from archwise.errors import RunError
from archwise.evaluators.costs import latency_ms
from archwise.evaluators.metrics import compute_metrics, metric_names
from archwise.evaluators.predict import predict
from archwise.evaluators.schedule import derive_seed
from archwise.loop import Search
from archwise.runtime.pool import WorkerPool
from archwise.spaces.architecture import Candidate
from archwise.trial import Outcome, Proposal, Trial

PLANS = ((3, 3), (3, 2), (2, 2), (2, 1))
"""(finalists beside the default, fresh seeds each), the most thorough first."""
UNTIMED_PLAN = (3, 2)
"""What is done where time is not limited, so that the number of evaluations is known."""
FINAL = 3
"""Label of the final training's seed."""
ANNEALED = 0.7
"""Where the best point comes after this share of the schedule, the final training goes to its end."""


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


class Conclusion:
    """Decides for one candidate, trains it in full beside the default, and tests both.

    Args:
        search: the search that ends.
    """

    def __init__(self, search: Search):
        self.search = search
        self.seed = derive_seed(search.settings.seed, FINAL)
        self.decided_by = ""
        self._ranking: tuple[int, list[Candidate]] = (-1, [])

    # ------------------------------------------------------------------ time

    def reserve(self) -> float:
        """Return how many seconds the rest takes once exploring ends; 0 without a time budget."""
        budget = self.search.clock.budget
        if budget is None:
            return 0.0
        confirming = self._confirm_seconds(*self._plan())
        return min(confirming, CONFIRM_SHARE * budget) + self.final_seconds() + END_SECONDS

    def final_seconds(self) -> float:
        """Return how long the final training is to take: a share of the budget, or less where that is enough."""
        search = self.search
        if search.clock.budget is None:
            return 0.0
        share = FINAL_SHARE * search.clock.budget
        if (search.settings.epochs or 0.0) < default_epochs(search.task.sizes["train"]):
            return share
        rounds = 1 if search.settings.workers > 1 else 2
        slowest = max((search.full_seconds(c) or 0.0 for c in self.finalists(2)), default=0.0)
        return min(1.5 * slowest * rounds, share)

    def _plan(self) -> tuple[int, int]:
        budget = self.search.clock.budget
        if budget is None:
            return UNTIMED_PLAN
        fitting = (plan for plan in PLANS if self._confirm_seconds(*plan) <= CONFIRM_SHARE * budget)
        return next(fitting, PLANS[-1])

    def _confirm_seconds(self, finalists: int, seeds: int) -> float:
        times = [self.search.full_seconds(candidate) or 0.0 for candidate in self.finalists(finalists)]
        workers = self.search.settings.workers
        return 1.15 * max([seeds * sum(times) / workers, *times])

    # ------------------------------------------------------------------ choosing

    def finalists(self, count: int) -> list[Candidate]:
        """Return the best candidates so far, those trained in full first, then the default."""
        best, default = self._ranked(), self.search.default
        return [*best[:count], *([default] if default in best[count:] else [])]

    def _ranked(self) -> list[Candidate]:
        """Return the candidates from the best to the worst, those trained in full first."""
        known = len(self.search.trials) + len(self.search.confirmations)
        if known != self._ranking[0]:
            finished = [t for t in self.search.trials if t.score is not None and self._fits(t.candidate)]
            ranked = sorted(finished, key=lambda t: (t.fidelity, t.score), reverse=True)
            distinct = {self.search.space.key(t.candidate): t.candidate for t in reversed(ranked)}
            self._ranking = (known, list(reversed(distinct.values())))
        return self._ranking[1]

    def _fits(self, candidate: Candidate) -> bool:
        """Whether the time budget holds a full training of the candidate."""
        budget, seconds = self.search.clock.budget, self.search.full_seconds(candidate)
        return budget is None or candidate == self.search.default or (seconds or 0.0) <= FINAL_SHARE * budget

    def choose(self, pool: WorkerPool | None) -> list[dict[str, Any]]:
        """Evaluate the finalists again and return them with their scores, the chosen one first.

        Args:
            pool: the workers; None to choose by what is known.

        Raises:
            RunError: no trial finished.
        """
        search = self.search
        count, seeds = self._plan()
        candidates = self.finalists(count)
        if not candidates:
            raise RunError(
                f"None of the {len(search.trials)} trials finished; the last said: {_last_reason(search.trials)}"
            )
        if pool is not None:
            search.confirm(pool, candidates, seeds, lambda: self.final_seconds() + END_SECONDS)
        rows = [self._finalist(candidate) for candidate in candidates]
        chosen = max(self._comparable(rows), key=lambda row: row["mean"])
        for row in rows:
            row["chosen"] = row is chosen
        return sorted(rows, key=lambda row: (not row["chosen"], -row["mean"]))

    def _comparable(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give each finalist the mean over the fresh seeds that all have; one that failed on a fresh seed is out.

        Where no seed is common to all, as time or an interrupt cut the evaluations short, the score of the search
        stands in for the mean, of the most fully trained finalists alone.
        """
        failed = {t.candidate for t in self.search.confirmations if t.score is None}
        rest = [row for row in rows if row["candidate"] not in failed] or rows
        by_seed = [{t.seed: t.score for t in self.confirmations(row["candidate"])} for row in rest]
        common = set.intersection(*(set(scores) for scores in by_seed))
        if common:
            for row, scores in zip(rest, by_seed, strict=True):
                row["mean"] = statistics.fmean(
                    score for seed, score in scores.items() if seed in common and score is not None
                )
            self.decided_by = f"the mean over {len(common)} fresh seeds" if len(common) > 1 else "one fresh seed"
            return rest
        fullest = max(row["fidelity"] for row in rest)
        for row in rest:
            row["mean"] = row["search_score"]
        self.decided_by = "the score in the search, as there was no time for fresh seeds"
        return [row for row in rest if row["fidelity"] == fullest]

    def _finalist(self, candidate: Candidate) -> dict[str, Any]:
        own = [t for t in self.search.trials if t.candidate == candidate and t.score is not None]
        best = max(own, key=lambda t: (t.fidelity, t.score))
        return {
            "trial": best.number,
            "candidate": candidate,
            "architecture": candidate.architecture.to_json(),
            "recipe": candidate.recipe.to_json(),
            "fidelity": best.fidelity,
            "search_score": best.score,
            "scores": [t.score for t in self.confirmations(candidate)],
            "mean": best.score,
            "parameters": best.outcome.costs.get("parameters"),
            "flops": best.outcome.costs.get("flops"),
        }

    def confirmations(self, candidate: Candidate) -> list[Trial]:
        """Return the finished evaluations of a candidate with fresh seeds."""
        return [t for t in self.search.confirmations if t.candidate == candidate and t.score is not None]

    def validation(self, candidate: Candidate) -> tuple[dict[str, float], dict[str, float]]:
        """Return mean and standard deviation of each validation metric over the fresh seeds.

        Where there is none, the mean is that of the candidate's own trial, and the deviations are empty.
        """
        trials = self.confirmations(candidate)
        if not trials:
            own = [t for t in self.search.trials if t.candidate == candidate and t.score is not None]
            return dict(max(own, key=lambda t: t.fidelity).outcome.metrics), {}
        values = {name: [t.outcome.metrics[name] for t in trials] for name in trials[0].outcome.metrics}
        spread = {name: statistics.stdev(v) for name, v in values.items()} if len(trials) > 1 else {}
        return {name: statistics.fmean(v) for name, v in values.items()}, spread

    # ------------------------------------------------------------------ final training and test

    def train(self, pool: WorkerPool, candidates: list[Candidate]) -> dict[Candidate, tuple[Outcome, Path]]:
        """Train candidates in full on training and validation split together, with one schedule for all.

        Args:
            pool: the workers.
            candidates: the winner, and the default where that is another.

        Returns:
            For each candidate the outcome, and the file with its weights; the default is missing if it failed twice.

        Raises:
            RunError: the winner's training failed twice.
        """
        search = self.search
        epochs = self._final_epochs(candidates)
        search.run.update(final_epochs=epochs)
        search.listener.stage("training", len(candidates))
        files = [search.run.folder / f".weights-{i}.safetensors" for i in range(len(candidates))]
        results: dict[Candidate, tuple[Outcome, Path]] = {}
        tries = dict.fromkeys(range(len(candidates)), 0)
        for i in tries:
            self._submit(pool, i, candidates[i], epochs, files[i], 0)
        while pool.pending:
            for i, outcome in pool.wait(timeout=1.0):
                tries[i] += 1
                if outcome.status == "finished":
                    results[candidates[i]] = (outcome, files[i])
                elif tries[i] < 2:
                    self._submit(pool, i, candidates[i], epochs, files[i], tries[i])
                elif i == 0:
                    raise RunError(f"The final training failed twice ({outcome.reason}): archwise resume tries again.")
                else:
                    search.listener.note(f"The default's final training failed twice ({outcome.reason}).")
            search.listener.tick(search.clock.left)
        return results

    def _submit(
        self, pool: WorkerPool, key: int, candidate: Candidate, epochs: float, file: Path, attempt: int
    ) -> None:
        evaluator = replace(self.search.evaluator, epochs=epochs, checkpoints=None)
        job = evaluator.job(Proposal(candidate), self.search.task, self.seed + attempt)
        job = replace(
            job,
            on="train+validation",
            measure_latency=False,
            stop_at=self._stop(candidate),
            weights_to=str(file.absolute()),
        )
        pool.submit(key, job)

    def _final_epochs(self, candidates: list[Candidate]) -> float:
        """Return the length of the final training: that of a full trial; within a time budget, what time allows."""
        search = self.search
        epochs = search.settings.epochs or default_epochs(search.task.sizes["train"])
        # An answer that was given before must not be replaced by one that was trained for less.
        least: float = max(search.run["final_epochs"], 0.1 * epochs)
        if search.clock.deadline is None:
            return max(epochs, least)
        sizes = search.task.sizes
        growth = (sizes["train"] + sizes["validation"]) / sizes["train"]
        seconds = [(search.full_seconds(c) or 0.0) / epochs * growth * self._stop(c) for c in candidates]
        seconds_per_epoch = max(seconds) if search.settings.workers > 1 else sum(seconds)
        possible = 0.9 * (search.clock.left - END_SECONDS) / max(seconds_per_epoch, 1e-6)
        return max(min(possible, default_epochs(sizes["train"])), least)

    def _stop(self, candidate: Candidate) -> float:
        """Return the share of the schedule after which the candidate was at its best with fresh seeds."""
        best = [t.outcome.costs["best_fidelity"] for t in self.confirmations(candidate)]
        middle = statistics.median(best) if best else 1.0
        return 1.0 if middle >= ANNEALED else middle

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


def _last_reason(trials: list[Trial]) -> str:
    return trials[-1].outcome.reason if trials else "no trial was made; give more time."
