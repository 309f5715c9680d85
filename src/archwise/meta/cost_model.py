"""What candidates cost in a new place, from what costs were elsewhere and a few measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from archwise.meta.taken import Taken
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.gaussian_process import GaussianProcess

REFERENCES = 300
"""Random candidates over which what past places say is standardised, and among which measurements are chosen."""
MOST = 1_000
"""Most costs of a past place that are learnt from: of more, evenly spread ones."""
MOST_CHOOSING = 200
"""Most of them by which the kernel's parameters are chosen."""
LEAST = 5
"""Fewest costs of a past place that say anything."""
TAIL = 3.0
"""Where costs are cut below, in deviations from the median: networks without a path cost a device almost nothing."""
LEVEL = 5.0
"""How far the level of costs may be from what is expected, in spreads."""
FOLLOWED = (0.3,)
"""Prior variances of how far the weights of past places may be from the same for all."""
COUNTED = (0.1, 0.3, 1.0)
"""Prior variances of how costs follow the options taken, beyond what past places say."""
BEYOND = (0.02, 0.1, 0.3)
"""Prior variances of what follows from neither."""
NOISES = (0.01, 0.03, 0.1)
"""Variances of what is no function of the candidate's encoding, errors of measuring among it."""
DESIGN = 0.3, 1.0, 0.1, 0.05
"""Those of the four for which measurements are chosen."""
USUAL = 0.75
"""Share of candidates among which these are chosen, the least unusual: no model of costs holds at the extremes."""
FREEDOM = 4.0
"""Degrees of freedom of the noise, which has heavy tails: a few measurements may be far off."""
ROUNDS = 8
"""How often each measurement's trust is estimated anew."""
SPREADS = np.exp(np.linspace(math.log(0.05), math.log(3.0), 33))
"""How large the standard deviation of log costs over the space may be."""
USUAL_SPREAD, SPREAD_SPREAD = 0.4, 0.5
"""What it is where no past place says so, and the standard deviation of its logarithm."""


class Costs(NamedTuple):
    """What candidates cost in one place: on a device, or on a task."""

    candidates: Sequence[Candidate]
    values: np.ndarray
    """(n,), above zero."""


class PredictedLog(NamedTuple):
    """Natural logarithms of costs."""

    mean: np.ndarray
    deviation: np.ndarray
    """How far single measurements are from the mean, as a standard deviation."""


