"""A task's examples as tensors, and which of them make up the batch of a step."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archwise.evaluators.schedule import derive_seed

ORDER = 1
"""Label of the random numbers that order the examples."""
ON_DEVICE_BYTES = 4 << 30
"""Data up to this size is kept on the GPU; larger data stays in the memory-mapped files."""


class Examples:
    """Inputs and targets of one or more splits, read in place.

    On the CPU the arrays stay memory-mapped: nothing is copied at the start, and all workers share one copy
    in the system's cache. On a GPU data of moderate size is copied there once.

    Args:
        splits: (x, y) of each split, seen as one after the other.
        device: where batches are wanted.
    """

    def __init__(self, splits: Sequence[tuple[NDArray[np.float32], NDArray[np.generic]]], device: torch.device) -> None:
        self.device = device
        with warnings.catch_warnings():
            # Read-only files make read-only arrays, of which torch warns; nothing here writes to them.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            self._parts = [(torch.from_numpy(x), torch.from_numpy(np.asarray(y))) for x, y in splits]
        if device.type != "cpu" and sum(x.nbytes for x, _ in self._parts) <= ON_DEVICE_BYTES:
            self._parts = [(x.to(device), y.to(device)) for x, y in self._parts]

    def __len__(self) -> int:
        return sum(len(x) for x, _ in self._parts)

    def __getitem__(self, part: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of one split."""
        return self._parts[part]

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the inputs and targets of these rows (any order) on the device; both in the same order."""
        inputs, targets, start = [], [], 0
        for x, y in self._parts:
            own = rows if len(self._parts) == 1 else rows[(rows >= start) & (rows < start + len(x))] - start
            own = own.to(x.device)
            inputs.append(x.index_select(0, own))
            targets.append(y.index_select(0, own))
            start += len(x)
        x, y = (part[0] if len(part) == 1 else torch.cat(part) for part in (inputs, targets))
        return x.to(self.device), y.to(self.device)


class Order:
    """Which rows the batch of a step holds: a pure function of (seed, step).

    The epochs' permutations are laid end to end and cut into batches, so every batch is full: none of a
    single example ever reaches a batch normalisation.

    Args:
        count: how many examples there are.
        batch_size: examples a batch; never more than there are.
        seed: decides the permutations.

    Example:
        >>> order = Order(count=5, batch_size=2, seed=0)
        >>> sorted(torch.cat([order.batch(step) for step in range(5)]).tolist())
        [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.seed = seed
        self._epoch = -1
        self._permutation = torch.empty(0, dtype=torch.int64)

    def _permute(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, ORDER, epoch))
            self._epoch, self._permutation = epoch, torch.randperm(self.count, generator=generator)
        return self._permutation

    def batch(self, step: int) -> Tensor:
        """Return the rows of a step's batch."""
        epoch, offset = divmod(step * self.batch_size, self.count)
        head = self._permute(epoch)[offset : offset + self.batch_size]
        missing = self.batch_size - len(head)
        return torch.cat([head, self._permute(epoch + 1)[:missing]]) if missing else head
