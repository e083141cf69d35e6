"""Generators: a picture for every draw of z, in one call."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.base import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.critics import FixupBlock, alike, conv
from lienzo.networks.heard import Heard, fitted, grids


class Generator(nn.Module):
    """z (B, Z), channels → (B, C, H, W): residual blocks without normalisation on ever larger grids.

    What is said is put beside z; maps are brought to every level's grid and added there after a 1 × 1 convolution,
    which is the same as putting them beside the level's channels.

    Args:
        shape: (C, H, W) of a picture; H and W multiples of `fold`.
        sizes: widths of the condition channels.
        latent: Z.
        widths: channels of each level, from the largest grid to the smallest, as for the critic.
        depth: residual blocks a level.
        fold: the last layer unfolds channels into fold × fold pixels.
        expansion, group: of `FixupBlock`.

    Raises:
        ConfigurationError: for sides that `fold` does not divide.

    "The GAN is dead; long live the GAN! A Modern GAN Baseline" (Huang, 2024).
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        sizes: Sizes,
        latent: int,
        widths: tuple[int, ...],
        depth: int = 1,
        fold: int = 2,
        expansion: int = 1,
        group: int = 0,
    ) -> None:
        super().__init__()
        if shape[1] % fold or shape[2] % fold:
            raise ConfigurationError(f"a side of {shape[1:]} is no multiple of {fold}", hint="another fold")
        upwards, self.fold = widths[::-1], fold
        self.grids = grids(shape, fold, len(widths))[::-1]
        height, columns = self.grids[0]
        self.heard = Heard(sizes, latent)
        inside = latent + self.heard.width
        self.first = nn.Linear(inside, upwards[0] * height * columns)
        nn.init.normal_(self.first.weight, std=1 / math.sqrt(inside))
        self.levels, self.grow, self.see = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        blocks = depth * len(widths)
        for number, width in enumerate(upwards):
            if number:
                self.grow.append(conv(upwards[number - 1], width, 1, bias=False))
            if sizes.maps:
                self.see.append(conv(sizes.maps, width, 1))
            self.levels.append(nn.Sequential(*(FixupBlock(width, blocks, expansion, group) for _ in range(depth))))
        self.last = conv(widths[0], shape[0] * fold**2, 3)
        alike(self.last.weight, fold)

    def forward(self, z: Tensor, channels: Channels) -> Tensor:
        """Return pictures (B, C, H, W), float32; nothing but training keeps them in [-1, 1]."""
        heard = self.heard(channels)
        z = z if heard is None else torch.cat([z, heard.to(z.dtype)], 1)
        h = self.first(z).unflatten(1, (-1, *self.grids[0])).contiguous(memory_format=torch.channels_last)
        for number, level in enumerate(self.levels):
            if number:
                h = F.interpolate(self.grow[number - 1](h), self.grids[number], mode="bilinear", align_corners=False)
            if len(self.see) and channels.maps is not None:
                h = h + self.see[number](fitted(channels.maps, self.grids[number]))
            h = level(h)
        return F.pixel_shuffle(self.last(h), self.fold).contiguous().float()
