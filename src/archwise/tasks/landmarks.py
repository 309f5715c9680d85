"""How well fixed, quick learners do on a task: numbers that tell what kind of learning it needs."""

from __future__ import annotations

import numpy as np

from archwise.tasks.random_features import encode, shrunk

MOST_FEATURES = 512
"""Most values of a row that the learners without the encoder see, evenly spaced."""
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Ridge penalties that are tried, in units of the mean variance of the features' directions."""
BINS = 4
"""Parts into which a numeric target is divided where classes are needed."""


def landmarks(x: np.ndarray, y: np.ndarray, *, regression: bool) -> dict[str, float]:
    """Return landmarks on random features (see `encode`) and on the inputs themselves.

    The share of the variance that lies between classes ("scatter"), the effective rank of the features (log2), and
    what the nearest neighbour and ridge regression predict of rows that are left out: balanced accuracy relative to
    chance (0: chance, 1: all right), or for numeric targets the neighbour's correlation and ridge regression's R2.

    Args:
        x: inputs of some hundred rows.
        y: numbers of the classes, or numeric targets.
        regression: whether targets are numeric.

    Source:
        Pfahringer et al. 2000, Meta-learning by landmarking various learning algorithms; Roy and Vetterli 2007, The
        effective rank.
    """
    if regression:
        edges = np.quantile(y, np.arange(1, BINS) / BINS)
        classes = np.unique(np.searchsorted(edges, y), return_inverse=True)[1]
    else:
        classes = np.unique(y, return_inverse=True)[1]
    plain = shrunk(x).reshape(len(x), -1)
    plain = plain[:, np.unique(np.linspace(0, plain.shape[1] - 1, MOST_FEATURES).astype(int))]
    numbers = {}
    for name, features in (("encoded", encode(x)), ("plain", plain)):
        left, sizes = _directions(_standardised(features))
        targets = y if regression else classes
        numbers[f"{name}_scatter"] = _scatter(left * sizes, classes)
        numbers[f"{name}_rank"] = float(np.log2(_effective_rank(sizes)))
        numbers[f"{name}_neighbour"] = _neighbour(left * sizes, targets, regression)
        numbers[f"{name}_ridge"] = _ridge(left, sizes, targets, regression)
    return numbers


def _standardised(features: np.ndarray) -> np.ndarray:
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    scale = centred.std(axis=0)
    kept = scale > 1e-6
    return centred[:, kept] / scale[kept] if kept.any() else np.zeros((len(features), 1))


def _directions(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return left singular vectors and singular values, by the smaller of the two products of a matrix with itself."""
    if features.shape[1] < len(features):
        squares, right = np.linalg.eigh(features.T @ features)
    else:
        squares, left = np.linalg.eigh(features @ features.T)
    kept = squares > max(squares[-1], 1e-12) * 1e-9
    if not kept.any():
        return np.zeros((len(features), 1)), np.zeros(1)
    sizes = np.sqrt(squares[kept])
    return (features @ right[:, kept] / sizes if features.shape[1] < len(features) else left[:, kept]), sizes


def _effective_rank(sizes: np.ndarray) -> float:
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-12)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _scatter(features: np.ndarray, classes: np.ndarray) -> float:
    counts = np.bincount(classes)
    sums = np.zeros((len(counts), features.shape[1]))
    np.add.at(sums, classes, features)
    within_all = (features**2).sum()
    return float((sums**2 / counts[:, None]).sum() / within_all) if within_all > 0 else 0.0


def _neighbour(features: np.ndarray, targets: np.ndarray, regression: bool) -> float:
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * features @ features.T
    np.fill_diagonal(distances, np.inf)
    predicted = targets[distances.argmin(axis=1)]
    if not regression:
        return _above_chance(predicted, targets)
    if predicted.std() == 0 or targets.std() == 0:
        return 0.0
    return float(np.corrcoef(predicted, targets)[0, 1])


def _ridge(left: np.ndarray, sizes: np.ndarray, targets: np.ndarray, regression: bool) -> float:
    """Return the quality of ridge regression, each row predicted by the others, with the best penalty."""
    wanted = targets[:, None].astype(np.float64) if regression else np.eye(int(targets.max()) + 1)[targets]
    centred = wanted - wanted.mean(axis=0)
    usual = (sizes**2).mean()
    if usual == 0 or not centred.any():
        return 0.0
    coordinates, squared = left.T @ centred, left**2
    predictions = []
    for strength in STRENGTHS:
        shrink = sizes**2 / (sizes**2 + strength * usual)
        itself = np.minimum(squared @ shrink + 1 / len(left), 1 - 1e-6)
        predictions.append(centred - (centred - left @ (shrink[:, None] * coordinates)) / (1 - itself)[:, None])
    errors = [((centred - predicted) ** 2).sum() for predicted in predictions]
    best = int(np.argmin(errors))
    if regression:
        return float(max(-1.0, 1 - errors[best] / (centred**2).sum()))
    return _above_chance((predictions[best] + wanted.mean(axis=0)).argmax(axis=1), targets)


def _above_chance(predicted: np.ndarray, classes: np.ndarray) -> float:
    """Return the mean over classes of the share that is right, 0 for guesses and 1 for all."""
    counts = np.bincount(classes)
    if len(counts) < 2:
        return 0.0
    right = np.bincount(classes, weights=predicted == classes)
    return float(((right / counts).mean() - 1 / len(counts)) / (1 - 1 / len(counts)))
