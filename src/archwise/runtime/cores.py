"""How many workers, and how many threads each: the machine's cores are shared out, never overbooked."""

from __future__ import annotations

import psutil

from archwise.errors import RunError

MOST_WORKERS = 8
"""More trials at a time than this teach a strategy less than each of them training faster."""
WORKERS_PER_GPU = 4
"""Small networks leave most of a GPU idle, so several candidates share one."""
BYTES_PER_WORKER = 2 << 30
"""What a worker on the CPU needs with room to train: PyTorch, the data, a network and its gradients."""


def usable_cores() -> int:
    """Return how many cores this process may use: affinity and a container's quota are respected."""
    # scikit-learn brings joblib, which knows affinity and both versions of Linux's control groups.
    from joblib import cpu_count  # type: ignore[import-untyped,unused-ignore]

    return int(cpu_count())


def share_threads(workers: int, cores: int | None = None) -> int:
    """Return the threads each worker gets so that workers x threads <= cores (and at least one thread each).

    Args:
        workers: how many workers run at the same time.
        cores: cores to share out; those this process may use by default.

    Raises:
        RunError: fewer than one worker.

    Example:
        >>> share_threads(2, cores=8), share_threads(3, cores=8), share_threads(4, cores=2)
        (4, 2, 1)
    """
    if workers < 1:
        raise RunError(f"A search needs at least 1 worker, not {workers}; give a larger number.")
    return max(1, (usable_cores() if cores is None else cores) // workers)


def default_workers(
    gpus: int = 0, *, cores: int | None = None, memory_bytes: int | None = None, most: int = MOST_WORKERS
) -> int:
    """Return how many workers to start where the user names no number.

    On the CPU as many one-threaded workers as there are cores train small networks fastest, as long as the
    free memory holds them; on GPUs a few share each.

    Args:
        gpus: how many GPUs are visible; 0 for training on the CPU.
        cores: cores to use; those this process may use by default.
        memory_bytes: memory to use; what is free now by default.
        most: never more workers than this on the CPU.

    Example:
        >>> default_workers(cores=4, memory_bytes=16 << 30), default_workers(cores=64, memory_bytes=5 << 30)
        (4, 2)
        >>> default_workers(gpus=1, cores=16)
        4
    """
    cores = usable_cores() if cores is None else cores
    if gpus:
        return max(1, min(cores, WORKERS_PER_GPU * gpus))
    free = int(psutil.virtual_memory().available) if memory_bytes is None else memory_bytes
    return max(1, min(cores, most, free // BYTES_PER_WORKER))
