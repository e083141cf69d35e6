"""Snow that lies on things, and what falls in front of everything."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lienzo.data.scenes.sky import Canvas

S = TypeVar("S", bound=np.generic)
Alpha = NDArray[np.float32]
SNOW = np.array((252, 253, 255), np.float32)
SHADE = np.array((196, 212, 234), np.float32)  # of snow's lower edge
RAIN = np.array((206, 218, 234), np.float32)
LATTICE = 17  # knots of the thickness along a thing


def snow_on(alpha: Alpha, size: int, rng: np.random.Generator) -> tuple[Alpha, Canvas]:
    """Lay snow on the edges of a thing that face upwards.

    Args:
        alpha: of the thing, (H, W) in 0 … 1, with a free margin above it.
        size: side of the whole picture, which says how thick snow is.
        rng: makes it irregular.

    Returns:
        How much of each pixel it covers (H, W), and its colours (H, W, 3).
    """
    unit = size / 64
    thick = _thickness(alpha, unit, rng)
    cover, shade = np.zeros_like(alpha), np.zeros_like(alpha)
    above = max(1, round(unit))
    deepest = int(np.ceil(thick.max(initial=0)))
    for k in range(-above, deepest):
        # snow of thickness t fills t pixels below the edge, and a little heap above it
        share = np.clip(thick - k, 0, 1) if k >= 0 else np.clip(thick / (2.2 * unit) + 0.3 * k / above, 0, 0.85)
        share = _down(np.where(thick > 0, share, 0).astype(np.float32), k)
        lower = _down(np.clip((k + 1) / np.maximum(thick, 0.5), 0, 1).astype(np.float32), k)
        shade = np.where(share > cover, lower, shade)
        cover = np.maximum(cover, share)
    colours = SNOW + (SHADE - SNOW) * (np.clip(shade - 0.55, 0, 0.45)[:, :, None] * 1.6)
    return cover, colours.astype(np.float32)


def _thickness(alpha: Alpha, unit: float, rng: np.random.Generator) -> Alpha:
    """How thick snow lies on each upper edge, in pixels; 0 elsewhere."""
    solid = alpha > 0.5
    free = ~solid
    reach = max(2, round(3 * unit))
    edge = solid.copy()
    for k in range(1, reach + 1):
        edge &= _down(free, k, outside=True)
    level = _level(alpha, max(1, round(1.5 * unit)))
    knots = rng.uniform(0.55, 1.25, LATTICE)
    along = np.interp(np.linspace(0, LATTICE - 1, alpha.shape[1]), np.arange(LATTICE), knots)
    thick = rng.uniform(3.6, 5.2) * unit * along[None, :] * np.clip((level - 0.3) / 0.5, 0, 1)
    room = _under(solid, reach * 2) / 2  # a thin twig carries little
    return np.where(edge, np.minimum(thick, room + unit), 0).astype(np.float32)


def _level(alpha: Alpha, reach: int) -> Alpha:
    """How much each edge faces upwards, -1 … 1: the direction in which the blurred alpha falls."""
    soft = alpha
    for axis in (0, 1):
        total = soft.copy()
        for k in range(1, reach + 1):
            total += np.roll(soft, k, axis) + np.roll(soft, -k, axis)
        soft = total / (2 * reach + 1)
    fall_y, fall_x = np.gradient(soft)
    return fall_y / (np.hypot(fall_x, fall_y) + 1e-6)


def _under(solid: NDArray[np.bool_], most: int) -> Alpha:
    """How many solid pixels lie from each one downwards, `most` at most."""
    count = np.zeros(solid.shape, np.float32)
    whole = solid.copy()
    for k in range(most):
        whole &= _down(solid, -k)
        count += whole
    return count


def _down(array: NDArray[S], by: int, *, outside: bool = False) -> NDArray[S]:
    """Move rows down (up if negative); what comes in is `outside`."""
    if by == 0:
        return array
    moved = np.full_like(array, outside)
    if by > 0:
        moved[by:] = array[:-by]
    else:
        moved[:by] = array[-by:]
    return moved


def flakes(canvas: Canvas, rng: np.random.Generator) -> None:
    """Let snow fall: flakes of one or two pixels, near ones larger."""
    size = len(canvas)
    count = int(rng.integers(45, 110))
    x, y = rng.random(count), rng.random(count)
    wide = np.where(rng.random(count) < 0.28, 2, 1)
    glow = np.where(wide == 2, rng.uniform(0.75, 1, count), rng.uniform(0.55, 1, count)).astype(np.float32)
    unit = size / 64
    for dot in (1, 2):
        side, mine = max(1, round(dot * unit)), wide == dot
        _dots(canvas, (y[mine] * size).astype(int), (x[mine] * size).astype(int), side, glow[mine])


def _dots(canvas: Canvas, top: NDArray[np.int_], left: NDArray[np.int_], side: int, glow: NDArray[np.float32]) -> None:
    for dy in range(side):
        for dx in range(side):
            inside = (top + dy < len(canvas)) & (left + dx < len(canvas))
            at = top[inside] + dy, left[inside] + dx
            canvas[at] += (SNOW - canvas[at]) * glow[inside, None]


def streaks(canvas: Canvas, rng: np.random.Generator) -> None:
    """Let it rain: slanting streaks, all in one direction."""
    size = len(canvas)
    count, slant = int(rng.integers(36, 70)), rng.uniform(0.1, 0.45) * rng.choice((-1, 1))
    x, y = rng.uniform(-0.2, 1.2, count), rng.uniform(-0.1, 1, count)
    long, glow = rng.uniform(0.06, 0.13, count), rng.uniform(0.35, 0.7, count).astype(np.float32)
    steps = np.arange(0, max(1, round(0.13 * size)))
    down = (y[:, None] * size + steps).astype(int)
    across = np.floor(x[:, None] * size + steps * slant).astype(int)
    for dx in range(max(1, round(size / 80))):
        at = across + dx
        inside = (down >= 0) & (down < size) & (at >= 0) & (at < size) & (steps < long[:, None] * size)
        strength = np.broadcast_to(glow[:, None], down.shape)[inside]
        where = down[inside], at[inside]
        canvas[where] += (RAIN - canvas[where]) * strength[:, None]
