"""A picture of any size at twice its size, part by part."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lienzo.core import ConfigurationError
from lienzo.editing import Canvas
from lienzo.editing.canvas import MOST as LARGEST
from lienzo.editing.canvas import with_colours
from lienzo.editing.region import as_tensor

MOST, AT_ONCE = 400, 16  # parts; of these, that are drawn together


def doubled(canvas: Canvas, shape: tuple[int, int, int], draw: Callable[[Tensor], Tensor]) -> Canvas:
    """Return a canvas of twice the size: parts overlap by half and are blended; then all block means are set right.

    Args:
        canvas: of any size.
        shape: (C, H, W) of the model's pictures.
        draw: (n, C, H/2, W/2) → (n, C, H, W).

    Raises:
        ConfigurationError: for a model of odd sides, or a picture of too many parts.
    """
    channels, high, wide = shape
    if high != wide or high % 2:
        raise ConfigurationError(f"the model's pictures are {wide} × {high}", hint="a model of even, equal sides")
    if 4 * canvas.size[0] * canvas.size[1] > LARGEST:
        what = f"twice {canvas.size[0]:,} × {canvas.size[1]:,} pixels; at most {LARGEST:,} in all are held in memory"
        raise ConfigurationError(what, hint="a part of it")
    part, pixels = high // 2, np.asarray(canvas.seen)
    tops, lefts = _starts(pixels.shape[0], part), _starts(pixels.shape[1], part)
    if len(tops) * len(lefts) > MOST:
        what = f"{canvas.size[0]:,} × {canvas.size[1]:,} pixels are {len(tops) * len(lefts):,} parts of {part} × {part}"
        side = (math.isqrt(MOST) + 1) * (part // 2)
        raise ConfigurationError(what, hint=f"at most {MOST}, e.g. {side} × {side} pixels: cut a part out of it first")
    padded = np.pad(
        pixels, ((0, max(0, part - pixels.shape[0])), (0, max(0, part - pixels.shape[1])), (0, 0)), mode="edge"
    )
    places = [(top, left) for top in tops for left in lefts]
    cut = [as_tensor(padded[t : t + part, u : u + part], (channels, part, part)) for t, u in places]
    parts = torch.cat([draw(torch.cat(cut[n : n + AT_ONCE])) for n in range(0, len(cut), AT_ONCE)])
    total, weights = (
        np.zeros((2 * padded.shape[0], 2 * padded.shape[1], 3)),
        np.zeros((2 * padded.shape[0], 2 * padded.shape[1], 1)),
    )
    ramp = np.minimum(np.arange(1, high + 1), np.arange(high, 0, -1)) / part
    window = (ramp[:, None] * ramp[None])[..., None]
    for (top, left), drawn in zip(places, parts, strict=True):
        own = ((drawn.cpu() + 1) * 127.5).permute(1, 2, 0).numpy()
        where = (slice(2 * top, 2 * top + high), slice(2 * left, 2 * left + wide))
        total[where] += window * (own if channels == 3 else own.repeat(3, 2))
        weights[where] += window
    large = (total / weights)[: 2 * pixels.shape[0], : 2 * pixels.shape[1]]
    colour = Image.fromarray(_agreeing(large, pixels.astype(np.float64)))
    alpha = None if canvas.alpha is None else canvas.alpha.resize(colour.size, Image.Resampling.BICUBIC)
    return with_colours(canvas, colour, alpha)


def _starts(length: int, part: int) -> list[int]:
    if length <= part:
        return [0]
    return sorted({*range(0, length - part, part // 2), length - part})


def _agreeing(large: NDArray[np.float64], low: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return large with block means as in low, in 8 bits; a block that would leave the range is flattened."""
    blocks = large.reshape(low.shape[0], 2, low.shape[1], 2, 3)
    around = blocks - blocks.mean((1, 3), keepdims=True)
    mean = low[:, None, :, None]
    room = np.where(around > 0, 255 - mean, mean) / np.maximum(np.abs(around), 1e-9)
    share = np.minimum(room.min((1, 3), keepdims=True), 1)
    return (mean + share * around).reshape(large.shape).round().astype(np.uint8)
