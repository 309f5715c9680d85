"""Numbers and names as people read them."""

from __future__ import annotations

import math
from typing import Any

from archwise.report.markup import Html, tag

_METRICS = {"auc": "AUC", "f1": "F1", "rmse": "RMSE", "mae": "MAE", "r2": "R²"}
_LOWER_IS_BETTER = frozenset({"rmse", "mae", "log_loss"})
_SHARES = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc", "r2"})
_COSTS = {"flops": "FLOPs", "latency_ms": "latency", "memory_bytes": "memory", "train_seconds": "training time"}
MISSING = "–"
SPACE = "\N{NO-BREAK SPACE}"


def metric_name(metric: str) -> str:
    """Return a metric's name in words.

    Example:
        >>> metric_name("balanced_accuracy"), metric_name("rmse")
        ('balanced accuracy', 'RMSE')
    """
    return _METRICS.get(metric, metric.replace("_", " "))


def is_lower_better(metric: str) -> bool:
    """Whether a metric is an error or a loss."""
    return metric in _LOWER_IS_BETTER


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with that many significant digits, and never fewer than those before the point.

    Example:
        >>> number(0.98765), number(54321.9), number(0.9), number(1e-9), number(None)
        ('0.9877', '54,322', '0.9000', '1.000e-09', '–')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if power < -4 or power > 14:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - max(power, -1))}f}"


def metric_text(metric: str, value: float | None) -> str:
    """Return a metric's value for reading; shares have four decimals.

    Example:
        >>> metric_text("accuracy", 0.98), metric_text("rmse", 54.321)
        ('0.9800', '54.32')
    """
    return f"{value:.4f}" if metric in _SHARES and value is not None else number(value)


def metric_value(metric: str, value: float | None) -> Html:
    """Return a metric's value for reading, with the exact one for machines."""
    return exact(value, metric_text(metric, value))


def exact(value: float | None, text: str) -> Html:
    """Return a rounded number that carries its exact value."""
    if value is None or not math.isfinite(value):
        return tag("span", MISSING, title="not measured")
    return tag("data", text, value=repr(value))


def percent(value: float) -> str:
    """Return a share in percent.

    Example:
        >>> percent(0.98765).replace(SPACE, " ")
        '98.8 %'
    """
    return f"{100 * value:.1f}{SPACE}%"


def count(amount: float, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    Example:
        >>> count(1, "trial"), count(2000, "trial")
        ('1 trial', '2,000 trials')
    """
    shown = f"{amount:,.0f}" if amount == round(amount) else f"{amount:g}"
    return f"{shown} {noun if amount == 1 else plural or noun + 's'}"


def large(value: float | None) -> str:
    """Return a large number with its thousands, millions or billions.

    Example:
        >>> large(103466).replace(SPACE, " "), large(12)
        ('103 k', '12')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{number(value / size, 3)}{SPACE}{letter}"
    return f"{value:.0f}"


def cost_name(cost: str) -> str:
    """Return a cost's name in words.

    Example:
        >>> cost_name("latency_ms"), cost_name("energy_mj")
        ('latency', 'energy mj')
    """
    return _COSTS.get(cost, cost.replace("_", " "))


def cost_text(cost: str, value: float | None) -> str:
    """Return a cost for reading, with its unit.

    Example:
        >>> cost_text("latency_ms", 0.1234).replace(SPACE, " "), cost_text("parameters", 1200).replace(SPACE, " ")
        ('0.123 ms', '1.20 k')
    """
    if cost == "train_seconds":
        return duration(value)
    if value is None or not math.isfinite(value):
        return MISSING
    if cost == "latency_ms":
        return f"{number(value, 3)}{SPACE}ms"
    return f"{large(value)}B" if cost == "memory_bytes" else large(value)


def duration(seconds: float | None) -> str:
    """Return a time span.

    Example:
        >>> [duration(seconds).replace(SPACE, " ") for seconds in (0.25, 75, 7260)]
        ['0.25 s', '1 min 15 s', '2 h 1 min']
    """
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 60:
        return f"{seconds:.2g}{SPACE}s" if seconds < 10 else f"{seconds:.0f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes}{SPACE}min {rest}{SPACE}s" if minutes < 60 else f"{minutes // 60}{SPACE}h {minutes % 60}{SPACE}min"
    )


def plain(value: Any) -> str:
    """Return a setting's value in words.

    Example:
        >>> plain(True), plain(0.003), plain("none"), plain([1, 8, 8])
        ('yes', '0.003', 'none', '1 × 8 × 8')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return " × ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    return MISSING if value is None else str(value)
