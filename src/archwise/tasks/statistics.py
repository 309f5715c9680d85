"""Simple statistics of a task's training data."""

from __future__ import annotations

import numpy as np

from archwise.signature import Signature

KINDS = ("table", "image", "series")
FEATURES = 200
"""Most features that are looked at, evenly spaced."""
FEW = 10
"""Different values that are few."""


def shape_statistics(rows: int, signature: Signature) -> dict[str, float]:
    """Return what the sizes of a task are."""
    channels = signature.input[0] if len(signature.input) > 1 else 1
    values = int(np.prod(signature.input))
    sizes = {"rows": rows, "values": values, "channels": channels, "places": values / signature.input[0]}
    numbers = {f"log_{name}": float(np.log2(size)) for name, size in sizes.items()}
    numbers["log_rows_per_value"] = float(np.log2(rows / values))
    return numbers | {f"is_{kind}": float(signature.kind == kind) for kind in KINDS}


def target_statistics(y: np.ndarray, outputs: int, *, regression: bool) -> dict[str, float]:
    """Return how the targets are distributed.

    Args:
        y: all targets of the training split.
        outputs: number of classes.
        regression: whether targets are numeric.
    """
    if regression:
        skewness, kurtosis = (float(moment[0]) for moment in _moments(y[:, None].astype(np.float64)))
        different = len(np.unique(y)) / len(y)
        return {
            "is_regression": 1.0,
            "target_skewness": skewness,
            "target_kurtosis": kurtosis,
            "target_different": different,
        }
    shares = np.bincount(y, minlength=outputs) / len(y)
    present = shares[shares > 0]
    return {
        "is_regression": 0.0,
        "log_classes": float(np.log2(outputs)),
        "class_entropy": float(-(present * np.log(present)).sum() / np.log(max(2, outputs))),
        "largest_class": float(shares.max()),
        "smallest_class": float(shares.min() * outputs),
    }


def input_statistics(x: np.ndarray, y: np.ndarray, *, regression: bool) -> dict[str, float]:
    """Return how the inputs are distributed, and how they hang together with each other and with the targets.

    Args:
        x: inputs of some hundred rows: (rows, features), (rows, channels, time) or (rows, channels, height, width).
        y: their targets.
        regression: whether targets are numeric.
    """
    flat = x.reshape(len(x), -1)
    flat = flat[:, np.unique(np.linspace(0, flat.shape[1] - 1, FEATURES).astype(int))].astype(np.float64)
    # One distribution for each column of a table, but for all places of a channel.
    values = flat if x.ndim == 2 else np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])[:: max(1, x[0, 0].size // FEATURES)]
    skewness, kurtosis = _moments(values.astype(np.float64))
    counts = [np.unique(column, return_counts=True)[1] for column in values.T]
    numbers = {
        "skewness": float(np.abs(skewness).mean()),
        "skewness_spread": float(skewness.std()),
        "kurtosis": float(kurtosis.mean()),
        "kurtosis_spread": float(kurtosis.std()),
        "two_valued": float(np.mean([len(count) <= 2 for count in counts])),
        "few_valued": float(np.mean([len(count) <= FEW for count in counts])),
        "most_frequent": float(np.mean([count.max() / count.sum() for count in counts])),
    }
    if x.ndim > 2 and x.shape[-1] > 1:
        numbers["smoothness"] = _correlation(x[..., 1:], x[..., :-1])
    return numbers | _links(flat, y, regression)


def _links(features: np.ndarray, y: np.ndarray, regression: bool) -> dict[str, float]:
    centred = features - features.mean(axis=0)
    scale = centred.std(axis=0)
    kept = scale > 1e-6
    if not kept.any():
        return {}
    scaled = centred[:, kept] / scale[kept]
    matrix = scaled.T @ scaled / len(scaled)
    count = len(matrix)
    apart = np.abs(matrix).sum() - np.trace(matrix)
    if regression:
        target = (y - y.mean()) / (y.std() or 1.0)
        shares = (scaled.T @ target / len(y)) ** 2
    else:
        classes = np.unique(y, return_inverse=True)[1]
        member = np.eye(int(classes.max()) + 1)[classes]
        shares = ((scaled.T @ member) ** 2 / member.sum(axis=0)).sum(axis=1) / len(y)
    links = np.sqrt(np.clip(shares, 0, 1))
    return {
        "correlation": float(apart / (count * (count - 1))) if count > 1 else 0.0,
        "target_link": float(links.mean()),
        "target_link_most": float(links.max()),
    }


def _moments(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return skewness and excess kurtosis of each column, on a scale that is like a logarithm for large ones."""
    centred = columns - columns.mean(axis=0)
    scale = centred.std(axis=0)
    scaled = centred / np.where(scale > 1e-9, scale, 1.0)
    return np.arcsinh((scaled**3).mean(axis=0)), np.arcsinh(np.where(scale > 1e-9, (scaled**4).mean(axis=0) - 3, 0.0))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    size = np.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return float((first * second).sum()) / size if size > 0 else 0.0
