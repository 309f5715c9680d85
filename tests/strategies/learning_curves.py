"""Learning curves of the toys, and histories of candidates that climb rungs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from zlib import crc32

from tests.contracts import toys
from tests.contracts.simulation import simulate

from archwise.spaces.architecture import Candidate
from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.trial import CurvePoint, Outcome, Proposal, Trial

SPACE = toys.layers()
RUNGS = (3.0**-3, 3.0**-2, 3.0**-1, 1.0)
MARKS = [mark / 27 for mark in range(1, 28)]


def end_of(candidate: Candidate) -> float:
    """Where a learning curve of the toy goes."""
    return toys.worth(candidate)


def curve_of(candidate: Candidate) -> list[float]:
    """Saturating exponentials of very different speeds: many cross."""
    speed = 0.03 * 20 ** (crc32(repr(candidate).encode()) / 2**32)
    return [end_of(candidate) * (1 - math.exp(-mark / speed)) for mark in MARKS]


def evaluate(number: int, proposal: Proposal) -> Outcome:
    """Train up to a mark; the training loss falls as the score rises."""
    scores = curve_of(proposal.candidate)[: round(27 * proposal.fidelity)]
    return outcome(scores, [2 - 1.5 * score for score in scores])


def outcome(scores: Sequence[float], losses: Sequence[float]) -> Outcome:
    points = zip(MARKS, scores, losses, strict=False)
    return Outcome("finished", scores[-1], curve=tuple(CurvePoint(m, 9.0 * m, loss, loss, s) for m, s, loss in points))


def run(count: int, strategy: Strategy | None = None, **settings) -> list[Trial]:
    strategy = strategy or FreezeThaw(RandomSearch())
    return simulate(lambda: strategy, SPACE, count, **{"evaluate": evaluate} | settings)


def chain(first: int, scores: Sequence[float | None], candidate: int | None = None, losses=()) -> list[Trial]:
    """Return the trials of one candidate that climbed as many rungs as there are scores; None is a failure."""
    trials = []
    for rung, score in enumerate(scores):
        ended = Outcome("failed" if score is None else "finished", score)
        if losses and score is not None:
            ended = outcome([score] * 3**rung, list(losses)[: 3**rung])
        who = SPACE.sample(first if candidate is None else candidate)
        trials.append(Trial(first + rung, who, RUNGS[rung], 0, ended, first + rung - 1 if rung else None, "made"))
    return trials


def begun(*chains: Sequence[float | None]) -> list[Trial]:
    """Return the trials of several candidates, numbered from 0."""
    trials: list[Trial] = []
    for scores in chains:
        trials += chain(len(trials), scores)
    return trials
