"""What numbers a search can be asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import psutil

from archwise.errors import RunError
from archwise.pareto import COSTS

WORKER_BYTES = 250_000_000
"""What a worker holds before it trains anything."""
SEEDS = 2**63
"""An experience keeps seeds in 64 bits with sign; NumPy takes none below 0."""
_NAMES = {
    "memory_gb": "GiB of memory",
    "trial_minutes": "minutes a trial",
    "max_params": "parameters allowed",
    "max_flops": "FLOPs allowed",
}


def check_numbers(seed: int = 0, workers: int | None = None, **amounts: float | None) -> None:
    """Refuse numbers that no search can be run with.

    Args:
        seed: must be 0 or more, within 63 bits.
        workers: must be 1 or more, and no more than fit into the machine's memory, or None.
        amounts: by name; each must be finite and above 0, or None.

    Raises:
        RunError: the sentence names the number.

    Example:
        >>> check_numbers(seed=7, minutes=1.5, trials=None)
        >>> check_numbers(minutes=float("nan"))
        Traceback (most recent call last):
        archwise.errors.RunError: The number of minutes must be finite and above 0, not nan.
    """
    for name, value in amounts.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise RunError(f"The number of {_words(name)} must be finite and above 0, not {_plain(value)}.")
    memory = amounts.get("memory_gb")
    if memory is not None and memory * 2**30 < WORKER_BYTES:
        least = f"{WORKER_BYTES / 2**30:.2f}"
        raise RunError(
            f"A limit of {memory:g} GiB of memory is less than the {least} that an idle worker holds: raise it."
        )
    most = max(1, psutil.virtual_memory().total // WORKER_BYTES)
    if workers is not None and not 1 <= workers <= most:
        raise RunError(f"The number of workers must be from 1 to {most:,}, which fill the memory, not {workers:,}.")
    if not 0 <= seed < SEEDS:
        raise RunError(f"The seed must be a whole number from 0 to {SEEDS - 1}, not {seed}.")


def check_costs(minimise: Sequence[str]) -> tuple[str, ...]:
    """Return the costs that a search is to minimise, each once.

    Raises:
        RunError: one of them is nothing that training reports.

    Example:
        >>> check_costs(["flops", "parameters", "flops"])
        ('flops', 'parameters')
        >>> check_costs(["size"])  # doctest: +NORMALIZE_WHITESPACE
        Traceback (most recent call last):
        archwise.errors.RunError: The cost 'size' cannot be minimised: take one of parameters, flops, latency_ms,
            memory_bytes, train_seconds.
    """
    for name in [minimise] if isinstance(minimise, str) else minimise:
        if name not in COSTS or isinstance(minimise, str):
            remedy = f"give a list, [{name!r}]" if name in COSTS else f"take one of {', '.join(COSTS)}"
            raise RunError(f"The cost {name!r} cannot be minimised: {remedy}.")
    return tuple(dict.fromkeys(minimise))


def _words(name: str) -> str:
    return _NAMES.get(name, name)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
