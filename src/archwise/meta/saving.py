"""What transfer saved: how long a search from scratch would have taken, estimated on a model of the task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from archwise.spaces.joint import JointSpace
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Outcome, Trial

LEAST = 5
"""Finished trials without which nothing is estimated."""
SHORT, LONG = 40, 100
"""Trials of a simulated search: twice as many as the search needed, but no fewer and no more than these."""
TOGETHER = 200
"""Most trials of all simulated searches, two of the longest or five of the shortest: each takes some hundredths of a
second."""


def estimated_saving(
    surrogate: Surrogate, space: JointSpace, trials: Sequence[Trial], seconds: float | None = None
) -> dict[str, Any]:
    """Return how many trials a search from scratch is estimated to need for what a search found.

    Searches without experience are simulated on scores that are drawn from what the model says of each candidate, until
    they try one as good as, by the model, the best of the search. This is an estimate: the model may be wrong, and
    scores are drawn for each candidate alone, however alike some are.

    Args:
        surrogate: a model of this task, fitted to the trials.
        space: the candidates.
        trials: those of the search, in their order.
        seconds: how long it may take; None for as long as it takes, which repeats itself exactly.

    Returns:
        "found_after": trials until the search tried its best; "needed": trials of each simulation, None for one that
        made "most" without success. Where nothing can be estimated, "reason" alone says why.
    """
    scores = [trial.score for trial in trials if trial.score is not None]
    if len(scores) < LEAST:
        return {"reason": f"fewer than {LEAST} trials finished"}
    best = [place for place, trial in enumerate(trials) if trial.score == max(scores)]
    found_after = 1 + best[0]
    # Of equally good ones the least, as finding that one would have been enough.
    target = float(surrogate.predict([trials[place].candidate for place in best])[0].min()) - 1e-9
    until = None if seconds is None else time.monotonic() + seconds
    most = min(LONG, max(SHORT, 2 * found_after))
    needed: list[int | None] = []
    for seed in range(TOGETHER // most):
        count = _trials_needed(surrogate, space, target, seed, most, until)
        if _is_over(until):
            break
        needed.append(count)
    if not needed:
        return {"reason": "there was no time to simulate a search"}
    return {"found_after": found_after, "needed": needed, "most": most}


def _trials_needed(
    surrogate: Surrogate, space: JointSpace, target: float, seed: int, most: int, until: float | None
) -> int | None:
    """Return after how many trials a simulated search reached a value; None where it did not."""
    strategy, history, rng = BayesianOptimization(), list[Trial](), np.random.default_rng(seed)
    while len(history) < most and not _is_over(until):
        proposals = strategy.propose(space, history, [], seed, 1)
        if not proposals:
            return None
        candidate = proposals[0].candidate
        mean, deviation = surrogate.predict([candidate])
        score = float(rng.normal(mean[0], deviation[0]))
        history.append(Trial(len(history), candidate, 1.0, 0, Outcome("finished", score)))
        if score >= target:
            return len(history)
    return None


def _is_over(until: float | None) -> bool:
    return until is not None and time.monotonic() > until
