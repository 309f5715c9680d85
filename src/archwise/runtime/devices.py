"""The devices that a search may train on; asking costs the import of PyTorch, which is late therefore."""

from __future__ import annotations

from archwise.errors import RunError


def gpus(device: str) -> int:
    """Return how many GPUs a search on a device may use."""
    if device != "cuda":
        return 0
    import torch

    return torch.cuda.device_count()


def usable_device(given: str | None) -> str:
    """Return the device that was asked for, or the best there is.

    Raises:
        RunError: it cannot be used here.
    """
    import torch

    usable = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    if given is not None and given not in usable:
        raise RunError(
            f"The device {given!r} cannot be used: PyTorch sees {' and '.join(usable)} here; take one of these."
        )
    return given or usable[0]
