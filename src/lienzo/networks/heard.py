"""What is said, as one vector: for networks that have no place for attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.base import Channels, Sizes


class Heard(nn.Module):
    """v = A vector + B mean(tokens), the mean over the tokens that the mask shows.

    Args:
        sizes: widths of the condition channels; a silent channel has no weights.
        width: of v, D. Where neither vector nor tokens are heard, `width` is 0 and there is no v.
    """

    def __init__(self, sizes: Sizes, width: int) -> None:
        super().__init__()
        self.vector = nn.Linear(sizes.vector, width, bias=False) if sizes.vector else None
        self.tokens = nn.Linear(sizes.token, width, bias=False) if sizes.token else None
        self.width = width if sizes.vector or sizes.token else 0

    def forward(self, channels: Channels) -> Tensor | None:
        """Return v (B, D) in float32 arithmetic outside of autocast; None where nothing can be said."""
        parts: list[Tensor] = []
        if self.vector is not None and channels.vector is not None:
            parts.append(self.vector(channels.vector.float()))
        if self.tokens is not None and channels.tokens is not None:
            parts.append(self.tokens(pooled(channels.tokens.float(), channels.mask)))
        return torch.stack(parts).sum(0) if parts else None


def pooled(tokens: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean (B, E) of tokens (B, L, E) over the places where the mask (B, L) is True."""
    if mask is None:
        return tokens.mean(1)
    seen = mask.to(tokens.dtype)[..., None]
    return (tokens * seen).sum(1) / seen.sum(1).clamp_min(1)


def fitted(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (B, K, H, W) at another size: averaged where it is smaller, interpolated where it is larger."""
    maps = maps.float()
    if maps.shape[2:] == torch.Size(size):
        return maps
    if size[0] <= maps.shape[2] and size[1] <= maps.shape[3]:
        return F.adaptive_avg_pool2d(maps, size)
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def grids(shape: tuple[int, int, int], fold: int, levels: int) -> list[tuple[int, int]]:
    """Return (h, w) of every level, from the largest, (H, W) / fold, to the smallest; odd sides are rounded up."""
    sizes = [(shape[1] // fold, shape[2] // fold)]
    for _ in range(levels - 1):
        sizes.append((math.ceil(sizes[-1][0] / 2), math.ceil(sizes[-1][1] / 2)))
    return sizes
