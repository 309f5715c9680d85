"""A search on a virtual clock: the loop around a strategy, without training, time and processes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

import numpy as np
from tests.contracts.toys import Evaluate, evaluate

from archwise.spaces import JointSpace
from archwise.strategies.strategy import Strategy
from archwise.trial import INHERITABLE, Pending, Proposal, Trial


def simulate(
    strategy: Callable[[], Strategy],
    space: JointSpace,
    trials: int,
    *,
    workers: int = 1,
    seed: int = 0,
    evaluate: Evaluate = evaluate,
    known: Sequence[Trial] = (),
    killed_after: int | None = None,
) -> list[Trial]:
    """Run a search and return its trials in the order of their numbers; every proposal is checked on its way.

    Args:
        strategy: called before every proposal, so that nothing is kept where it returns a new object.
        trials: the search starts no more than so many, known ones included.
        workers: how many evaluate at a time; evaluations take random times, a few of them very long.
        known: trials that ended before; those with negative numbers are of other searches.
        killed_after: everything stops when so many have ended, and what is pending is lost.
    """
    others = [trial for trial in known if trial.number < 0]
    own = [trial for trial in known if trial.number >= 0]
    clock = 0.0
    running: list[tuple[float, int, Proposal]] = []
    while killed_after is None or len(own) < killed_after:
        history = others + sorted(own, key=lambda trial: trial.number)
        pending = [Pending(number, proposal) for _, number, proposal in sorted(running, key=lambda item: item[1])]
        wanted = min(workers - len(running), trials - len(own) - len(running))
        if wanted:
            proposals = strategy().propose(space, history, pending, seed, wanted)
            check(space, history, pending, proposals, wanted)
            first = 1 + max([-1, *(trial.number for trial in own), *(item.number for item in pending)])
            for number, proposal in enumerate(proposals, first):
                heapq.heappush(running, (clock + _duration(seed, number), number, proposal))
        if not running:
            break
        clock, number, proposal = heapq.heappop(running)
        own.append(as_trial(number, proposal, evaluate))
    return sorted(own, key=lambda trial: trial.number)


def check(
    space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], proposals: Sequence[Proposal], n: int
) -> None:
    """Assert what every list of proposals must keep to."""
    own = {trial.number: trial for trial in history if trial.number >= 0}
    begun = [*own.values(), *(item.proposal for item in pending)]
    seen = {space.key(trial.candidate) for trial in begun}
    continued = {trial.parent for trial in begun if trial.parent is not None}
    assert len(proposals) <= n
    for proposal in proposals:
        assert proposal.candidate in space
        assert 0 < proposal.fidelity <= 1
        assert proposal.origin
        if proposal.parent is None:
            if proposal.inherits is not None:
                better = [
                    t for t in own.values() if t.score is not None and t.fidelity == own[proposal.inherits].fidelity
                ]
                best = sorted(better, key=lambda trial: (-trial.score, trial.number))[:INHERITABLE]
                assert proposal.inherits in {trial.number for trial in best}, "its weights may be gone"
            key = space.key(proposal.candidate)
            assert space.allows(proposal.candidate)
            assert key not in seen, "evaluated before"
            seen.add(key)
        else:
            parent = own[proposal.parent]
            assert proposal.inherits == parent.inherits
            assert parent.score is not None
            assert parent.candidate == proposal.candidate
            assert parent.fidelity < proposal.fidelity
            assert proposal.parent not in continued, "continued before"
            continued.add(proposal.parent)


def as_trial(number: int, proposal: Proposal, evaluate: Evaluate = evaluate) -> Trial:
    """Return the trial that a proposal becomes."""
    outcome = evaluate(number, proposal)
    facts = proposal.candidate, proposal.fidelity, 0, outcome, proposal.parent, proposal.origin
    return Trial(number, *facts, inherits=proposal.inherits)


def cost(trials: Sequence[Trial]) -> float:
    """Return what the trials cost, in full trainings: a continued one costs what it adds."""
    spent = {trial.number: trial.fidelity for trial in trials}
    return sum(trial.fidelity - (spent[trial.parent] if trial.parent is not None else 0) for trial in trials)


def _duration(seed: int, number: int) -> float:
    rng = np.random.default_rng([seed, number, 1])
    return float(rng.exponential() * (30 if rng.random() < 0.1 else 1))
