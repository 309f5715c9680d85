"""Starting a network from a trained one's weights: what both share is carried over, the rest changes little."""

from __future__ import annotations

from typing import NamedTuple

import safetensors.torch
import torch
from torch import Tensor, nn

from archwise.evaluators.failures import TrainingError
from archwise.evaluators.flow import Flow
from archwise.evaluators.inheritance_walk import Walk
from archwise.evaluators.job import TrainingJob
from archwise.evaluators.network import build_network


class Inheritance(NamedTuple):
    """What a network got from another."""

    share: float
    """Share of its learnable numbers that came from there."""
    preserved: bool
    """Whether it computes the same function as the other one."""


def inherited_weights(job: TrainingJob, examples: Tensor) -> tuple[dict[str, Tensor], float]:
    """Return the weights that a job's training starts from, and the share of them that was inherited.

    Args:
        job: one with a source and a weights file to inherit from.
        examples: some inputs to learn from, on the CPU.

    Raises:
        TrainingError: the weights cannot be read, or are not those of the source's network.
    """
    parent = build_network(str(job.inherit_source), job.seed)
    try:
        parent.load_state_dict(safetensors.torch.load_file(str(job.inherit_weights)))
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        raise TrainingError(f"the weights to start from cannot be read: {error}") from error
    child = build_network(job.source, job.seed)
    found = inherit(child, parent, examples, job.seed)
    return child.state_dict(), found.share


def inherit(child: nn.Module, parent: nn.Module, examples: Tensor, seed: int = 0) -> Inheritance:
    """Give a network the weights of a trained one as far as they fit, so that it computes much the same from the start.

    Layers are matched by where they stand. The function is preserved in evaluation mode by these edits, and by several
    of them together:

    - wider layers, but where the widened value meets a layer normalisation, unless it is wider by a whole factor;
    - larger kernels;
    - a new layer followed by ReLU, where its input was not negative and it is no narrower, without layer normalisation;
    - a new batch normalisation, dropout, or residual block;
    - a new branch of a sum that ends in a layer with weights, or of a concatenation;
    - pooling mean and maximum where it was one of them.

    Every other edit (narrower, shorter, smaller kernels, another activation, a skip around a trained layer) keeps the
    weights of the layers that remain, cut to size. A layer of one's own that has weights keeps them where its tensors
    have the same sizes; all of them, if nothing before it changed.

    Source: Chen, Goodfellow & Shlens 2016, Net2Net: accelerating learning via knowledge transfer; Wei et al. 2016,
    Network morphism; Real et al. 2017, Large-scale evolution of image classifiers (keeping what fits).

    Args:
        child: the network that gets weights, on the CPU; what it does not inherit stays as it is.
        parent: the trained network, on the CPU.
        examples: inputs of the task; new normalisations undo themselves for these.
        seed: decides how copies of a unit share the weights that read it.

    Example:
        >>> narrow = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
        >>> deep = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> x = torch.randn(16, 4)
        >>> inherit(deep, narrow, x).preserved, torch.allclose(deep(x), narrow(x), atol=1e-5)
        (True, True)
    """
    modes = child.training, parent.training
    child.eval()
    parent.eval()
    with torch.no_grad():
        walk = Walk(child, parent, examples[:2], seed)
        out = walk.chain(child, parent, Flow.usual(examples.shape[1], examples.shape[1], exact=True))
        walk.settle(child, examples)
    child.train(modes[0])
    parent.train(modes[1])
    total = sum(parameter.numel() for parameter in child.parameters())
    same = out.exact and torch.equal(out.source, torch.arange(out.channels))
    return Inheritance(walk.inherited / max(1, total), same)
