"""How one layer gets its weights from a trained one, of another size or in another place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from archwise.evaluators.flow import Flow

TINY = 1e-8
"""What a new branch is multiplied with: as good as nothing, and yet every weight of it has a gradient."""
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def is_affine(layer: nn.Module) -> bool:
    """Whether a layer is a linear one, or a convolution that mixes all channels."""
    return type(layer) is nn.Linear or (isinstance(layer, CONVOLUTIONS) and layer.groups == 1)


def is_depthwise(layer: nn.Module) -> bool:
    """Whether a layer is a convolution of each channel by itself."""
    return isinstance(layer, CONVOLUTIONS) and layer.groups == layer.in_channels == layer.out_channels


def is_group_norm(layer: nn.Module) -> bool:
    """Whether a layer normalises all channels of an example together."""
    return (type(layer) is nn.LayerNorm and len(layer.normalized_shape) == 1) or (
        type(layer) is nn.GroupNorm and layer.num_groups == 1
    )


def is_channel_norm(layer: nn.Module) -> bool:
    """Whether a layer is a normalisation with a weight for each channel."""
    return isinstance(layer, NORMS) or is_group_norm(layer)


@torch.no_grad()
def widen(child: nn.Module, parent: nn.Module, flow: Flow, generator: torch.Generator) -> Flow:
    """Give a linear layer or convolution the weights of another of any width and kernel.

    New output channels are copies of old ones; where the input has copies, the weights that read them are parts of the
    old ones, parted at random so that copies learn different things. Larger kernels are zero around the old one,
    smaller ones its middle.

    Source: Chen, Goodfellow & Shlens 2016, Net2Net: accelerating learning via knowledge transfer.

    Args:
        child: the layer that gets weights.
        parent: the trained one, of the same class.
        flow: how their inputs are related.
        generator: draws the parts.

    Returns:
        How their outputs are related.
    """
    weight, old = child.get_parameter("weight"), parent.get_parameter("weight")
    whole, fits = _fitted_kernel(child, parent, old)
    out = Flow.usual(weight.shape[0], old.shape[0], flow.exact and flow.complete and fits)
    rows = whole[out.source]
    known = flow.source >= 0
    parted = rows[:, flow.source.clamp_min(0)] * _over(_parts(len(out.source), flow, generator), rows)
    parted[:, ~known] = 0.0
    weight.copy_(parted)
    bias, old_bias = getattr(child, "bias", None), getattr(parent, "bias", None)
    if bias is not None:
        bias.copy_(torch.zeros_like(bias) if old_bias is None else old_bias[out.source])
    return out if bias is not None or old_bias is None else out.inexact()


def insert_affine(layer: nn.Module, flow: Flow, generator: torch.Generator) -> Flow:
    """Make a new linear layer or convolution one that changes nothing; where its stride forbids that, leave it fresh.

    Source: Chen, Goodfellow & Shlens 2016 (Net2DeeperNet).
    """
    weight = layer.get_parameter("weight")
    out = Flow.usual(weight.shape[0], flow.channels, flow.exact, flow.nonnegative)
    middle = _middle(layer)
    if middle is None:
        return out.inexact()
    same = (out.source[:, None] == flow.source[None, :]).float()
    with torch.no_grad():
        weight.zero_()
        index: Any = (slice(None), slice(None), *middle)
        weight[index] = same * _parts(len(out.source), flow, generator)
        if getattr(layer, "bias", None) is not None:
            layer.get_parameter("bias").zero_()
    return out if bool((same.sum(1) > 0).all()) else out.inexact()


@torch.no_grad()
def keep_channels(child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
    """Give a layer that treats channels one by one (a normalisation, a depthwise convolution) a trained one's weights.

    Channels that are new keep their own.
    """
    fits = getattr(child, "eps", None) == getattr(parent, "eps", None)
    known = flow.source >= 0
    old = dict(parent.state_dict())
    for name, value in child.state_dict().items():
        if name not in old:
            fits = False
        elif value.dim() == 0:
            value.copy_(old[name])
        else:
            given = old[name]
            if name == "weight" and isinstance(child, CONVOLUTIONS):
                given, same = _fitted_kernel(child, parent, given)
                fits = fits and same
            value[known] = given[flow.source[known]]
    balanced = not is_group_norm(child) or len(torch.unique(torch.bincount(flow.source[known]))) == 1
    fits = fits and bool(known.all()) and balanced and (not is_group_norm(child) or flow.complete)
    return replace(flow, exact=flow.exact and fits and child.state_dict().keys() >= old.keys(), nonnegative=False)


@torch.no_grad()
def insert_depthwise(layer: nn.Module, flow: Flow) -> Flow:
    """Make a new depthwise convolution one that changes nothing, if its stride allows."""
    middle = _middle(layer)
    if middle is None:
        return flow.inexact()
    weight = layer.get_parameter("weight")
    weight.zero_()
    index: Any = (slice(None), slice(None), *middle)
    weight[index] = 1.0
    if getattr(layer, "bias", None) is not None:
        layer.get_parameter("bias").zero_()
    return flow


@torch.no_grad()
def insert_norm(layer: nn.Module, mean: Tensor | float = 0.0, variance: Tensor | float = 1.0) -> bool:
    """Make a new batch normalisation undo itself, for inputs of a mean and variance; whether it can."""
    if not (isinstance(layer, NORMS) and layer.affine and layer.track_running_stats):
        return False
    mean, variance = torch.as_tensor(mean), torch.as_tensor(variance)
    layer.get_buffer("running_mean").copy_(mean)
    layer.get_buffer("running_var").copy_(variance)
    layer.weight.copy_((variance + layer.eps).sqrt())
    layer.bias.copy_(mean)
    return True


@torch.no_grad()
def silence(layer: nn.Module) -> bool:
    """Multiply what a layer returns with next to nothing; whether that is known how to do."""
    if not (is_affine(layer) or is_depthwise(layer) or isinstance(layer, NORMS) or is_group_norm(layer)):
        return False
    if getattr(layer, "weight", None) is None:
        return False
    layer.get_parameter("weight").mul_(TINY)
    if getattr(layer, "bias", None) is not None:
        layer.get_parameter("bias").zero_()
    return True


@torch.no_grad()
def keep_overlap(child: nn.Module, parent: nn.Module) -> tuple[bool, int]:
    """Give a layer of any kind what its tensors and those of a trained one have in common.

    Returns:
        Whether both are the same layer with the same weights now, and how many learnable numbers were copied.
    """
    old = dict(parent.state_dict())
    learnable = dict(child.named_parameters())
    same, count = repr(child) == repr(parent) and child.state_dict().keys() == old.keys(), 0
    for name, value in child.state_dict().items():
        if name not in old or value.dim() != old[name].dim():
            same = False
            continue
        same = same and value.shape == old[name].shape
        common = tuple(slice(min(sizes)) for sizes in zip(value.shape, old[name].shape, strict=True))
        value[common] = old[name][common]
        count += value[common].numel() if name in learnable else 0
    return same, count


def _parts(rows: int, flow: Flow, generator: torch.Generator) -> Tensor:
    """Return which part of an old weight each input channel gets, for each output: copies' parts sum to one."""
    copies = torch.bincount(flow.source[flow.source >= 0], minlength=flow.channels)
    drawn = 0.5 + torch.rand(rows, len(flow.source), generator=generator, dtype=torch.float64)
    source = flow.source.clamp_min(0).expand(rows, -1)
    sums = torch.zeros(rows, flow.channels, dtype=torch.float64).scatter_add_(1, source, drawn * (flow.source >= 0))
    parts = drawn / sums.gather(1, source).clamp_min(1e-12)
    return torch.where(copies[source] > 1, parts, torch.ones_like(parts)).float()


