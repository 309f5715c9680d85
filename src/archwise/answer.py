"""The choice at the end of a search: the finalists, evaluated again with fresh seeds."""

from __future__ import annotations

import statistics
from typing import Any

from archwise.clock import CONFIRM_SHARE, END_SECONDS, FINAL_SHARE, START_SECONDS
from archwise.errors import RunError
from archwise.final_training import FinalTraining
from archwise.loop import Search
from archwise.runtime.pool import WorkerPool
from archwise.spaces.architecture import Candidate
from archwise.trial import Trial

PLANS = ((3, 3), (3, 2), (2, 2), (2, 1), (1, 1))
"""(finalists beside the default, fresh seeds each), the most thorough first."""
UNTIMED_PLAN = (3, 2)
"""What is done where time is not limited, so that the number of evaluations is known."""
MOST_SEEDS = 5
"""Fresh seeds each where time is left over."""


class Conclusion:
    """Decides for one candidate.

    Args:
        search: the search that ends.
    """

    def __init__(self, search: Search):
        self.search = search
        self.final = FinalTraining(search)
        self.decided_by = ""
        self._deciding: set[int] = set()
        self._ranking: tuple[int, list[Candidate]] = (-1, [])

    # ------------------------------------------------------------------ time

    def reserve(self) -> float:
        """Return how many seconds the rest takes once exploring ends; 0 without a time budget."""
        budget = self.search.clock.budget
        if budget is None:
            return 0.0
        count, seeds = self._plan()
        confirming = self._confirm_seconds(self.finalists(count), seeds)
        return START_SECONDS + min(confirming, CONFIRM_SHARE * budget) + self._end_seconds(self.finalists(2))

    def _end_seconds(self, finalists: list[Candidate]) -> float:
        return self.final.expected_seconds(finalists) + END_SECONDS

    def _plan(self) -> tuple[int, int]:
        budget = self.search.clock.budget
        if budget is None:
            return UNTIMED_PLAN
        fitting = (
            plan for plan in PLANS if self._confirm_seconds(self.finalists(plan[0]), plan[1]) <= CONFIRM_SHARE * budget
        )
        return next(fitting, PLANS[-1])

    def _confirm_seconds(self, finalists: list[Candidate], seeds: int) -> float:
        """Return how long evaluating finalists takes, those aside that earlier sessions evaluated."""
        search, workers = self.search, [0.0] * self.search.settings.workers
        known = {candidate: len(search.fresh_trials(candidate)) for candidate in finalists}
        for seed in range(seeds):
            for candidate in (candidate for candidate in finalists if known[candidate] <= seed):
                workers[workers.index(min(workers))] += search.evaluation_seconds(candidate)
        return 1.1 * max(workers)

    # ------------------------------------------------------------------ choosing

    def finalists(self, count: int) -> list[Candidate]:
        """Return the best candidates so far, the default aside, and the default."""
        ranked, default = self._ranked(), self.search.default
        best = [candidate for candidate in ranked if candidate != default]
        return [*best[:count], *([default] if default in ranked else [])]

    def _ranked(self) -> list[Candidate]:
        """Return the candidates from the best to the worst by score, of equal ones the longer trained first."""
        known = len(self.search.trials) + len(self.search.confirmations)
        if known != self._ranking[0]:
            finished = [t for t in self.search.trials if t.score is not None]
            fitting = [t for t in finished if self._fits(t.candidate)]
            ranked = sorted(fitting or finished, key=lambda t: (t.score, t.fidelity), reverse=True)
            distinct = {self.search.space.key(t.candidate): t.candidate for t in reversed(ranked)}
            self._ranking = (known, list(reversed(distinct.values())))
        return self._ranking[1]

    def _fits(self, candidate: Candidate) -> bool:
        """Whether the time budget holds a final training of the candidate as long as its trials."""
        budget, seconds = self.search.clock.budget, self.final.training_seconds(candidate)
        return budget is None or candidate == self.search.default or seconds <= FINAL_SHARE * budget

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
            raise RunError(_nothing_finished(search.trials))
        if pool is not None:
            self._evaluate_again(pool, candidates, seeds)
        rows = [self._finalist(candidate) for candidate in candidates]
        # Of equal means the default's: what is found must be better.
        chosen = max(self._comparable(rows), key=lambda row: (row["mean"], row["candidate"] == search.default))
        for row in rows:
            row["chosen"] = row is chosen
        return sorted(rows, key=lambda row: (not row["chosen"], -row["mean"]))

    def _evaluate_again(self, pool: WorkerPool, finalists: list[Candidate], seeds: int) -> None:
        """Evaluate finalists with fresh seeds, and with more of them where time is left over."""
        search = self.search
        timed = search.clock.budget is not None
        while True:
            search.confirm(pool, finalists, seeds, lambda: self._end_seconds(finalists))
            more = self._confirm_seconds(finalists, seeds + 1) + self._end_seconds(finalists)
            if not timed or seeds >= MOST_SEEDS or more > search.clock.left:
                return
            seeds += 1

    def _comparable(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give each finalist the mean over the fresh seeds that all have; one that failed on a fresh seed is out.

        Where no seed is common to all, as time or an interrupt cut the evaluations short, the score of the search
        stands in for the mean, of the most fully trained finalists alone.
        """
        failed = {t.candidate for t in self.search.confirmations if t.score is None}
        rest = [row for row in rows if row["candidate"] not in failed] or rows
        by_seed = [{t.seed: t.score for t in self.search.fresh_trials(row["candidate"])} for row in rest]
        common = set.intersection(*(set(scores) for scores in by_seed))
        self._deciding = common
        if common:
            for row, scores in zip(rest, by_seed, strict=True):
                row["mean"] = statistics.fmean(
                    score for seed, score in scores.items() if seed in common and score is not None
                )
                row["deciding_seeds"] = len(common)
            self.decided_by = f"the mean over {len(common)} fresh seeds" if len(common) > 1 else "one fresh seed"
            return rest
        fullest = max(row["fidelity"] for row in rest)
        for row in rest:
            row["mean"] = row["search_score"]
        self.decided_by = "the score in the search, as no fresh seed is common to all"
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
            "scores": [t.score for t in self.search.fresh_trials(candidate)],
            "mean": best.score,
            "deciding_seeds": 0,
            "parameters": best.outcome.costs.get("parameters"),
            "flops": best.outcome.costs.get("flops"),
        }

    def validation(self, candidate: Candidate) -> tuple[dict[str, float], dict[str, float]]:
        """Return mean and standard deviation of each validation metric over the fresh seeds that decided.

        Where there is none, the mean is that of the candidate's own trial, and the deviations are empty.
        """
        trials = [trial for trial in self.search.fresh_trials(candidate) if trial.seed in self._deciding]
        if not trials:
            own = [t for t in self.search.trials if t.candidate == candidate and t.score is not None]
            return dict(max(own, key=lambda t: t.fidelity).outcome.metrics), {}
        values = {name: [t.outcome.metrics[name] for t in trials] for name in trials[0].outcome.metrics}
        spread = {name: statistics.stdev(v) for name, v in values.items()} if len(trials) > 1 else {}
        return {name: statistics.fmean(v) for name, v in values.items()}, spread


def _nothing_finished(trials: list[Trial]) -> str:
    if not trials:
        return "No trial was made: give more minutes or trials, or a space that holds networks for this task."
    reason = trials[-1].outcome.reason
    remedies = {
        "time limit": "give more --minutes or --trial-minutes, or fewer --epochs",
        "too slow": "give more --minutes or --trial-minutes, or fewer --epochs",
        "memory limit": "raise --memory-gb, or exclude large networks",
        "out of memory": "exclude large networks or large batches",
        "diverged": "exclude high learning rates (--exclude), or look at the data's scale",
    }
    remedy = next(
        (text for start, text in remedies.items() if reason.startswith(start)), "archwise show lists them all"
    )
    return f"None of the {len(trials)} trials finished; the last said: {reason}; {remedy}."
