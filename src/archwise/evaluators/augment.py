"""Small random changes to a batch that leave its meaning alone, so that a network cannot learn examples by
heart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from archwise.signature import Kind

Strength = Literal["none", "light", "strong"]


def shift(x: Tensor) -> Tensor:
    """Move each image by up to an eighth of its side in both directions; the border's pixels fill the gap."""
    count, _, height, width = x.shape
    up, left = max(1, height // 8), max(1, width // 8)
    padded = F.pad(x, (left, left, up, up), mode="replicate")
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    rows = torch.randint(2 * up + 1, (count,), device=x.device)
    columns = torch.randint(2 * left + 1, (count,), device=x.device)
    return windows[torch.arange(count, device=x.device), :, rows, columns]


def flip(x: Tensor) -> Tensor:
    """Mirror half of the images from left to right (digits and letters lose their meaning by it)."""
    chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    return torch.where(chosen, x.flip(3), x)


def cutout(x: Tensor) -> Tensor:
    """Blank a square of a third of the side in each image, centred anywhere (DeVries and Taylor 2017)."""
    count, _, height, width = x.shape

    def covered(side: int) -> Tensor:
        centre = torch.randint(side, (count, 1), device=x.device)
        return (torch.arange(side, device=x.device) - centre).abs() <= side // 6

    return x.masked_fill((covered(height)[:, :, None] & covered(width)[:, None, :])[:, None], 0.0)


def jitter_and_scale(x: Tensor, amount: float) -> Tensor:
    """Stretch each channel of each series and add noise, both normal with `amount` as standard deviation."""
    stretch = 1 + amount * torch.randn(x.shape[0], x.shape[1], 1, device=x.device)
    return x * stretch + amount * torch.randn_like(x)


def augmentation(kind: Kind, strength: Strength) -> Callable[[Tensor], Tensor] | None:
    """Return the function that augments a batch, or None where nothing is to be done.

    Images: "light" shifts, which no meaning depends on; "strong" also mirrors and cuts out. Series: jitter
    and scale, stronger for "strong". Tables: nothing. Randomness is torch's global generator's.

    Example:
        >>> augmentation("image", "light")(torch.zeros(2, 1, 8, 8)).shape, augmentation("table", "strong")
        (torch.Size([2, 1, 8, 8]), None)
    """
    if strength == "none" or kind == "table":
        return None
    if kind == "series":
        return lambda x: jitter_and_scale(x, 0.05 if strength == "light" else 0.15)
    return shift if strength == "light" else lambda x: cutout(flip(shift(x)))
