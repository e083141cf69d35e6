"""Up from a picture to coarse grids and down again in rungs, each of which draws some of the code."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.coders import Pointwise, convolution
from lienzo.networks.told import Ear

BOUND = 10.0  # of log-variances
POINTWISE = 2  # grids up to this side have nothing that a 3 × 3 convolution would see


class Cell(nn.Module):
    """A bottleneck of four convolutions, 1 × 1, 3 × 3, 3 × 3, 1 × 1, scaled and shifted in its middle by what is said.

    Args:
        inside: channels of x, a multiple of 8.
        outside: channels of the result.
        side: of the grid.
        vector: width of what is heard; 0 for nothing.
        gain: factor on the first weights of the last convolution.
        middle: channels between; half of the fewer of both where None.
    """

    def __init__(
        self, inside: int, outside: int, side: int, vector: int, gain: float = 1.0, middle: int | None = None
    ) -> None:
        super().__init__()
        middle, kernel = middle or max(8, min(inside, outside) // 2), 3 if side > POINTWISE else 1
        self.norm = normalised(inside, side)
        self.narrow = mixing(inside, middle, side)
        self.conv1 = seeing(middle, middle, side, kernel)
        self.conv2 = seeing(middle, middle, side, kernel)
        self.widen = mixing(middle, outside, side)
        self.hear = nn.Linear(vector, 2 * middle) if vector else None
        with torch.no_grad():
            self.widen.weight.mul_(gain)

    def forward(self, x: Tensor, vector: Tensor | None) -> Tensor:
        """Map x (B, inside, H, W) to (B, outside, H, W)."""
        h = self.conv1(F.silu(self.narrow(F.silu(self.norm(x)))))
        if self.hear is not None and vector is not None:
            scale, shift = self.hear(vector).to(h.dtype)[:, :, None, None].chunk(2, 1)
            h = torch.addcmul(shift, h, 1 + scale)
        return self.widen(F.silu(self.conv2(F.silu(h))))


class Rung(nn.Module):
    """Draw one group of the code, z = μ(h) + σ(h) ε, and take it into the state h.

    ε is N(0, I) by the prior, N(δ, e^r) by the posterior, which so says only how it differs from the prior: the
    residual normal distribution of NVAE. A direct way from the picture to them is learnt beside the cell, whose four
    layers let little through at first: dense ladders learn several times as fast by it.
    """

    def __init__(self, width: int, codes: int, side: int, vector: int, gain: float) -> None:
        super().__init__()
        self.codes, self.width = codes, width
        self.prior = Cell(width, 2 * codes + width, side, vector, gain=0.0)
        self.posterior = Cell(2 * width, 2 * codes, side, vector, middle=max(8, width // 2))
        self.direct = mixing(width, 2 * codes, side)
        self.take = mixing(codes, width, side)
        self.refine = Cell(width, width, side, vector, gain)

    def infer(self, h: Tensor, up: Tensor, vector: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return δ and r, each (B, codes, h, w), from the state and what the picture says on this grid."""
        both = self.posterior(torch.cat([h, up], 1), vector) + self.direct(up)
        delta, r = both.float().chunk(2, 1)
        return delta, bounded(r)

    def forward(self, h: Tensor, numbers: Tensor, vector: Tensor | None, temperature: float = 1.0) -> Tensor:
        """Return the state after z = μ + τ σ ε, ε (B, codes, h, w)."""
        both, more = self.prior(h, vector).split((2 * self.codes, self.width), 1)
        mean, log_variance = both.float().chunk(2, 1)
        z = mean + temperature * (0.5 * bounded(log_variance)).exp() * numbers
        h = h + more + self.take(z.to(h.dtype))
        return h + self.refine(h, vector)


@dataclass(frozen=True)
class Descent:
    """What a way down gave.

    Attributes:
        parameters: (B, parameters a pixel, H, W).
        numbers: ε of every rung, coarse to fine, each (B, codes, h, w).
        delta: δ of every rung; none where there was no picture.
        r: r of every rung; likewise.
    """

    parameters: Tensor
    numbers: list[Tensor]
    delta: list[Tensor]
    r: list[Tensor]


