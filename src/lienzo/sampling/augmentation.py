"""Changes that a critic sees pictures through, so that a small set is not learnt by heart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lienzo.core import Streams

SHIFT = 0.125  # of a side, at most
HOLE = 0.5  # of a side
LUMA = (0.299, 0.587, 0.114)


def augmented(x: Tensor, streams: Streams, probability: Tensor | float) -> Tensor:
    """Return pictures, each changed in each way with a probability; differentiable with respect to x.

    Mirrored; moved by up to an eighth of a side, reflected at the border; brighter by N(0, 0.2²); with 2^N(0, ½²) times
    the contrast; with 2^N(0, 1) times the saturation, where there is colour; with a square hole of half a side, grey.
    The same changes are made to real and to drawn pictures, so that undoing them is no part of the task: they do not
    leak into what is drawn as long as the probability stays below about 0.8.

    Args:
        x: (B, C, H, W) in [-1, 1].
        streams: B rows; every row has changes of its own.
        probability: p in [0, 1]; 0 gives x itself, bit for bit.

    "Training Generative Adversarial Networks with Limited Data" (Karras, 2020): ADA.
    """
    x = _moved(x, streams.child("move"), probability)
    x = _coloured(x, streams.child("colour"), probability)
    return _holed(x, streams.child("hole"), probability)


def _moved(x: Tensor, streams: Streams, p: Tensor | float) -> Tensor:
    """Mirror and shift in one look-up; indices outside are reflected."""
    batch, channels, height, width = x.shape
    chance, where = streams.uniform(2), streams.uniform(3)
    flip = (chance[:, 0] < p) & (where[:, 0] < 0.5)
    amount = torch.stack([_shift(where[:, 1], height), _shift(where[:, 2], width)], 1)
    amount = torch.where((chance[:, 1] < p)[:, None], amount, 0)
    rows = _reflected(torch.arange(height, device=x.device) + amount[:, :1], height)
    columns = _reflected(torch.arange(width, device=x.device) + amount[:, 1:], width)
    columns = torch.where(flip[:, None], width - 1 - columns, columns)
    index = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)[:, None].expand(-1, channels, -1)
    return x.flatten(2).gather(2, index).view(batch, channels, height, width)


def _shift(u: Tensor, side: int) -> Tensor:
    most = int(SHIFT * side)
    return (u * (2 * most + 1)).long().clamp(max=2 * most) - most


def _reflected(index: Tensor, side: int) -> Tensor:
    index = index.abs()
    return torch.where(index >= side, 2 * side - 2 - index, index)


def _coloured(x: Tensor, streams: Streams, p: Tensor | float) -> Tensor:
    chosen, amount = streams.uniform(3) < p, streams.normal(3)

    def pick(column: int, value: Tensor) -> Tensor:
        return torch.where(chosen[:, column], value, torch.full_like(value, float(column > 0)))[:, None, None, None]

    brightness, contrast = pick(0, 0.2 * amount[:, 0]), pick(1, (0.5 * math.log(2) * amount[:, 1]).exp())
    x = (x + brightness) * contrast
    if x.shape[1] != 3:
        return x
    luma = (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return torch.where(chosen[:, 2, None, None, None], luma + (x - luma) * pick(2, amount[:, 2].exp2()), x)


def _holed(x: Tensor, streams: Streams, p: Tensor | float) -> Tensor:
    chosen, centre = streams.uniform(1)[:, 0] < p, streams.uniform(2)
    inside = chosen[:, None, None]
    for axis, side in enumerate(x.shape[2:]):
        place = (torch.arange(side, device=x.device) + 0.5) / side
        near = (place - centre[:, axis : axis + 1]).abs() < HOLE / 2
        inside = inside & (near[:, :, None] if axis == 0 else near[:, None, :])
    return x.masked_fill(inside[:, None], 0.0)
