"""The common layers as parts of search spaces."""

from __future__ import annotations

from archwise.layers import basic
from archwise.spaces.layer_types import layer
from archwise.spaces.nodes import Chain, Part

conv = layer(basic.conv)
same_conv = layer(basic.same_conv)
depthwise_conv = layer(basic.depthwise_conv)
expand = layer(basic.expand)
dense = layer(basic.dense)
batch_norm = layer(basic.batch_norm)
layer_norm = layer(basic.layer_norm)
activation = layer(basic.activation, pure=True)
dropout = layer(basic.dropout)
max_pool = layer(basic.max_pool, pure=True)
avg_pool = layer(basic.avg_pool, pure=True)
smooth = layer(basic.smooth, pure=True)
flatten = layer(basic.flatten, pure=True)
global_pool = layer(basic.GlobalPool, name="global_pool", pure=True)
squeeze_excitation = layer(basic.SqueezeExcitation, name="squeeze_excitation")
head = layer(basic.head)


def relu() -> Part:
    """The rectified linear unit."""
    return activation("relu")


def conv_norm(width: Part, kernel: Part, act: Part = "relu", stride: Part = 1, name: str | None = None) -> Chain:
    """A convolution, batch normalisation and an activation."""
    return Chain(conv(width, kernel, stride), batch_norm(), activation(act), name=name)