class CostModel:
    """Predicts log costs in a new place: the weighted sum of what past places say, and what measurements add.

    `log cost = level + spread (sum_s w_s m_s(x) + c(x) + g(x)) + noise`: what a Gaussian process for each past place
    predicts, standardised; a linear function of the options taken; a Gaussian process on the candidate; noise with
    heavy tails (Student's t, by its scale mixture). Level, spread and weights are learnt from the measurements; several
    variances of c, g and the noise are averaged by how likely they make what was measured.

    Source: the weighted predictions are those of `meta.transfer`; Lee et al. 2021, HELP, has the problem (latency on a
    new device from ten measurements); Rasmussen & Williams 2006, section 2.7, the linear terms; Lange et al. 1989,
    Robust statistical modeling using the t distribution.

    Args:
        past: costs in past places; those with fewer than five are left out.
        space: the candidates.
    """

    def __init__(self, past: Sequence[Costs], space: JointSpace):
        self.space = space
        self._taken = Taken(space)
        self._places = [self._place(costs) for costs in past if len(costs.values) >= LEAST]
        rng = np.random.default_rng(0)
        self._references = [space.sample(rng) for _ in range(REFERENCES)]
        seen = self._encoded(self._references)
        said = np.stack([place.predict(*seen) for place in self._places]) if self._places else None
        spreads = np.array([USUAL_SPREAD]) if said is None else np.maximum(said.std(axis=1), 1e-6)
        levels = np.zeros(1) if said is None else said.mean(axis=1)
        self._scales = (levels[:, None], spreads[:, None])
        self._usual_spread = float(np.exp(np.log(spreads).mean()))
        self._usual_level = float(levels.mean()), float(max(levels.std(), 1.0))
        self._known: dict[Candidate, np.ndarray] = {}
        self._fitted: _Fitted | None = None

    def __len__(self) -> int:
        return len(self._places)

    @property
    def has_level(self) -> bool:
        """Whether any cost is known, here or elsewhere."""
        return bool(self._places) or self._fitted is not None

    def to_measure(self, count: int, seed: int = 0) -> list[Candidate]:
        """Return the candidates whose measurement would tell most about all others, the most telling first.

        Each is the one that, after those before it, lessens the mean variance of what is predicted most; only those are
        chosen that the space allows and that can be built.

        Args:
            count: how many.
            seed: of the random candidates among which they are chosen.
        """
        rng = np.random.default_rng([seed, 1])
        drawn = dict.fromkeys(self.space.sample(rng) for _ in range(REFERENCES + 2 * count))
        pool = [candidate for candidate in drawn if self._can_be_measured(candidate)]
        *variances, noise = DESIGN
        seen = self._seen([*pool, *self._references])
        covariance = seen.covariance(seen, variances)
        unusual = np.diag(covariance)[: len(pool)].copy()
        left = [int(i) for i in np.argsort(unusual, kind="stable")[: math.ceil(USUAL * len(pool))]]
        chosen: list[Candidate] = []
        while left and len(chosen) < count:
            told = (covariance[left, len(pool) :] ** 2).sum(axis=1)
            best = left.pop(int(np.argmax(told / (covariance[left, left] + noise))))
            chosen.append(pool[best])
            column = covariance[:, best]
            covariance = covariance - np.outer(column, column) / (column[best] + noise)
        return chosen

    def fit(self, measured: Costs) -> None:
        """Learn from costs in the new place; of none, what past places say stays.

        Args:
            measured: any number of costs; a few hundred at most are worth their time.
        """
        self._fitted = None
        if len(measured.values):
            seen = self._seen(measured.candidates)
            self._fitted = _Fitted(seen, np.log(np.asarray(measured.values, dtype=float)), self._usual_spread)

    def predict(self, candidates: Sequence[Candidate]) -> PredictedLog:
        """Return the mean and standard deviation of the logarithm of each candidate's cost.

        Without a measurement, the level is the mean of those in past places.
        """
        seen = self._seen(candidates)
        if self._fitted is not None:
            return self._fitted.predict(seen)
        *variances, noise = DESIGN
        level, doubt = self._usual_level
        variance = seen.variance(variances) - LEVEL**2 + noise
        deviation = np.sqrt(doubt**2 + self._usual_spread**2 * variance)
        return PredictedLog(level + self._usual_spread * seen.mean, deviation)

    def _can_be_measured(self, candidate: Candidate) -> bool:
        signature = self.space.signature
        buildable = signature is None or self.space.network.check(candidate.architecture, signature) is None
        return buildable and self.space.allows(candidate)

    def _place(self, costs: Costs) -> _Place:
        kept = np.unique(np.linspace(0, len(costs.values) - 1, MOST).round().astype(int))
        values = np.asarray(costs.values, dtype=float)[kept]
        rows, trend = self._encoded([costs.candidates[i] for i in kept])
        return _Place(rows, trend, np.log(values), self.space.encoding.groups)

    def _encoded(self, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        """Return rows for a Gaussian process, and what costs follow linearly."""
        encoding = self.space.encoding
        trend = np.column_stack([np.ones(len(candidates)), encoding.sizes(candidates), 2 * self._taken(candidates)])
        return encoding(candidates), trend

    def _seen(self, candidates: Sequence[Candidate]) -> _Seen:
        new = [candidate for candidate in dict.fromkeys(candidates) if candidate not in self._known]
        if new:
            levels, spreads = self._scales
            rows, trend = self._encoded(new)
            said = np.array([place.predict(rows, trend) for place in self._places]).reshape(len(self), len(new))
            said = (said - levels) / spreads if len(self) else said
            self._known.update(zip(new, np.column_stack([said.T, self._taken(new)]), strict=True))
        known = np.array([self._known[candidate] for candidate in candidates]).reshape(len(candidates), -1)
        encoding = self.space.encoding
        rows = encoding(candidates) / max(1, len(encoding.groups)) ** 0.5
        return _Seen(known[:, : len(self)], known[:, len(self) :], rows)


class _Place:
    """A past place: a Gaussian process of the log costs there."""

    def __init__(self, rows: np.ndarray, trend: np.ndarray, logs: np.ndarray, groups: Sequence[slice]):
        middle = np.median(logs)
        usual = 1.4826 * np.median(np.abs(logs - middle))
        logs = np.maximum(logs, middle - TAIL * usual) if usual > 1e-9 else logs
        self._level, self._spread = float(logs.mean()), float(logs.std()) or 1.0
        values = (logs - self._level) / self._spread
        self._process = GaussianProcess(groups)
        some = np.unique(np.linspace(0, len(values) - 1, MOST_CHOOSING).round().astype(int))
        parameters = self._process.choose(rows[some], trend[some], values[some])
        self._process.fit(rows, trend, values, parameters)

    def predict(self, rows: np.ndarray, trend: np.ndarray) -> np.ndarray:
        mean, _ = self._process.predict(rows, trend)
        return self._level + self._spread * mean


class _Seen(NamedTuple):
    """What a model knows of some candidates."""

    said: np.ndarray
    """(n, past places), standardised over the space."""
    counted: np.ndarray
    rows: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """What past places say together."""
        return self.said.mean(axis=1) if self.said.shape[1] else np.zeros(len(self.said))

    def kernels(self, other: _Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what the three variances are multiplied with."""
        squares = (self.rows**2).sum(axis=1)[:, None] + (other.rows**2).sum(axis=1)[None]
        distance = np.sqrt(3 * np.maximum(squares - 2 * self.rows @ other.rows.T, 0.0))
        followed = self.said @ other.said.T / max(1, self.said.shape[1])
        return followed, self.counted @ other.counted.T, (1 + distance) * np.exp(-distance)

    def covariance(self, other: _Seen, variances: Sequence[float]) -> np.ndarray:
        followed, counted, beyond = self.kernels(other)
        whole: np.ndarray = LEVEL**2 + variances[0] * followed + variances[1] * counted + variances[2] * beyond
        return whole

    def variance(self, variances: Sequence[float]) -> np.ndarray:
        followed = (self.said**2).sum(axis=1) / max(1, self.said.shape[1])
        counted = (self.counted**2).sum(axis=1)
        whole: np.ndarray = LEVEL**2 + variances[0] * followed + variances[1] * counted + variances[2]
        return whole


class _Fitted:
    """A model given measurements: one posterior for each combination of variances, weighted by its likelihood."""

    def __init__(self, seen: _Seen, logs: np.ndarray, usual_spread: float):
        self._seen, self._level = seen, float(logs.mean())
        combinations = np.array(list(product(FOLLOWED, COUNTED, BEYOND, NOISES)))
        kernels = np.stack(seen.kernels(seen))
        known = LEVEL**2 + np.tensordot(combinations[:, :3], kernels, 1)
        noise = combinations[:, 3][:, None]
        values = np.stack([logs - self._level, seen.mean], axis=1)
        trust = np.ones((len(combinations), len(logs)))
        spread_prior = -0.5 * ((np.log(SPREADS) - math.log(usual_spread)) / SPREAD_SPREAD) ** 2
        eye = np.eye(len(logs))
        for _ in range(ROUNDS):
            whole = known + (noise / trust)[:, :, None] * eye
            inverse = np.linalg.inv(whole)
            solved = inverse @ values
            first, both, second = (
                np.einsum("n,cn->c", values[:, i], solved[:, :, j]) for i, j in ((0, 0), (0, 1), (1, 1))
            )
            squares = first[:, None] / SPREADS**2 - 2 * both[:, None] / SPREADS + second[:, None]
            likelihood = -0.5 * squares - len(logs) * np.log(SPREADS) + spread_prior
            likeliest = likelihood.argmax(axis=1)
            spread = SPREADS[likeliest]
            weights = solved[:, :, 0] / spread[:, None] - solved[:, :, 1]
            off = noise / trust * weights
            doubt = noise / trust - (noise / trust) ** 2 * np.diagonal(inverse, axis1=1, axis2=2)
            evidence = likelihood.max(axis=1) - 0.5 * np.linalg.slogdet(whole)[1]
            evidence += 0.5 * FREEDOM * (np.log(trust) - trust + 1).sum(axis=1)
            trust = (FREEDOM + 1) / (FREEDOM + (off**2 + doubt) / noise)
        share = np.exp(evidence - evidence.max())
        kept = share > 1e-3 * share.sum()
        self._share = share[kept] / share[kept].sum()
        self._combinations, self._spread = combinations[kept], spread[kept]
        self._weights, self._inverse = weights[kept], inverse[kept]

    def predict(self, seen: _Seen) -> PredictedLog:
        kernels = np.stack(seen.kernels(self._seen))
        mean, square = np.zeros(len(seen.rows)), np.zeros(len(seen.rows))
        for share, spread, combination, weights, inverse in zip(
            self._share, self._spread, self._combinations, self._weights, self._inverse, strict=True
        ):
            across = LEVEL**2 + np.tensordot(combination[:3], kernels, 1)
            likely = self._level + spread * (seen.mean + across @ weights)
            left = seen.variance(combination[:3]) - np.einsum("qn,nm,qm->q", across, inverse, across, optimize=True)
            mean += share * likely
            square += share * (likely**2 + spread**2 * (np.maximum(left, 0.0) + combination[3]))
        return PredictedLog(mean, np.sqrt(np.maximum(square - mean**2, 1e-12)))
