"""Small parts that several backbones share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TimeEmbedding(nn.Module):
    """Sines and cosines of a number in [0, 1], then two layers ("Attention Is All You Need", Vaswani 2017).

    Args:
        width: of the result, D.
        frequencies: how many sines, and as many cosines; their periods run from 2π to 2π/1000.
    """

    def __init__(self, width: int, frequencies: int = 64) -> None:
        super().__init__()
        self.register_buffer("omega", torch.exp(torch.linspace(0, math.log(1000), frequencies)), persistent=False)
        self.layers = nn.Sequential(nn.Linear(2 * frequencies, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t: Tensor) -> Tensor:
        """Embed t (B,) as (B, D)."""
        angles = t.float()[:, None] * self.get_buffer("omega")
        return self.layers(torch.cat([angles.sin(), angles.cos()], 1))


class Attention(nn.Module):
    """Multi-head attention with normalised queries and keys, from x to itself or to `context`.

    Queries and keys of unit variance keep the logits bounded, so that training in bfloat16 cannot blow up
    ("Scaling Vision Transformers to 22 Billion Parameters", Dehghani 2023).

    Args:
        width: of x, D.
        heads: number of heads; D must be a multiple of it.
        context: width of what is attended to; None for self-attention.
    """

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.crossed = context is not None
        self.query = nn.Linear(width, width if self.crossed else 3 * width)
        self.key_value = nn.Linear(context, 2 * width) if context is not None else None
        self.query_scale = nn.Parameter(torch.ones(self.size))
        self.key_scale = nn.Parameter(torch.ones(self.size))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Attend from x (B, N, D); `mask` (B, L) is True where a key may be seen."""
        if self.key_value is None:
            q, k, v = self.query(x).unflatten(2, (3, self.heads, self.size)).permute(2, 0, 3, 1, 4).unbind(0)
        else:
            q = self.query(x).unflatten(2, (self.heads, self.size)).transpose(1, 2)
            k, v = self.key_value(context).unflatten(2, (2, self.heads, self.size)).permute(2, 0, 3, 1, 4).unbind(0)
        q = F.layer_norm(q, (self.size,), self.query_scale.to(q.dtype))
        k = F.layer_norm(k, (self.size,), self.key_scale.to(k.dtype))
        return self.out(attend(q, k, v, mask).transpose(1, 2).flatten(2))


SHORT = 512  # tokens up to which all their pairs are kept in memory


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Return softmax(q kᵀ / √d) v of (B, heads, N, d); `mask` (B, L) is True where a key may be seen.

    On a CPU torch's fused kernel is slow in bfloat16. Measured on a Zen 4 core, 128 × 3 heads of 49 tokens, forward
    and backward: the kernel 62 ms; in float32 23 ms, and 24 to 33 with conversions; plain products in bfloat16 13 ms.
    """
    seen = None if mask is None else mask[:, None, None, :]
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=seen)
    if v.dtype == torch.bfloat16 and k.shape[-2] <= SHORT:
        return _attend_plainly(q.to(v.dtype), k.to(v.dtype), v, seen)
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=seen).to(v.dtype)


def _attend_plainly(q: Tensor, k: Tensor, v: Tensor, seen: Tensor | None) -> Tensor:
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if seen is not None:
        scores = scores + torch.zeros_like(seen, dtype=scores.dtype).masked_fill_(~seen, -torch.inf)
    return scores.softmax(-1, dtype=scores.dtype) @ v


def positions_2d(rows: int, columns: int, width: int) -> Tensor:
    """Return fixed sine and cosine codes of a grid's places, (rows · columns, width)."""
    omega = 1 / 10_000 ** (torch.arange(width // 4) / (width // 4))
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angles = [place.flatten()[:, None] * omega for place in (y, x)]
    return torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], 1)
