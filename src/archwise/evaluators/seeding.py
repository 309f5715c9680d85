"""Making a training repeat itself bit for bit, and leaving no trace of that behind."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator

import torch


def seed_torch(seed: int, device: torch.device) -> None:
    """Seed torch's random generators of the CPU and of a device.

    Example:
        >>> seed_torch(1, torch.device("cpu"))
        >>> first = torch.rand(3)
        >>> seed_torch(1, torch.device("cpu"))
        >>> bool((torch.rand(3) == first).all())
        True
    """
    if device.type == "cpu":
        # torch.manual_seed would note for the GPU who asked, which takes longer than a small network's step.
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


@contextlib.contextmanager
def reproducible(device: str) -> Iterator[None]:
    """Restore torch's random generators at the end; on a GPU, also ask for kernels that repeat themselves.

    On a CPU torch computes the same with the same number of threads anyway. On a GPU a few operations have no
    reproducible kernel; they are used all the same.

    Example:
        >>> before = torch.get_rng_state()
        >>> with reproducible("cpu"):
        ...     _ = torch.rand(3)
        >>> bool((torch.get_rng_state() == before).all())
        True
    """
    if torch.device(device).type != "cuda":
        with torch.random.fork_rng([]):
            yield
        return
    # cuBLAS reads this when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    asked = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(asked, warn_only=only_warned)
