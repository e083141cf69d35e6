"""Critics: a number for every picture, and the residual blocks without normalisation that they are made of."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.base import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.heard import Heard, fitted, grids

SLOPE = 0.2  # of leaky rectifiers below zero
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps a leaky rectifier's second moment


def conv(inside: int, width: int, side: int, gain: float = 1.0, groups: int = 1, *, bias: bool = True) -> nn.Conv2d:
    """Return a convolution with weights N(0, gain² / fan-in); zeros where the gain is 0."""
    layer = nn.Conv2d(inside, width, side, padding=side // 2, groups=groups, bias=bias)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(inside // groups * side * side))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


@torch.no_grad()
def alike(weight: Tensor, fold: int) -> None:
    """Give the fold² channels that unfold into one square of pixels the same first weights: no chequers at the start.

    "Checkerboard artifact free sub-pixel convolution" (Aitken, 2017).
    """
    weight.copy_(weight[:: fold**2].repeat_interleave(fold**2, 0))


class FixupBlock(nn.Module):
    """x + C₃ a(C₂ a(C₁ x)): 1 × 1, 3 × 3, 1 × 1, with leaky rectifiers a and no normalisation.

    Instead of it the first weights are scaled by (number of blocks)^(-1/4), and the last ones start at zero, so that
    steps change what the network computes by as much as if it had one block.

    Args:
        width: channels of x.
        blocks: residual blocks of the whole network.
        expansion: inner channels per channel of x.
        group: channels a group of the 3 × 3 convolution; 0: one group, which CPUs compute best.

    "Fixup Initialization: Residual Learning Without Normalization" (Zhang, 2019); the bottleneck is that of "The GAN is
    dead; long live the GAN! A Modern GAN Baseline" (Huang, 2024).
    """

    def __init__(self, width: int, blocks: int, expansion: int = 1, group: int = 0) -> None:
        super().__init__()
        inner, gain = width * expansion, GAIN * blocks**-0.25
        groups = inner // group if group else 1
        if group and inner % group:
            raise ConfigurationError(f"{inner} channels cannot be put into groups of {group}")
        self.first, self.middle = conv(width, inner, 1, gain), conv(inner, inner, 3, gain, groups)
        self.last = conv(inner, width, 1, 0.0, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Refine x (B, width, H, W)."""
        h = F.leaky_relu(self.first(x), SLOPE)
        return x + self.last(F.leaky_relu(self.middle(h), SLOPE))


class Critic(nn.Module):
    """(B, C, H, W), channels → (B,): how real a picture is, given what is said of it.

    Residual blocks on ever smaller grids, a weighted sum over the last one's places, features φ; then with v what was
    heard, "projection": a·φ + φ·v / √D; "concatenation": a layer over (φ, v).

    Args:
        shape: (C, H, W) of a picture; H and W multiples of `fold`.
        sizes: widths of the condition channels.
        widths: channels of each level, from the largest grid to the smallest.
        depth: residual blocks a level.
        fold: pixels of a side that are folded into channels first.
        hears: how the critic hears vector and tokens; maps are put beside the picture.
        expansion, group: of `FixupBlock`.

    Raises:
        ConfigurationError: for sides that `fold` does not divide.

    "cGANs with Projection Discriminator" (Miyato & Koyama, 2018); "Conditional Generative Adversarial Nets" (Mirza &
    Osindero, 2014).
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        sizes: Sizes,
        widths: tuple[int, ...],
        depth: int = 1,
        fold: int = 2,
        hears: Literal["projection", "concatenation"] = "projection",
        expansion: int = 1,
        group: int = 0,
    ) -> None:
        super().__init__()
        if shape[1] % fold or shape[2] % fold:
            raise ConfigurationError(f"a side of {shape[1:]} is no multiple of {fold}", hint="another fold")
        last, blocks = widths[-1], depth * len(widths)
        self.fold, self.hears = fold, hears
        self.first = conv((shape[0] + sizes.maps) * fold**2, widths[0], 3)
        self.levels, self.shrink = nn.ModuleList(), nn.ModuleList()
        for number, width in enumerate(widths):
            self.levels.append(nn.Sequential(*(FixupBlock(width, blocks, expansion, group) for _ in range(depth))))
            if number + 1 < len(widths):
                self.shrink.append(conv(width, widths[number + 1], 1, bias=False))
        height, columns = grids(shape, fold, len(widths))[-1]
        self.places = nn.Parameter(torch.randn(last, height, columns) / math.sqrt(height * columns))
        self.features = nn.Linear(last, last)
        self.heard = Heard(sizes, last)
        joins = hears == "concatenation" and self.heard.width
        self.join = nn.Linear(2 * last, last) if joins else None
        self.head = nn.Linear(last, 1, bias=False)  # contests of differences would never move a bias

    def forward(self, x: Tensor, channels: Channels) -> Tensor:
        """Return the values (B,) of pictures x, float32."""
        if channels.maps is not None:
            x = torch.cat([x, fitted(channels.maps, (x.shape[2], x.shape[3])).to(x.dtype)], 1)
        h = self.first(F.pixel_unshuffle(x, self.fold).contiguous(memory_format=torch.channels_last))
        for number, level in enumerate(self.levels):
            h = level(h)
            if number < len(self.shrink):
                h = self.shrink[number](F.avg_pool2d(h, 2, ceil_mode=True))
        features = F.leaky_relu(self.features((h * self.places).sum((2, 3))), SLOPE)
        heard = self.heard(channels)
        if self.join is not None and heard is not None:
            features = F.leaky_relu(self.join(torch.cat([features, heard.to(features.dtype)], 1)), SLOPE)
        value = self.head(features).squeeze(1).float()
        if self.hears == "projection" and heard is not None:
            value = value + (features.float() * heard.float()).sum(1) / math.sqrt(heard.shape[1])
        return value
