"""The surrogate of Bayesian optimisation: a Gaussian process over groups of columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

JITTER = 1e-6


class GaussianProcess:
    """A Gaussian process with a Matern-3/2 kernel over weighted groups of columns, and a linear trend.

    The squared distance of two rows is the weighted mean of their squared distances in each group, so a group that
    tells nothing loses its weight. Weights, scale and noise are those of the largest posterior density under
    log-normal priors, and do not depend on where the search for them starts: it starts at the priors' centre.

    Source: Rasmussen & Williams 2006, Gaussian processes for machine learning; a kernel over several views of an
    architecture: Kandasamy et al. 2018, Neural architecture search with Bayesian optimisation and optimal transport.

    Args:
        groups: the columns of each group.
    """

    def __init__(self, groups: Sequence[slice]):
        self.groups = tuple(groups)
        count = max(1, len(self.groups))
        centre = np.array([*[-0.5 - 0.5 * np.log(count)] * len(self.groups), 0.0, -4.0])
        self._prior = centre, np.array([*[1.0] * len(self.groups), 0.7, 1.5])
        self.parameters = centre
        """Log weights of the groups, log scale and log noise variance."""

    def choose(self, rows: np.ndarray, trend: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return the parameters of the largest posterior density.

        Args:
            rows: (n, columns).
            trend: (n, k), what the values may depend on linearly, scaled by how strongly.
            values: (n,), centred, of a spread of about 1.
        """
        distances = np.stack([_squared_distances(rows[:, g], rows[:, g]) for g in self.groups])
        linear = trend @ trend.T
        centre, spread = self._prior

        def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            weights, scale, noise = self._unpacked(parameters)
            shape, slope = matern(np.tensordot(weights, distances, 1))
            kernel = scale * shape + linear
            kernel[np.diag_indices_from(kernel)] += noise + JITTER
            try:
                factor = cho_factor(kernel, lower=True)
            except np.linalg.LinAlgError:
                return 1e10, np.zeros_like(parameters)
            inverse = cho_solve(factor, np.eye(len(values)))
            solved = inverse @ values
            off = (parameters - centre) / spread
            value = 0.5 * values @ solved + np.log(np.diag(factor[0])).sum() + 0.5 * off @ off
            outer = 0.5 * (inverse - np.outer(solved, solved))
            inner = scale * outer * slope
            gradient = [2 * w * np.sum(inner * d) for w, d in zip(weights, distances, strict=True)]
            gradient += [2 * scale * np.sum(outer * shape), noise * np.trace(outer)]
            return float(value), np.array(gradient) + off / spread

        bounds = [(-6.0, 3.0)] * len(self.groups) + [(-2.0, 2.0), (-12.0, 1.0)]
        found: np.ndarray = minimize(
            loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 20}
        ).x
        return found

    def fit(self, rows: np.ndarray, trend: np.ndarray, values: np.ndarray, parameters: np.ndarray) -> None:
        """Condition on values, under parameters that `choose` returned."""
        self.parameters = parameters
        self.rows, self._trend = self._weighted(rows), trend
        self._factor = np.linalg.cholesky(self._covariance())
        self.values = values
        self.solved = cho_solve((self._factor, True), values)

    def predict(self, rows: np.ndarray, trend: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the value at each row, noise left out."""
        _, scale, _ = self._unpacked(self.parameters)
        shape, _ = matern(_squared_distances(self._weighted(rows), self.rows))
        across = scale * shape + trend @ self._trend.T
        explained = solve_triangular(self._factor, across.T, lower=True)
        variance = scale + (trend**2).sum(axis=1) - (explained**2).sum(axis=0)
        mean: np.ndarray = across @ self.solved
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def log_likelihoods(
        self, rows: np.ndarray, trend: np.ndarray, values: np.ndarray, parameters: np.ndarray
    ) -> np.ndarray:
        """Return how likely each of several rows of values is under some parameters, up to one constant.

        Args:
            rows: (n, columns).
            trend: (n, k).
            values: (alternatives, n).
            parameters: what `choose` returned.
        """
        self.parameters = parameters
        self.rows, self._trend = self._weighted(rows), trend
        explained = solve_triangular(np.linalg.cholesky(self._covariance()), values.T, lower=True)
        found: np.ndarray = -0.5 * (explained**2).sum(axis=0)
        return found

    @property
    def squared_weights(self) -> np.ndarray:
        """The weight of each group in the squared distance of two rows."""
        return self._unpacked(self.parameters)[0]

    @property
    def scale(self) -> float:
        """The variance of what is no trend and no noise."""
        return self._unpacked(self.parameters)[1]

    @property
    def log_evidence(self) -> float:
        """How likely the values are that it was conditioned on, and its parameters, together; up to a constant."""
        centre, spread = self._prior
        off = (self.parameters - centre) / spread
        return float(-0.5 * self.values @ self.solved - np.log(np.diag(self._factor)).sum() - 0.5 * off @ off)

    @property
    def noise(self) -> float:
        """The variance of the noise."""
        return self._unpacked(self.parameters)[2]

    @property
    def coefficients(self) -> np.ndarray:
        """How strongly the values were found to follow each column of the trend: (k,)."""
        found: np.ndarray = self._trend.T @ self.solved
        return found

    @property
    def coefficient_deviations(self) -> np.ndarray:
        """The standard deviation of each of `coefficients`, 1 where nothing is known: (k,)."""
        explained = solve_triangular(self._factor, self._trend, lower=True)
        deviations: np.ndarray = np.sqrt(np.maximum(1.0 - (explained**2).sum(axis=0), 0.0))
        return deviations

    def left_out(self) -> np.ndarray:
        """Return what the process would predict for each value that it was conditioned on, had it not been: (n,).

        Source: Rasmussen & Williams 2006, section 5.4.2.
        """
        inverse = cho_solve((self._factor, True), np.eye(len(self.solved)))
        left_out: np.ndarray = self.values - self.solved / np.diag(inverse)
        return left_out

    def left_out_deviation(self) -> np.ndarray:
        """Return the standard deviation of what `left_out` predicts, noise left out: (n,)."""
        _, _, noise = self._unpacked(self.parameters)
        inverse = cho_solve((self._factor, True), np.eye(len(self.solved)))
        return np.sqrt(np.maximum(1 / np.diag(inverse) - noise - JITTER, 1e-12))

    def drawn(self, rows: np.ndarray, trend: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Return functions drawn from the posterior, noise left out, at each row: (draws, n).

        Args:
            rows: (n, columns).
            trend: (n, k).
            normal: (draws, n), drawn from the standard normal distribution.
        """
        _, scale, _ = self._unpacked(self.parameters)
        weighted = self._weighted(rows)
        across = scale * matern(_squared_distances(weighted, self.rows))[0] + trend @ self._trend.T
        within = scale * matern(_squared_distances(weighted, weighted))[0] + trend @ trend.T
        explained = solve_triangular(self._factor, across.T, lower=True)
        covariance = within - explained.T @ explained
        covariance[np.diag_indices_from(covariance)] += JITTER * max(1.0, float(np.diag(within).max()))
        drawn: np.ndarray = across @ self.solved + normal @ np.linalg.cholesky(covariance).T
        return drawn

    def covariance(self, rows: np.ndarray) -> np.ndarray:
        """Return the prior covariance of rows under the parameters, trend left out."""
        _, scale, _ = self._unpacked(self.parameters)
        weighted = self._weighted(rows)
        return scale * matern(_squared_distances(weighted, weighted))[0]

    def _covariance(self) -> np.ndarray:
        _, scale, noise = self._unpacked(self.parameters)
        shape, _ = matern(_squared_distances(self.rows, self.rows))
        kernel: np.ndarray = scale * shape + self._trend @ self._trend.T
        kernel[np.diag_indices_from(kernel)] += noise + JITTER
        return kernel

    def _unpacked(self, parameters: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Return the groups' weights, the scale, and the noise's variance."""
        return np.exp(2 * parameters[:-2]), float(np.exp(2 * parameters[-2])), float(np.exp(parameters[-1]))

    def _weighted(self, rows: np.ndarray) -> np.ndarray:
        """Return rows whose squared distances are the weighted sums over the groups."""
        weighted = rows.copy()
        for group, weight in zip(self.groups, self.parameters[:-2], strict=True):
            weighted[:, group] *= np.exp(weight)
        return weighted


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    products = first @ second.T
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None]
    distances: np.ndarray = np.maximum(squares - 2 * products, 0.0)
    return distances


def matern(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Matern-3/2 function of squared distances, and its derivative by these."""
    distance = np.sqrt(3 * squared)
    decay = np.exp(-distance)
    return (1 + distance) * decay, -1.5 * decay