class Ladder(nn.Module):
    """The networks of a hierarchical VAE: cells on the way up, rungs on the way down, both sharing every grid.

    "NVAE" (Vahdat & Kautz, 2020) and "Very Deep VAEs" (Child, 2021). What keeps it stable: residual cells scaled by
    1/√(number of rungs), group normalisation, priors that start at N(0, I), log-variances bounded by a tanh. No step
    is skipped for its gradient's norm; spectral regularisation is a row of the family.

    Args:
        shape: (C, H, W) of a picture.
        parameters: channels of the result.
        sizes: widths of the condition channels.
        widths: channels of each level, from large grid to small, multiples of 8.
        groups: rungs of each level, in the same order.
        codes: channels of one rung's code.
        fold: pixels folded into channels; grids have sides H / fold, then half as much each, rounded up.
        depth: cells a level on the way up.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        parameters: int,
        sizes: Sizes,
        widths: tuple[int, ...],
        groups: tuple[int, ...],
        codes: int,
        fold: int = 2,
        depth: int = 1,
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        tiled = height % fold == 0 == columns % fold and all(width % 8 == 0 for width in widths)
        if not tiled or len(widths) != len(groups) or min(groups) < 1:
            raise ConfigurationError(
                f"widths {widths} and groups {groups} on {height} × {columns} with a fold of {fold}",
                hint="as many groups as widths, at least one each; widths must divide by 8, sides by the fold",
            )
        self.fold, self.depth = fold, depth
        self.grids = [(height // fold, columns // fold)]
        for _ in widths[1:]:
            self.grids.append((-(-self.grids[-1][0] // 2), -(-self.grids[-1][1] // 2)))
        self.levels = [level for level in reversed(range(len(widths))) for _ in range(groups[level])]
        self.code_shapes = [(codes, *self.grids[level]) for level in self.levels]
        vector, gain = (128 if sizes.vector or sizes.token else 0), 1 / math.sqrt(len(self.levels))
        sides, maps = [max(grid) for grid in self.grids], sizes.maps * fold**2
        self.ear = Ear(sizes, vector) if vector else None
        self.first = seeing(channels * fold**2 + maps, widths[0], sides[0])
        self.up = nn.ModuleList(
            Cell(width, width, side, vector, gain)
            for width, side in zip(widths, sides, strict=True)
            for _ in range(depth)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(widths))
        self.rungs = nn.ModuleList(Rung(widths[i], codes, sides[i], vector, gain) for i in self.levels)
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.see = nn.ModuleList(nn.Conv2d(maps, width, 1) for width in widths if maps)
        self.start = nn.ParameterList(torch.zeros(1, w, *g) for w, g in zip(widths, self.grids, strict=True))
        self.norm = normalised(widths[0], sides[0])
        self.last = seeing(widths[0], parameters * fold**2, sides[0])
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, noise: list[Tensor], channels: Channels) -> Descent:
        """Code x (B, C, H, W) with `noise` N(0, I) for every rung's posterior, and say what it says of pixels."""
        return self.descend(noise, channels, self.climb(x, channels))

    def climb(self, x: Tensor, channels: Channels) -> list[Tensor]:
        """Return what the picture says on every grid, large to small."""
        parts = [x] if channels.maps is None else [x, channels.maps.to(x.dtype)]
        h = self.first(F.pixel_unshuffle(torch.cat(parts, 1), self.fold).contiguous(memory_format=torch.channels_last))
        vector, said = self._vector(channels), list[Tensor]()
        for level, grid in enumerate(self.grids):
            if level:
                h = self.shrink[level - 1](F.adaptive_avg_pool2d(h, grid))
            for cell in list(self.up)[level * self.depth : (level + 1) * self.depth]:
                h = h + cell(h, vector)
            said.append(h)
        return said

    def descend(
        self, numbers: list[Tensor], channels: Channels, up: list[Tensor] | None = None, temperature: float = 1.0
    ) -> Descent:
        """Go down all rungs.

        Args:
            numbers: for every rung (B, codes, h, w): ε itself, or the noise of the posterior where there is a picture.
            channels: what is said.
            up: what `climb` returned, or None to draw without a picture.
            temperature: τ, the factor of every prior σ.
        """
        vector, taken, delta, r = self._vector(channels), list[Tensor](), list[Tensor](), list[Tensor]()
        h, before = numbers[0].new_zeros(()), -1
        for rung, level, number in zip(self.rungs, self.levels, numbers, strict=True):
            assert isinstance(rung, Rung)
            if level != before:
                h, before = self._enter(level, h, len(number), channels), level
            if up is not None:
                delta_i, r_i = rung.infer(h, up[level].to(h.dtype), vector)
                delta, r, number = [*delta, delta_i], [*r, r_i], delta_i + (0.5 * r_i).exp() * number  # noqa: PLW2901
            taken.append(number)
            h = rung(h, number, vector, temperature)
        parameters = F.pixel_shuffle(self.last(F.silu(self.norm(h))), self.fold)
        return Descent(parameters.contiguous(), taken, delta, r)

    def _enter(self, level: int, h: Tensor, count: int, channels: Channels) -> Tensor:
        """Return the state with which a level begins, from that of the level above."""
        start = self.start[level].expand(count, -1, -1, -1).contiguous(memory_format=torch.channels_last)
        if h.ndim:
            start = start + F.interpolate(self.grow[level](h), size=self.grids[level], mode="nearest")
        if channels.maps is not None:
            maps = F.pixel_unshuffle(channels.maps, self.fold)
            start = start + self.see[level](F.adaptive_avg_pool2d(maps, self.grids[level]))
        return start

    def _vector(self, channels: Channels) -> Tensor | None:
        return None if self.ear is None else self.ear(channels)


def seeing(inside: int, out: int, side: int, kernel: int = 3) -> nn.Conv2d:
    """Return a convolution that keeps the sides; on a grid of one place, where it sees that alone, a dense layer."""
    return convolution(inside, out, kernel if side > 1 else 1) if kernel > 1 else mixing(inside, out, side)


def mixing(inside: int, out: int, side: int) -> nn.Conv2d:
    """Return a layer of single places."""
    return nn.Conv2d(inside, out, 1) if side > 1 else Pointwise(inside, out)


def normalised(width: int, side: int) -> nn.GroupNorm:
    """Return a normalisation by groups of channels; on the smallest grids a group of few would lose what it holds."""
    return nn.GroupNorm(8 if side > POINTWISE else 1, width)


def bounded(log_variance: Tensor) -> Tensor:
    """Keep a log-variance within ±10, smoothly."""
    return BOUND * torch.tanh(log_variance / BOUND)
