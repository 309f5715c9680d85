"""Several Gaussian processes asked at once."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contracts import toys

from archwise.strategies import stacked
from archwise.strategies.stacked import StackedMeans
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Outcome, Trial


def fitted(count: int, seed: int) -> Surrogate:
    space = toys.layers()
    rng = np.random.default_rng(seed)
    candidates = [space.sample(rng) for _ in range(count)]
    surrogate = Surrogate(space.encoding)
    surrogate.fit(
        [Trial(i, c, 1.0, 0, Outcome("finished", toys.worth(c) + rng.normal())) for i, c in enumerate(candidates)]
    )
    return surrogate


@pytest.mark.parametrize("at_once", [1, 10_000_000])
def test_they_say_what_each_says_alone(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "AT_ONCE", at_once)
    several = [fitted(count, seed) for seed, count in enumerate((5, 40, 17))]
    candidates = [toys.layers().sample(seed) for seed in range(30)]
    seen = several[0].look(candidates)
    together = StackedMeans([each.process for each in several])(seen.rows, seen.trend)
    alone = np.stack([each.predict(candidates)[0] for each in several], axis=1)
    assert together == pytest.approx(alone, abs=1e-9)
    assert together.std() > 0.1
    assert StackedMeans([several[0].process])(seen.rows[:0], seen.trend[:0]).shape == (0, 1)
