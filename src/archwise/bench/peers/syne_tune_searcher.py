"""Syne Tune."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np

from archwise.bench.peers.peer import is_grid
from archwise.evaluators.table import TableDecision


class SyneTuneSearcher:
    """Syne Tune's Bayesian optimisation by conformal quantile regression: grids as whole numbers (the option's place),
    others as categories. A failure counts as the worst score so far.

    Source: Salinas et al. 2022, Syne Tune; Salinas et al. 2023, Optimizing hyperparameters with conformal quantile
    regression.

    Args:
        decisions: what there is to choose.
        seed: decides everything random.
    """

    def __init__(self, decisions: Sequence[TableDecision], seed: int):
        from syne_tune.backend.trial_status import Trial
        from syne_tune.config_space import choice, randint
        from syne_tune.optimizer.baselines import CQR

        self._names = [f"choice{place}" for place in range(len(decisions))]
        counts = [(len(decision.options), is_grid(decision)) for decision in decisions]
        types = [randint(0, n - 1) if grid else choice([str(i) for i in range(n)]) for n, grid in counts]
        space = dict(zip(self._names, types, strict=True))
        self._scheduler = CQR(space, "score", do_minimize=False, random_seed=seed)
        self._seed, self._trial = seed, Trial
        self._asked: dict[int, Any] = {}
        self._scores: list[float] = []

    def ask(self, number: int) -> Sequence[int]:
        """Return what the scheduler suggests."""
        with _numpy_seed(self._seed, number):
            config = self._scheduler.suggest().config
        self._asked[number] = self._trial(number, config, datetime.now())
        return [int(config[name]) for name in self._names]

    def tell(self, number: int, score: float | None) -> None:
        """Tell the scheduler."""
        trial = self._asked.pop(number)
        if score is not None:
            self._scores.append(score)
        elif not self._scores:
            return
        self._scheduler.on_trial_complete(trial, {"score": min(self._scores) if score is None else score})


@contextmanager
def _numpy_seed(seed: int, number: int) -> Iterator[None]:
    """Seed NumPy's global generator, from which parts of Syne Tune draw, and leave it as it was."""
    before = np.random.get_state()
    np.random.seed(np.random.SeedSequence([seed, number]).generate_state(4))
    try:
        yield
    finally:
        np.random.set_state(before)
