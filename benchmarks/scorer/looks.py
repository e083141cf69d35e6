"""Transparent pictures as they might be drawn: moved, turned, on any paper, a little blurred, noisy, off in colour."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lienzo.data.background import papers


def uniform(count, low, high, generator):
    return low + (high - low) * torch.rand(count, generator=generator)


def moved(x: Tensor, g: torch.Generator) -> Tensor:
    """Scale by 0.85 to 1.12, turn by up to 8°, shift by up to 5 pixels; x (B, 4, 64, 64), colours times alpha."""
    n = len(x)
    size, turn = 1 / uniform(n, 0.85, 1.12, g), uniform(n, -8, 8, g) * math.pi / 180
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = size * turn.cos()
    theta[:, 0, 1], theta[:, 1, 0] = -size * turn.sin(), size * turn.sin()
    theta[:, :, 2] = uniform((n, 2), -5 / 32, 5 / 32, g)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def on_paper(x: Tensor, g: torch.Generator) -> Tensor:
    """Half on white, an eighth on nearly black, the rest on any colour; → (B, 3, 64, 64) in [0, 1]."""
    _, paper = papers("mixed", torch.rand(len(x), 4, generator=g))
    return x[:, :3] + (1 - x[:, 3:]) * paper[:, :, None, None]


def worn(x: Tensor, g: torch.Generator) -> Tensor:
    """Blur a third of the batch to 24 to 56 pixels, add noise to a third, shift the colours of all."""
    n = len(x)
    third = n // 3
    side = int(torch.randint(24, 57, (), generator=g))
    soft = F.interpolate(x[:third], (side, side), mode="bilinear", antialias=True, align_corners=False)
    soft = F.interpolate(soft, x.shape[2:], mode="bilinear", align_corners=False)
    x = torch.cat([soft, x[third:]])
    sigma = uniform((third, 1, 1, 1), 0, 0.08, g)
    x[third // 2 : third // 2 + third] += sigma * torch.randn((third, *x.shape[1:]), generator=g)
    grey = x.mean(1, keepdim=True)
    x = torch.lerp(grey, x, uniform(n, 0.7, 1.2, g)[:, None, None, None])
    contrast, light = (uniform((n, 1, 1, 1), low, high, g) for low, high in ((0.85, 1.15), (-0.08, 0.08)))
    return ((x - 0.5) * contrast + 0.5 + light).clamp(0, 1)


def premultiplied(pictures: Tensor) -> Tensor:
    """(B, H, W, 4) uint8 → (B, 4, H, W) in [0, 1], colours times alpha."""
    x = pictures.permute(0, 3, 1, 2).float() / 255
    return torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], 1)


def varied(pictures: Tensor, g: torch.Generator) -> Tensor:
    """(B, 64, 64, 4) uint8 → training pictures (B, 3, 64, 64) in [-1, 1], in another order."""
    order = torch.randperm(len(pictures), generator=g)  # whose first third is blurred
    x = worn(on_paper(moved(premultiplied(pictures[order]), g), g), g) * 2 - 1
    return x[order.argsort()]


def plain(pictures: Tensor) -> Tensor:
    """(B, 64, 64, 4) uint8 → pictures on white, (B, 3, 64, 64) in [-1, 1]."""
    x = premultiplied(pictures)
    return (x[:, :3] + 1 - x[:, 3:]) * 2 - 1


def blurred(x: Tensor, side: int = 32) -> Tensor:
    """The same pictures at `side` pixels, brought back to 64."""
    small = F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, x.shape[2:], mode="bilinear", align_corners=False)
