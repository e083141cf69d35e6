"""Edges of a picture, one pixel wide: the line art that can be had of any picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Lines = NDArray[np.bool_]
Shades = NDArray[np.float32]
FLAT, STEEP = np.tan(np.pi / 8), np.tan(3 * np.pi / 8)  # slopes between which a gradient is diagonal


def edges(pixels: NDArray[np.generic], *, low: float, high: float) -> Lines:
    """Find edges: where the strongest channel changes most along its gradient, followed from strong to weak ones.

    "A computational approach to edge detection" (Canny, 1986), on Sobel's gradient of every channel.

    Args:
        pixels: (H, W, C) in 0 … 255, smoothed as wanted.
        low: the change, in values a pixel, from which an edge is followed.
        high: the change from which one begins.

    Returns:
        (H, W) bool.
    """
    across, down = _gradient(np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32))
    size = np.hypot(across, down)
    thin = _ridges(size, across, down)
    return _followed(thin & (size >= low), thin & (size >= high))


def grown(mask: Lines, by: int = 1) -> Lines:
    """Widen a mask by `by` pixels, corners included."""
    for _ in range(by):
        upright = mask.copy()
        upright[1:] |= mask[:-1]
        upright[:-1] |= mask[1:]
        mask = upright.copy()
        mask[:, 1:] |= upright[:, :-1]
        mask[:, :-1] |= upright[:, 1:]
    return mask


def _gradient(planes: Shades) -> tuple[Shades, Shades]:
    """Sobel's gradient of (C, H, W), in each pixel that of the channel that changes most; (H, W) each."""
    p = np.pad(planes, ((0, 0), (1, 1), (1, 1)), "edge")
    upright = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    level = p[:, :, :-2] + 2 * p[:, :, 1:-1] + p[:, :, 2:]
    across = (upright[:, :, 2:] - upright[:, :, :-2]) / 8
    down = (level[:, 2:] - level[:, :-2]) / 8
    most, sizes = (across[0], down[0]), across**2 + down**2
    for one, other, size in zip(across[1:], down[1:], sizes[1:], strict=True):
        more = size > sizes[0]
        most = np.where(more, one, most[0]), np.where(more, other, most[1])
        np.maximum(sizes[0], size, out=sizes[0])
    return most


def _ridges(size: Shades, across: Shades, down: Shades) -> Lines:
    """Where the gradient is larger than on either side of it."""
    p = np.pad(size, 1)
    high, wide = size.shape
    flat, steep = np.abs(down) < FLAT * np.abs(across), np.abs(down) > STEEP * np.abs(across)
    falling = (across > 0) == (down > 0)
    ways = ((flat, (0, 1)), (steep, (1, 0)), (~flat & ~steep & falling, (1, 1)), (~flat & ~steep & ~falling, (1, -1)))
    found = np.zeros(size.shape, bool)
    for mine, (dy, dx) in ways:
        after = p[1 + dy : 1 + dy + high, 1 + dx : 1 + dx + wide]
        before = p[1 - dy : 1 - dy + high, 1 - dx : 1 - dx + wide]
        found |= mine & (size > before) & (size >= after)
    return found


def _followed(weak: Lines, strong: Lines) -> Lines:
    """Keep the weak edges that hang together with a strong one."""
    count = -1
    while count != (now := np.count_nonzero(strong)):
        count, strong = now, strong | (grown(strong) & weak)
    return strong
