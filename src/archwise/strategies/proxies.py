"""Which of some candidates zero-cost proxies prefer, and how far each proxy is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from archwise.spaces.architecture import Candidate
from archwise.trial import Trial

Scorer = Callable[[Candidate], Mapping[str, float]]
"""What proxies say of a candidate, by their names, always the same ones; larger is better, NaN is undefined."""
RECENT = 32
"""The youngest finished trials, whose scores tell how far a proxy is to be believed."""
EXPECTED = 0.5
"""Rank correlation with the scores that a proxy is expected to have while none is known."""
STRENGTH = 8
"""How many trials that expectation is worth."""


def preference(scorer: Scorer, candidates: Sequence[Candidate], finished: Sequence[Trial]) -> np.ndarray:
    """Return the mean of each candidate's ranks by all proxies, weighted by the trust in each; larger is better.

    The trust in a proxy is its rank correlation with the scores of the youngest trials, drawn towards what is expected;
    a proxy that goes against the scores has none.

    Args:
        scorer: the proxies.
        candidates: what is compared.
        finished: this search's trials with scores, by number.

    Example:
        >>> from archwise.spaces.architecture import Architecture
        >>> small, large = (Candidate(Architecture({"width": width}), Architecture({})) for width in (8, 64))
        >>> preference(lambda candidate: {"width": candidate.architecture["width"]}, [small, large], [])
        array([1., 2.])
    """
    ranks = _ranks(scorer, candidates)
    trials = finished[-RECENT:]
    known = _ranks(scorer, [trial.candidate for trial in trials])
    scores = _placed([trial.score or 0.0 for trial in trials])
    trust = [_trust(known[:, i], scores) if trials else EXPECTED for i in range(ranks.shape[1])]
    preferred: np.ndarray = ranks @ trust / max(sum(trust), 1e-9)
    return preferred


def _ranks(scorer: Scorer, candidates: Sequence[Candidate]) -> np.ndarray:
    """Return the rank of each candidate by each proxy, (candidates, proxies); what is undefined is the worst."""
    values = np.array([list(scorer(candidate).values()) for candidate in candidates], dtype=float)
    return _placed(np.where(np.isnan(values), -np.inf, values))


def _trust(proxy: np.ndarray, scores: np.ndarray) -> float:
    varies = np.ptp(proxy) > 0 and np.ptp(scores) > 0
    correlation = float(np.corrcoef(proxy, scores)[0, 1]) if varies else 0.0
    return max(0.0, (STRENGTH * EXPECTED + len(scores) * correlation) / (STRENGTH + len(scores)))


def _placed(values: ArrayLike) -> np.ndarray:
    """Return the ranks of values, from 1 for the smallest; equal ones share the mean of theirs."""
    from scipy.stats import rankdata  # takes half a second, and few searches need it

    ranks: np.ndarray = rankdata(values, axis=0)
    return ranks
