"""What zero-cost proxies share: a copy of the network to work on, and what of it counts as weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from archwise.evaluators.zero_cost.batch import Batch

DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
NORMS = (
    *BATCH_NORMS, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d
)  # fmt: skip
LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def working_copy(model: nn.Module) -> nn.Module:
    """Return a copy as it trains, with the statistics of the batch, but without dropout.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).eval()
        >>> copied = working_copy(model)
        >>> copied.training, copied[1].training, model.training
        (True, False, False)
    """
    copied = copy.deepcopy(model).train()
    for module in copied.modules():
        if isinstance(module, DROPOUT):
            module.eval()
    return copied


def weights(model: nn.Module) -> list[Tensor]:
    """Return the matrices and kernels that learn; biases and the scales of normalisations are left out."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad and parameter.ndim >= 2]


def weight_gradients(model: nn.Module, batch: Batch, create_graph: bool = False) -> list[tuple[Tensor, Tensor]]:
    """Return each weight that the loss depends on, with the gradient of the loss.

    Args:
        model: a working copy.
        batch: the examples.
        create_graph: whether the gradients can be differentiated themselves.
    """
    loss = batch.loss(model(batch.inputs), batch.targets)
    learning = weights(model)
    if not learning:
        return []
    gradients = torch.autograd.grad(loss, learning, create_graph=create_graph, allow_unused=True)
    return [(weight, g) for weight, g in zip(learning, gradients, strict=True) if g is not None]
