"""FSBO: a Gaussian process on what a network makes of candidates, trained on all past tasks together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from archwise.errors import ArchwiseError
from archwise.meta.descent import descend, parts
from archwise.meta.learned_model import Model, ModelFromPastTasks
from archwise.meta.meta_trained import MOST, MetaTrained, Observed, lessons, stacked
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.strategy import Situation
from archwise.strategies.surrogate import thinned

if TYPE_CHECKING:
    import torch

WIDTH = 16
"""Units of each layer, and numbers that the network makes of a candidate."""
LAYERS = 4
FIRST_DEVIATION = 0.5
"""Of the first layer's initial weights."""
NOISE = -3.0
"""Logarithm of the noise's variance at first."""
BATCH = 50
"""Most trials of a task in one step of meta-training."""
LEAST = 5
"""Fewest of them."""
RATE = 3e-3
"""Learning rate of meta-training at first."""
TUNING_RATE = 1e-2
"""That of the training on the new task's trials."""
JITTER = 1e-6


class DeepKernel(ModelFromPastTasks):
    """Proposes the largest expected improvement under a Gaussian process with a deep kernel, meta-trained (FSBO).

    A network makes 16 numbers of a candidate, and a Matern-5/2 kernel compares these. Network and kernel are trained
    together on all past tasks, by the marginal likelihood of some trials of each, as many as a search may have, their
    scores standardised among themselves, as the new task's are. One trial in five is held out, and training stops where
    these are predicted best, as networks remember few tasks by heart. The result is trained on for a few steps on the
    new task's trials, anew whenever their number has grown by a sixteenth. Failed trials count as the worst.

    Source: Wistuba & Grabocka 2021, Few-shot Bayesian optimization with deep kernel surrogates. There, scores of past
    tasks are scaled at random instead, validation tasks say when to stop, the first trials are found by an evolutionary
    algorithm, and layers have 32 units or more; with two past tasks 16 were better.

    Args:
        past: past tasks.
        steps: of meta-training.
        tuning: steps of training on the new task's trials.

    Raises:
        ArchwiseError: there is no step of meta-training, or fewer than none on the new task.

    Example:
        >>> DeepKernel([]).steps
        400
    """

    origin = "largest expected improvement by the deep kernel"

    def __init__(self, past: Sequence[PastTask], steps: int = 400, tuning: int = 30):
        if steps < 1 or tuning < 0:
            raise ArchwiseError(
                f"A deep kernel needs 1 step of meta-training or more, and 0 later: not {steps}, {tuning}."
            )
        super().__init__(past)
        self.steps = steps
        self.tuning = tuning

    def learn(self, sources: Sources) -> Model | None:
        """Return the model, to be meta-trained; None where no past task has trials of the space."""
        return _DeepKernel(sources, self.steps, self.tuning) if lessons(sources) else None


