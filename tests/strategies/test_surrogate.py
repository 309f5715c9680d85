"""The model of scores over a space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tests.contracts import toys
from tests.contracts.strategy_contract import foreign

from archwise.spaces.architecture import Candidate
from archwise.strategies.surrogate import Expectation, Surrogate


def test_scores_are_likelier_where_what_was_expected_is_right():
    """Of two priors, the true worth of candidates and the opposite, and none at all: by the trials of ten searches."""

    def worth(candidates: Sequence[Candidate]) -> np.ndarray:
        return np.array([toys.worth(candidate) for candidate in candidates])

    def evidence(prior, trials) -> float:
        surrogate = Surrogate(space.encoding, prior)
        surrogate.fit(trials)
        return surrogate.log_evidence

    space = toys.layers()
    unit = worth([space.sample(seed) for seed in range(100)]).std()
    right, wrong = (
        lambda candidates, sign=sign: Expectation(sign * worth(candidates) / unit, np.zeros((len(candidates), 0)))
        for sign in (1, -1)
    )
    for seed in range(10):
        trials = foreign(space, 12, seed)
        assert evidence(right, trials) > evidence(None, trials) + 1 > evidence(wrong, trials) + 2
