"""The arithmetic of one example as a zero-cost proxy."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.networks import working_copy


def flops(model: nn.Module, batch: Batch) -> float:
    """Return the floating-point operations of one example's forward pass, as torch counts them.

    Source: White et al. 2022, A deeper look at zero-cost proxies for lightweight NAS.

    Args:
        model: the network.
        batch: gives the shape of an example.

    Example:
        >>> from archwise.evaluators.zero_cost.batch import random_batch
        >>> from archwise.signature import Signature
        >>> flops(nn.Linear(3, 2), random_batch(Signature((3,), 2, "table"), 4, seed=0))
        12.0
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        working_copy(model).eval()(batch.inputs[:1])
    return float(counter.get_total_flops())
