"""A generator that is told at every layer what to draw: mapping, modulated convolutions, noise, filtered resampling."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.base import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.critics import GAIN, SLOPE, alike, conv
from lienzo.networks.heard import Heard, fitted, grids


class SlowLinear(nn.Module):
    """A linear layer whose weights are stored large and used small, so that a step changes them `rate` times as much.

    Args:
        inside, width: numbers in and out.
        rate: weights are N(0, 1 / rate²) and used times rate / √inside.
    """

    def __init__(self, inside: int, width: int, rate: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, inside) / rate)
        self.bias = nn.Parameter(torch.zeros(width))
        self.rate, self.scale = rate, rate / math.sqrt(inside)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inside) to (B, width)."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class Mapping(nn.Module):
    """z (B, Z), channels → w (B, D): z of unit length and what is said, also of unit length, through a few layers.

    Args:
        sizes: widths of the condition channels.
        latent: Z.
        width: D.
        layers: how many.
        rate: how much more slowly it learns than the rest.

    "A Style-Based Generator Architecture for Generative Adversarial Networks" (Karras, 2019).
    """

    def __init__(self, sizes: Sizes, latent: int, width: int, layers: int = 2, rate: float = 0.1) -> None:
        super().__init__()
        self.heard = Heard(sizes, width)
        insides = [latent + self.heard.width] + [width] * (layers - 1)
        self.layers = nn.ModuleList(SlowLinear(inside, width, rate) for inside in insides)

    def forward(self, z: Tensor, channels: Channels) -> Tensor:
        """Return w, float32."""
        heard = self.heard(channels)
        parts = [z] if heard is None else [z, heard.to(z.dtype)]
        h = torch.cat([_unit(part) for part in parts], 1)
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE) * GAIN
        return h.float()


def _unit(x: Tensor) -> Tensor:
    """Return rows with a mean square of 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class ModulatedConv(nn.Module):
    r"""y_o = d_o Σ_i W_oi * (s_i x_i) with styles s = A w + 1 and d_o = (Σ_i,k (s_i W_oik)²)^(-1/2).

    If x has independent entries of unit variance, so has y, whatever the styles: that is what normalising would do, as
    a property of the weights. Scaling x and y instead of W is the same and lets a batch share one convolution.

    Args:
        inside, width: channels of x and y.
        style: D, the width of w.
        side: of the kernel.
        demodulate: whether d is used; without it d = 1.

    "Analyzing and Improving the Image Quality of StyleGAN" (Karras, 2020).
    """

    def __init__(self, inside: int, width: int, style: int, side: int = 3, *, demodulate: bool = True) -> None:
        super().__init__()
        self.style = nn.Linear(style, inside)
        nn.init.normal_(self.style.weight, std=1 / math.sqrt(style))
        nn.init.ones_(self.style.bias)
        self.weight = nn.Parameter(torch.randn(width, inside, side, side) / math.sqrt(inside * side * side))
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x (B, inside, H, W) with styles from w (B, D) to (B, width, H, W)."""
        s = self.style(w)
        y = F.conv2d(x * s[:, :, None, None].to(x.dtype), self.weight, padding=self.weight.shape[2] // 2)
        if not self.demodulate:
            return y
        d = (s.float().square() @ self.weight.float().square().sum((2, 3)).T + 1e-8).rsqrt()
        return y * d[:, :, None, None].to(y.dtype)


class StyleLayer(nn.Module):
    """A modulated convolution, noise of a learnt strength, a bias, a leaky rectifier.

    Args:
        inside, width, style: of `ModulatedConv`.
        maps: K, the maps that are heard here.
    """

    def __init__(self, inside: int, width: int, style: int, maps: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(inside, width, style)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(width))
        self.see = conv(maps, width, 1, bias=False) if maps else None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor, maps: Tensor | None) -> Tensor:
        """Return (B, width, H, W); `noise` is (B, 1, H, W)."""
        y = self.conv(x, w) + self.bias[:, None, None] + self.strength * noise
        if self.see is not None and maps is not None:
            y = y + self.see(fitted(maps, (y.shape[2], y.shape[3])))
        return F.leaky_relu(y, SLOPE) * GAIN


class Synthesis(nn.Module):
    """Styles w (B, L, D), noise (B, N), channels → pictures (B, C, H, W).

    A learnt grid, then one layer on the smallest grid and two on every larger one; each grid's picture is added to the
    enlarged picture of the grids before it.

    Args:
        shape: (C, H, W) of a picture; H and W multiples of `fold`.
        sizes: widths of the condition channels; maps are heard here, all else by the mapping.
        style: D.
        widths: channels of each level, from the largest grid to the smallest.
        fold: pixels of a side that the last grid's channels unfold into.

    Attributes:
        styles: L, how many layers are told.
        level_of: the number of the grid, from the smallest, of each of them.
        noise: N, numbers of noise a picture.

    Raises:
        ConfigurationError: for sides that `fold` does not divide.
    """

    def __init__(self, shape: tuple[int, int, int], sizes: Sizes, style: int, widths: tuple[int, ...],
                 fold: int = 2) -> None:  # fmt: skip
        super().__init__()
        if shape[1] % fold or shape[2] % fold:
            raise ConfigurationError(f"a side of {shape[1:]} is no multiple of {fold}", hint="another fold")
        self.fold, self.grids, upwards = fold, grids(shape, fold, len(widths))[::-1], widths[::-1]
        self.begin = nn.Parameter(torch.randn(upwards[0], *self.grids[0]))
        self.layers, self.show = nn.ModuleList(), nn.ModuleList()
        self.level_of: list[int] = []
        inside = upwards[0]
        for level, width in enumerate(upwards):
            for _ in range(2 if level else 1):
                self.layers.append(StyleLayer(inside, width, style, sizes.maps))
                self.level_of.append(level)
                inside = width
            show = ModulatedConv(width, shape[0] * fold**2, style, 1, demodulate=False)
            alike(show.weight, fold)
            self.show.append(show)
        self.bias = nn.Parameter(torch.zeros(shape[0] * fold**2, 1, 1))
        self.styles = len(self.level_of)
        self._counts = [math.prod(self.grids[level]) for level in self.level_of]
        self.noise = sum(self._counts)

    def forward(self, w: Tensor, noise: Tensor, channels: Channels) -> Tensor:
        """Return pictures, float32; nothing but training keeps them in [-1, 1]."""
        x = self.begin.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        picture = self.bias.expand(len(w), -1, *self.grids[0])
        each = noise.split(self._counts, 1)
        for number, (level, layer) in enumerate(zip(self.level_of, self.layers, strict=True)):
            first = number > 0 and level != self.level_of[number - 1]
            if first:
                x, picture = enlarged(x, self.grids[level]), enlarged(picture, self.grids[level])
            x = layer(x, w[:, number], each[number].view(-1, 1, *self.grids[level]), channels.maps)
            if number + 1 == self.styles or level != self.level_of[number + 1]:
                picture = picture + self.show[level](x, w[:, number])
        return F.pixel_shuffle(picture, self.fold).contiguous().float()


def enlarged(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return x (B, C, h, w) at twice its size, cut to `size`: zeros between, then the filter (1, 3, 3, 1) / 4 each way.

    The filter is (1, 1) * (1, 2, 1) / 4: nearest neighbours, then a small convolution of every channel on its own.
    """
    x = F.pad(F.interpolate(x, scale_factor=2.0, mode="nearest"), (1, 1, 1, 1), mode="replicate")
    tap = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (tap[:, None] * tap).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, groups=x.shape[1])[:, :, : size[0], : size[1]]
