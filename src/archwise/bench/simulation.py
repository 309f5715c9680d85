"""A search on a benchmark table, on a virtual clock."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Proposal, Trial


class Step(NamedTuple):
    """What a search had come to when a trial ended."""

    spent: float
    """What all trials cost so far, in full trainings."""
    seconds: float
    """Simulated seconds since the search began."""
    row: int | None
    """The table's row of the incumbent: the best trial at the highest fidelity so far; None while all failed."""


@dataclass(frozen=True)
class Simulated:
    """A simulated search.

    Args:
        steps: one for each trial, in the order in which they ended.
        trials: the trials, in the order of their numbers.
        seconds_per_proposal: what the strategy took for a proposal, in processor seconds on average.
    """

    steps: tuple[Step, ...]
    trials: tuple[Trial, ...]
    seconds_per_proposal: float


def simulate(
    strategy: Strategy, evaluator: TableEvaluator, task: TableTask, seed: int, budget: float, workers: int = 1
) -> Simulated:
    """Run a search on a table until trials for `budget` full trainings were begun.

    The clock goes on by the seconds that the table says a training took, so what would take weeks takes seconds; a
    trial that continues another pays for what it adds.

    Args:
        strategy: what proposes.
        evaluator: the table.
        task: one of its tasks.
        seed: the search's seed.
        budget: how many full trainings all trials may cost.
        workers: how many evaluate at a time.
    """
    space = evaluator.space
    history: dict[int, Trial] = {}
    running: list[tuple[float, int, Proposal, Trial]] = []
    given: dict[int, float] = {}
    steps: list[Step] = []
    clock = spent = begun = thought = 0.0
    proposed = 0
    best: tuple[float, float] = (0.0, float("-inf"))
    incumbent: int | None = None
    while True:
        payable = math.ceil((budget - begun - 1e-9) / min(evaluator.fidelities))
        free = min(workers - len(running), payable)
        if free > 0:
            ended = [history[number] for number in sorted(history)]
            pending = [
                Pending(number, proposal) for _, number, proposal, _ in sorted(running, key=lambda item: item[1])
            ]
            start = time.process_time()
            proposals = strategy.propose(space, ended, pending, seed, free)
            thought += time.process_time() - start
            proposed += len(proposals)
            first = 1 + max([-1, *history, *(number for _, number, _, _ in running)])
            for number, proposal in enumerate(proposals, first):
                seconds, trial = _evaluated(evaluator, task, number, proposal, history)
                if begun < budget - 1e-9:
                    given[number] = evaluator.given(proposal.fidelity)
                    begun += _price(trial, given)
                    heapq.heappush(running, (clock + seconds, number, proposal, trial))
        if not running:
            break
        clock, number, _, trial = heapq.heappop(running)
        history[number] = trial
        spent += _price(trial, given)
        if trial.score is not None and (given[number], trial.score) > best:
            best, incumbent = (given[number], trial.score), space.row(trial.candidate)
        steps.append(Step(spent, clock, incumbent))
    trials = tuple(history[number] for number in sorted(history))
    return Simulated(tuple(steps), trials, thought / max(1, proposed))


def _evaluated(
    evaluator: TableEvaluator, task: TableTask, number: int, proposal: Proposal, history: dict[int, Trial]
) -> tuple[float, Trial]:
    """Return how many seconds a trial runs, and the trial."""
    outcome = evaluator.evaluate(proposal, task)
    facts = proposal.candidate, proposal.fidelity, 0, outcome, proposal.parent, proposal.origin
    trial = Trial(number, *facts, inherits=proposal.inherits)
    seconds = outcome.costs.get("train_seconds", 0.0)
    if proposal.parent is not None:
        seconds -= history[proposal.parent].outcome.costs.get("train_seconds", 0.0)
    return max(0.0, seconds), trial


def _price(trial: Trial, given: Mapping[int, float]) -> float:
    """Return what a trial costs in full trainings beyond the trial that it continues.

    Args:
        trial: the trial.
        given: number of a trial -> the fidelity that the table had for it.
    """
    return given[trial.number] - (given[trial.parent] if trial.parent is not None else 0.0)
