"""Layers that learn a difference of low rank beside weights that stay as they are."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn

Layer = nn.Linear | nn.Conv2d


class LowRank(nn.Module):
    r"""W x + B A x, with A of rank r and B, which starts at zero, the only weights that learn.

    "LoRA: Low-Rank Adaptation of Large Language Models" (Hu, 2021), eq. 3 with α = r; a kernel's A has the kernel's own
    size and stride, its B is 1 × 1.

    Args:
        base: a linear layer or a convolution, or one that has such a difference already.
        rank: r.
    """

    def __init__(self, base: nn.Module, rank: int) -> None:
        super().__init__()
        self.base, layer = base, _plain(base)
        if isinstance(layer, nn.Conv2d):
            size = (layer.kernel_size[0], layer.kernel_size[1])
            stride, padding = (layer.stride[0], layer.stride[1]), cast(tuple[int, int], layer.padding)
            self.down: nn.Module = nn.Conv2d(layer.in_channels, rank, size, stride, padding, bias=False)
            self.up: nn.Module = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        else:
            self.down = nn.Linear(layer.in_features, rank, bias=False)
            self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.zeros_(self.up.get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to what the layer takes."""
        return self.base(x) + self.up(self.down(x))

    @torch.no_grad()
    def merged(self) -> Layer:
        """Return one layer with the weights W + B A."""
        base = self.base.merged() if isinstance(self.base, LowRank) else self.base
        layer = copy.deepcopy(_plain(base))
        a, b = self.down.get_parameter("weight"), self.up.get_parameter("weight")
        layer.weight += (b.flatten(1) @ a.flatten(1)).view_as(layer.weight)
        return layer


def lower(module: nn.Module, rank: int) -> None:
    """Give every linear layer and convolution within a module a difference of low rank, if that is the smaller one."""
    for name, child in list(module.named_children()):
        if not isinstance(child, nn.Linear | nn.Conv2d | LowRank):
            lower(child, rank)
        elif _worth(_plain(child), rank):
            setattr(module, name, LowRank(child, rank))


def merge(module: nn.Module) -> None:
    """Put plain layers, which give the same results in fewer operations, in the place of all `LowRank` in a module."""
    for name, child in list(module.named_children()):
        if isinstance(child, LowRank):
            setattr(module, name, child.merged())
        else:
            merge(child)


def _plain(layer: nn.Module) -> Layer:
    while isinstance(layer, LowRank):
        layer = layer.base
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    return layer


def _worth(layer: Layer, rank: int) -> bool:
    outside, inside = layer.weight.flatten(1).shape
    return rank * (outside + inside) < outside * inside and getattr(layer, "groups", 1) == 1