class _DeepKernel(MetaTrained):
    """A process whose kernel was trained on past tasks, and is on the trials of a search.

    Args:
        sources: the past tasks.
        steps: of meta-training.
        tuning: steps on the trials of the search.
    """

    def __init__(self, sources: Sources, steps: int, tuning: int):
        super().__init__(sources)
        self.steps = steps
        self.tuning = tuning
        self.kernel = _Kernel(self.tasks[0].rows.shape[1])

    def promise(self, now: Situation, pool: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of the expected improvement."""
        parameters = self.tuned(now)
        observed = self.observed(thinned(now.own, MOST))
        rows, values = observed.some(np.arange(len(observed.scores)))
        best = float(values.max())
        if now.under_way:
            more = self.rows(now.under_way)
            guessed, _ = self.kernel.predict(parameters, rows, values, more)
            rows, values = np.concatenate([rows, more]), np.concatenate([values, guessed])
        return log_expected_improvement(*self.kernel.predict(parameters, rows, values, self.rows(pool)), best)

    def tune(self, parameters: torch.Tensor, observed: Observed) -> torch.Tensor:
        """Return parameters of a larger likelihood."""
        task = stacked([observed.some(np.arange(len(observed.scores)))])
        return descend(lambda vector: self.kernel.loss(vector, *task), parameters, self.tuning, TUNING_RATE)

    def meta_train(self) -> torch.Tensor:
        """Return parameters trained on some trials of each task, under which the others are likeliest."""
        rng = np.random.default_rng(0)
        kept, held_out = self.split(rng)
        rows, values, known = everything = stacked([task.some(np.arange(len(task.scores))) for task in self.tasks])
        given = known.clone()
        for i, places in enumerate(held_out):
            given[i, places] = 0

        def loss(vector: torch.Tensor) -> torch.Tensor:
            size = int(rng.integers(LEAST, BATCH + 1))
            some = (task.some(rng.permutation(p)[:size]) for task, p in zip(self.tasks, kept, strict=True))
            return self.kernel.loss(vector, *stacked(list(some)))

        def unlikely(vector: torch.Tensor) -> torch.Tensor:
            whole = self.kernel.loss(vector, *everything) * known.sum()
            return whole - self.kernel.loss(vector, rows, values * given, given) * given.sum()

        start = self.kernel.start(np.concatenate([task.rows for task in self.tasks]), rng)
        return descend(loss, start, self.steps, RATE, unlikely if any(map(len, held_out)) else None)


class _Kernel:
    """What the parameters of a deep kernel mean.

    They are one vector: the network's weights and biases; log length scale, log scale and log noise variance.

    Args:
        columns: of the rows that are compared.
    """

    def __init__(self, columns: int):
        sizes = [columns, *[WIDTH] * LAYERS]
        self._weights = list(pairwise(sizes))
        self.shapes: list[tuple[int, ...]] = [*self._weights, *((size,) for size in sizes[1:]), (3,)]

    def start(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """Return initial parameters, under which rows are neither all alike nor all unlike."""
        import torch

        deviations = [FIRST_DEVIATION, *[(2 / WIDTH) ** 0.5] * (LAYERS - 1)]
        weights = [d * rng.standard_normal(prod(s)) for d, s in zip(deviations, self._weights, strict=True)]
        flat = np.concatenate([*weights, np.zeros(WIDTH * LAYERS), [0.0, 0.0, NOISE]])
        parameters = torch.from_numpy(flat)
        seen = self._seen(parameters, torch.from_numpy(rows))
        parameters[-3] = 0.5 * torch.log(2 * seen.var(dim=0).sum() + 1e-9)
        return parameters

    def loss(
        self, parameters: torch.Tensor, rows: torch.Tensor, values: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        """Return the negative log likelihood of one value, the mean over all, up to a constant.

        Args:
            parameters: the vector.
            rows: (tasks, n, columns).
            values: (tasks, n), 0 where there is none.
            known: (tasks, n), 1 where there is a value, else 0.
        """
        import torch

        kernel = self._covariance(parameters, rows, rows) * known[:, :, None] * known[:, None]
        noise = torch.diag_embed(known * (parameters[-1].exp() + JITTER) + 1 - known)
        factor = torch.linalg.cholesky(kernel + noise)
        solved = torch.linalg.solve_triangular(factor, values[:, :, None], upper=False)
        lost = 0.5 * (solved**2).sum() + torch.diagonal(factor, dim1=1, dim2=2).log().sum()
        mean: torch.Tensor = lost / known.sum()
        return mean

    def predict(
        self, parameters: torch.Tensor, rows: np.ndarray, values: np.ndarray, others: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of other rows' values, noise left out, given some rows' values."""
        import torch

        with torch.no_grad():
            known, new = torch.from_numpy(rows), torch.from_numpy(others)
            kernel = self._covariance(parameters, known, known)
            noise = (parameters[-1].exp() + JITTER) * torch.eye(len(rows), dtype=kernel.dtype)
            factor = torch.linalg.cholesky(kernel + noise)
            across = torch.linalg.solve_triangular(factor, self._covariance(parameters, known, new), upper=False)
            solved = torch.linalg.solve_triangular(factor, torch.from_numpy(values)[:, None], upper=False)
            variance = (2 * parameters[-2]).exp() - (across**2).sum(dim=0)
            return (across.T @ solved)[:, 0].numpy(), variance.clamp(min=1e-12).sqrt().numpy()

    def _covariance(self, parameters: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        a, b = self._seen(parameters, first), self._seen(parameters, second)
        squares = (a**2).sum(dim=-1)[..., :, None] + (b**2).sum(dim=-1)[..., None, :] - 2 * a @ b.transpose(-1, -2)
        distance = (5 * squares.clamp(min=1e-12)).sqrt() / parameters[-3].exp()
        covariance: torch.Tensor = (2 * parameters[-2]).exp() * (1 + distance + distance**2 / 3) * (-distance).exp()
        return covariance

    def _seen(self, parameters: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return what the network makes of rows."""
        shaped = parts(parameters, self.shapes)
        for layer in range(LAYERS):
            rows = rows @ shaped[layer] + shaped[LAYERS + layer]
            rows = rows.relu() if layer < LAYERS - 1 else rows
        return rows
