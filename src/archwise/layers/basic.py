"""The common layers, for series (channels, time) and images (channels, height, width) alike where that makes sense."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv(shape: tuple[int, ...], width: int, kernel: int, stride: int = 1) -> nn.Module:
    """A convolution that keeps the size at stride 1; without bias, as a normalisation follows."""
    convolution = nn.Conv1d if len(shape) == 2 else nn.Conv2d
    return convolution(shape[0], width, kernel, stride=stride, padding=kernel // 2, bias=False)


def same_conv(shape: tuple[int, ...], kernel: int) -> nn.Module:
    """A convolution that keeps both size and number of channels; without bias."""
    return conv(shape, shape[0], kernel)


def doubling_conv(shape: tuple[int, ...], kernel: int) -> nn.Module:
    """A convolution that halves the size and doubles the number of channels; without bias."""
    return conv(shape, 2 * shape[0], kernel, stride=2)


class FactorizedReduction(nn.Module):
    """Halves the size by two 1x1 convolutions of stride 2 that look at different pixels, and normalises.

    It stands where a shortcut would change the shape (Zoph et al. 2018, Learning transferable architectures for
    scalable image recognition).

    Args:
        shape: shape of an image, (channels, height, width).
        width: channels that come out.
    """

    def __init__(self, shape: tuple[int, ...], width: int):
        super().__init__()
        self.even = nn.Conv2d(shape[0], width // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(shape[0], width - width // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(width, momentum=0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        moved = nn.functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        y: Tensor = self.norm(torch.cat([self.even(x), self.odd(moved)], dim=1))
        return y


def depthwise_conv(shape: tuple[int, ...], kernel: int, stride: int = 1) -> nn.Module:
    """A convolution of each channel by itself."""
    channels = shape[0]
    convolution = nn.Conv1d if len(shape) == 2 else nn.Conv2d
    return convolution(channels, channels, kernel, stride=stride, padding=kernel // 2, groups=channels, bias=False)


def expand(shape: tuple[int, ...], factor: int) -> nn.Module:
    """A 1x1 convolution to `factor` times the channels."""
    convolution = nn.Conv1d if len(shape) == 2 else nn.Conv2d
    return convolution(shape[0], factor * shape[0], 1, bias=False)


def dense(shape: tuple[int, ...], width: int) -> nn.Module:
    """A linear layer."""
    return nn.Linear(shape[-1], width)


def batch_norm(shape: tuple[int, ...]) -> nn.Module:
    """Batch normalisation (Ioffe & Szegedy 2015) over the channels.

    The running statistics follow twice as fast as by default, so that they are right after short trainings too.
    """
    return (nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)(shape[0], momentum=0.2)


def layer_norm(shape: tuple[int, ...]) -> nn.Module:
    """Layer normalisation (Ba et al. 2016); for series and images, over channels and positions together."""
    return nn.LayerNorm(shape[0]) if len(shape) == 1 else nn.GroupNorm(1, shape[0])


def activation(name: str) -> nn.Module:
    """An activation by its name: relu, gelu, silu, tanh or leaky_relu."""
    modules = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}
    module: nn.Module = modules[name]()
    return module


def dropout(rate: float) -> nn.Module:
    """Dropout (Srivastava et al. 2014) at a rate in [0, 1)."""
    return nn.Dropout(rate)


def max_pool(shape: tuple[int, ...], size: int = 2) -> nn.Module:
    """The largest of `size` (x `size`) neighbours, with a stride of `size`."""
    return nn.MaxPool1d(size) if len(shape) == 2 else nn.MaxPool2d(size)


def avg_pool(shape: tuple[int, ...], size: int = 2) -> nn.Module:
    """The mean of `size` (x `size`) neighbours, with a stride of `size`."""
    return nn.AvgPool1d(size) if len(shape) == 2 else nn.AvgPool2d(size)


def smooth(shape: tuple[int, ...], size: int = 3) -> nn.Module:
    """The mean of a neighbourhood of an odd size, with stride 1: the pooling of NAS-Bench-201."""
    if len(shape) == 2:
        return nn.AvgPool1d(size, 1, size // 2, count_include_pad=False)
    return nn.AvgPool2d(size, 1, size // 2, count_include_pad=False)


def flatten() -> nn.Module:
    """All numbers of an example in one row."""
    return nn.Flatten()


class GlobalPool(nn.Module):
    """The mean or the maximum of each channel over all positions, or both joined."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2)
        if self.kind == "mean":
            return x.mean(2)
        if self.kind == "max":
            return x.amax(2)
        return torch.cat([x.mean(2), x.amax(2)], dim=1)


class SqueezeExcitation(nn.Module):
    """Weighs each channel by what all channels say together (Hu et al. 2018, Squeeze-and-excitation networks)."""

    def __init__(self, shape: tuple[int, ...], reduction: int = 4):
        super().__init__()
        hidden = max(shape[0] // reduction, 4)
        self.weigh = nn.Sequential(nn.Linear(shape[0], hidden), nn.ReLU(), nn.Linear(hidden, shape[0]), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.weigh(x.flatten(2).mean(2))
        return x * weights.reshape(*weights.shape, *[1] * (x.dim() - 2))


def head(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """A linear layer to the task's outputs."""
    return nn.Linear(shape[-1], outputs)
