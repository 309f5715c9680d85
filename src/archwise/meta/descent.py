"""Training of small networks whose parameters are one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, pi, prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

DECAY, SQUARE_DECAY = 0.9, 0.999
"""Adam's rates of forgetting gradients and their squares."""
JUDGED_EVERY = 25
"""Steps between two looks at what was held out."""


def parts(vector: torch.Tensor, shapes: Sequence[tuple[int, ...]]) -> list[torch.Tensor]:
    """Return the parts of a vector in their shapes.

    Example:
        >>> import torch
        >>> [tuple(part.shape) for part in parts(torch.zeros(8), [(2, 3), (2,)])]
        [(2, 3), (2,)]
    """
    import torch

    pieces = torch.split(vector, [prod(shape) for shape in shapes])
    return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]


def descend(
    loss: Callable[[torch.Tensor], torch.Tensor],
    start: torch.Tensor,
    steps: int,
    rate: float,
    held_out: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> torch.Tensor:
    """Return the vector to which Adam descends, with a rate that falls to zero along a cosine.

    Written out, as the first optimiser of torch's own takes seconds to import.

    Source: Kingma & Ba 2015, Adam: a method for stochastic optimization.

    Args:
        loss: of a vector; called once a step.
        start: the first vector.
        steps: how many.
        rate: of the first step.
        held_out: a loss that is not descended; if given, the best vector by it is returned, looked at every 25 steps.

    Example:
        >>> import torch
        >>> descend(lambda x: ((x - 3) ** 2).sum(), torch.zeros(2), steps=300, rate=0.1).round(decimals=1)
        tensor([3., 3.])
    """
    import torch

    vector = start.clone()
    first, second = torch.zeros_like(vector), torch.zeros_like(vector)
    best, least = vector, float("inf")
    for step in range(steps):
        if held_out and step % JUDGED_EVERY == 0:
            with torch.no_grad():
                judged = float(held_out(vector))
            if judged < least:
                best, least = vector, judged
        with torch.enable_grad():
            vector = vector.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(loss(vector), vector)
        with torch.no_grad():
            first = DECAY * first + (1 - DECAY) * gradient
            second = SQUARE_DECAY * second + (1 - SQUARE_DECAY) * gradient**2
            mean, square = first / (1 - DECAY ** (step + 1)), second / (1 - SQUARE_DECAY ** (step + 1))
            now = rate * 0.5 * (1 + cos(pi * step / steps))
            vector = vector - now * mean / (square.sqrt() + 1e-8)
    if held_out:
        with torch.no_grad():
            return vector if float(held_out(vector)) < least else best.detach()
    return vector.detach()