def _over(parts: Tensor, weight: Tensor) -> Tensor:
    return parts.reshape(*parts.shape, *[1] * (weight.dim() - 2))


def _fitted_kernel(child: Any, parent: Any, weight: Tensor) -> tuple[Tensor, bool]:
    """Return a convolution's weights with the kernel's size of another, and whether both then do the same."""
    if not isinstance(child, CONVOLUTIONS):
        return weight, True
    fits = all(getattr(child, name) == getattr(parent, name) for name in ("stride", "dilation", "padding_mode"))
    by_name = isinstance(child.padding, str) or isinstance(parent.padding, str)
    if by_name:
        fits = fits and child.padding == parent.padding
    for axis, (new, old) in enumerate(zip(child.kernel_size, parent.kernel_size, strict=True)):
        before = abs(new - old) // 2
        fits = fits and new >= old and (new - old) % 2 == 0
        fits = fits and (by_name or int(child.padding[axis]) - int(parent.padding[axis]) == before)
        if new < old:
            weight = weight.narrow(axis + 2, before, new)
        elif new > old:
            larger = weight.new_zeros([*weight.shape[: axis + 2], new, *weight.shape[axis + 3 :]])
            larger.narrow(axis + 2, before, old).copy_(weight)
            weight = larger
    return weight, fits


def _middle(layer: Any) -> tuple[int, ...] | None:
    """Return the place in a kernel that looks at the position itself; None where positions change."""
    if not isinstance(layer, CONVOLUTIONS):
        return ()
    if any(stride != 1 for stride in layer.stride) or isinstance(layer.padding, str):
        return None
    if any(size != 2 * padding + 1 for size, padding in zip(layer.kernel_size, layer.padding, strict=True)):
        return None
    return tuple(int(padding) for padding in layer.padding)
