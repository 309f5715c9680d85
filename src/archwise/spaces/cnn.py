"""The ready-made spaces of convolutional networks: for images, and for series."""

from __future__ import annotations

from archwise.spaces.branches import Residual
from archwise.spaces.choice import Choice
from archwise.spaces.layer_types import identity
from archwise.spaces.nodes import Chain, Part, Repeat
from archwise.spaces.parts import (
    activation,
    avg_pool,
    batch_norm,
    conv,
    depthwise_conv,
    dropout,
    expand,
    global_pool,
    head,
    max_pool,
    squeeze_excitation,
)
from archwise.spaces.space import Space


def cnn(side: int = 8) -> Space:
    """Return the space of convolutional networks for images: a stem, then two to four stages of searched blocks.

    A stage has a width, a depth and a kernel, a kind of block (one convolution, or the inverted bottleneck of
    MobileNetV2, Sandler et al. 2018, with its expansion), squeeze-excitation or none, and skips or none; between
    stages the image is halved by a searched pooling.

    Args:
        side: height or width of the images, the smaller; from 20 pixels up, the default halves them in the stem
            already and is deeper. Nothing but the default depends on it.

    Example:
        >>> from archwise.signature import Signature
        >>> space = cnn()
        >>> space.cost(space.default, Signature((1, 28, 28), 10, "image")).parameters
        104746
    """
    activate = _activation()
    large = side >= 20
    stem = Chain(
        conv(
            Choice("width", [16, 24, 32, 48], default=32),
            Choice("kernel", [3, 5]),
            Choice("stride", [1, 2], default=2 if large else 1),
        ),
        batch_norm(),
        activate,
        name="stem",
    )
    first, second, third, fourth = (
        _stage(number, activate, widths, [3, 5], default, depth=2 if large and number > 1 else 1)
        for number, widths, default in (
            (1, [16, 24, 32, 48, 64], 32),
            (2, [32, 48, 64, 96, 128], 64),
            (3, [64, 96, 128, 192, 256], 128),
            (4, [96, 128, 192, 256, 384], 192),
        )
    )
    last = Choice("stage4", [identity(called="no"), Chain(_pooling("pool3"), fourth, name="yes")], level="macro")
    later = Choice(
        "stage3",
        [identity(called="no"), Chain(_pooling("pool2"), third, last, name="yes")],
        default="yes",
        level="macro",
    )
    return Space(
        Chain(stem, _pooling("pool0", optional=True), first, _pooling("pool1"), second, later, *_end("both")),
        "cnn",
    )


def conv1d() -> Space:
    """Return the space of convolutional networks for series: a stem, then one to three stages of searched blocks.

    Example:
        >>> from archwise.signature import Signature
        >>> space = conv1d()
        >>> space.cost(space.default, Signature((3, 100), 4, "series")).parameters
        32548
    """
    kernels = [3, 5, 9, 15, 25]
    activate = _activation()
    stem = Chain(
        conv(
            Choice("width", [16, 32, 64], default=32), Choice("kernel", kernels, default=9), Choice("stride", [1, 2, 4])
        ),
        batch_norm(),
        activate,
        name="stem",
    )
    first = _stage(1, activate, [32, 64, 128], kernels, 64)
    second = _stage(2, activate, [64, 128, 256], kernels, 128)
    third = _stage(3, activate, [64, 128, 256], kernels, 128)
    last = Choice("stage3", [identity(called="no"), Chain(_pooling("pool2"), third, name="yes")], level="macro")
    later = Choice(
        "stage2",
        [identity(called="no"), Chain(_pooling("pool1"), second, last, name="yes")],
        default="yes",
        level="macro",
    )
    return Space(Chain(stem, first, later, *_end("mean")), "conv1d")


def _activation() -> Part:
    """One activation for the whole network."""
    return activation(Choice("activation", ["relu", "gelu", "silu"], shared=True))


def _stage(number: int, activate: Part, widths: list[int], kernels: list[int], default: int, depth: int = 1) -> Part:
    """Blocks of one width, the same choices for each; `default` and `depth` are the default's width and depth."""
    width = Choice("width", widths, default=default)
    kernel = Choice("kernel", kernels)
    plain = Chain(conv(width, kernel), batch_norm(), activate, name="conv")
    bottleneck = Chain(
        expand(Choice("expansion", [2, 3, 4])),
        batch_norm(),
        activate,
        depthwise_conv(Choice("kernel", kernels)),
        batch_norm(),
        activate,
        conv(Choice("width", widths, default=default), 1),
        batch_norm(),
        name="bottleneck",
    )
    body = Chain(
        Choice("block", [plain, bottleneck], level="cell"),
        Choice("attention", [identity(called="none"), squeeze_excitation(called="squeeze_excitation")], level="cell"),
    )
    block = Residual(body, when=Choice("skip", [False, True], level="cell"))
    return Repeat(block, Choice("depth", [1, 2, 3], default=depth, level="macro"), name=f"stage{number}")


def _pooling(name: str, optional: bool = False) -> Part:
    """Halving the size, or, where it is optional, by default not."""
    options: list[Part] = [max_pool(2, called="max"), avg_pool(2, called="mean")]
    return Choice(name, [*([identity(called="none")] if optional else []), *options], level="macro")


def _end(pool: str) -> list[Part]:
    """From positions to outputs; `pool` is the default's pooling."""
    rates = [identity(called="none"), *(dropout(rate, called=str(rate)) for rate in (0.1, 0.2, 0.3))]
    return [global_pool(Choice("global_pool", ["mean", "max", "both"], default=pool)), Choice("dropout", rates), head()]
