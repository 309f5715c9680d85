"""A Gaussian process by BoTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from archwise.bench.peers.peer import is_grid
from archwise.evaluators.table import TableDecision

FIRST = 5
"""Sobol points before there is a model, as many as Ax takes."""
AT_ONCE = 2048
"""Points whose acquisition is computed together."""


class BotorchProcess:
    """BoTorch's Gaussian process with its own kernels and priors, and the largest log expected improvement of all
    combinations that were not tried.

    Grids are numbers from 0 to 1, evenly spaced; others are categories. A failure counts as the worst score so far.
    While others are under way, the improvement is their joint one (qLogEI).

    Source: Balandat et al. 2020, BoTorch: a framework for efficient Monte-Carlo Bayesian optimization; Ament et al.
    2023, Unexpected improvements to expected improvement for Bayesian optimization.

    Args:
        decisions: what there is to choose.
        seed: decides everything random.
    """

    def __init__(self, decisions: Sequence[TableDecision], seed: int):
        import botorch
        from botorch.utils.sampling import draw_sobol_samples

        self._botorch = botorch
        self._seed = seed
        counts = [len(decision.options) for decision in decisions]
        grids = [is_grid(decision) for decision in decisions]
        scale = torch.tensor([max(1, n - 1) if grid else 1 for n, grid in zip(counts, grids, strict=True)]).double()
        places = torch.cartesian_prod(*(torch.arange(n) for n in counts)).reshape(-1, len(counts))
        self._options = places.tolist()
        self._points = places / scale
        self._categories = [i for i, grid in enumerate(grids) if not grid]
        bounds = torch.stack([torch.zeros(len(counts)), torch.tensor(counts)]).double()
        draws = draw_sobol_samples(bounds, min(FIRST, len(places)), 1, seed=seed).squeeze(1)
        row_of = {tuple(options): row for row, options in enumerate(self._options)}
        self._first = [row_of[tuple(options)] for options in draws.long().tolist()]
        self._asked: dict[int, int] = {}
        self._scores: dict[int, float | None] = {}

    def ask(self, number: int) -> Sequence[int] | None:
        """Return the combination of the largest improvement; None where all were tried."""
        if len(self._asked) == len(self._options):
            return None
        with self._botorch.manual_seed(_seed(self._seed, number)):
            row = self._asked[number] = self._next()
        return list(self._options[row])

    def tell(self, number: int, score: float | None) -> None:
        """Keep the score."""
        self._scores[number] = score

    def _next(self) -> int:
        tried = set(self._asked.values())
        early = next((row for row in self._first if row not in tried), None)
        if early is not None:
            return early
        left = torch.ones(len(self._options), dtype=torch.bool)
        left[list(tried)] = False
        rows = left.nonzero().squeeze(-1)
        known = [score for score in self._scores.values() if score is not None]
        if len(set(known)) < 2:
            return int(rows[torch.randint(len(rows), ())])
        acquisition = self._acquisition(known)
        with torch.no_grad():
            values = torch.cat([acquisition(part.unsqueeze(1)) for part in torch.split(self._points[rows], AT_ONCE)])
        return int(rows[values.argmax()])

    def _acquisition(self, known: Sequence[float]) -> Any:
        from botorch.acquisition import LogExpectedImprovement, qLogExpectedImprovement

        points = self._points[[self._asked[number] for number in self._scores]]
        scores = [min(known) if score is None else score for score in self._scores.values()]
        model = self._fitted(points, torch.tensor(scores, dtype=torch.double).unsqueeze(-1))
        pending = [row for number, row in self._asked.items() if number not in self._scores]
        if pending:
            return qLogExpectedImprovement(model, max(known), X_pending=self._points[pending])
        return LogExpectedImprovement(model, max(known))

    def _fitted(self, points: torch.Tensor, scores: torch.Tensor) -> Any:
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import MixedSingleTaskGP, SingleTaskGP
        from gpytorch.mlls import ExactMarginalLogLikelihood

        categories = self._categories
        model = MixedSingleTaskGP(points, scores, categories) if categories else SingleTaskGP(points, scores)
        return fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model)).model


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
