"""The sky of a scene: its colours, the sun, the moon, stars, clouds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lienzo.data.scenes.layout import Scene, Sky

Canvas = NDArray[np.float32]  # (S, S, 3) in 0 … 255
Colour = tuple[float, float, float]
SKIES: dict[Sky, tuple[tuple[Colour, Colour], ...]] = {  # at the top, at the horizon
    "day": (((84, 160, 232), (196, 228, 250)), ((110, 186, 240), (220, 240, 250)), ((60, 136, 214), (170, 214, 246))),
    "sunset": (((92, 84, 150), (252, 172, 104)), ((196, 96, 110), (254, 208, 130)), ((70, 90, 160), (250, 150, 140))),
    "overcast": (((158, 168, 182), (206, 212, 220)), ((174, 180, 188), (214, 218, 224))),
    "grey": (((96, 106, 120), (150, 158, 168)), ((110, 118, 128), (164, 170, 176))),
    "night": (((10, 16, 46), (38, 52, 104)), ((6, 10, 30), (30, 38, 78)), ((20, 18, 56), (62, 56, 112))),
}


def heaven(scene: Scene, rows: NDArray[np.float32], rng: np.random.Generator) -> Canvas:
    """Paint a whole picture as sky.

    Args:
        scene: says which sky, and where the horizon is.
        rows: the height of every row, from 0 at the top to 1, (S,).
        rng: chooses shades and shapes.
    """
    top, low = SKIES[scene.sky][rng.integers(len(SKIES[scene.sky]))]
    column = mixed(top, low, np.clip(rows / np.float32(scene.horizon), 0, 1))
    canvas = np.repeat(column[:, None, :], len(rows), axis=1)
    if scene.sky == "night":
        _stars(canvas, scene.horizon, rng)
    elif scene.sky in ("day", "sunset"):
        _sun_and_clouds(canvas, scene, rng)
    return canvas


def mixed(first: Colour, last: Colour, share: NDArray[np.float32]) -> Canvas:
    """Blend two colours, (N, 3)."""
    a, b = np.array(first, np.float32), np.array(last, np.float32)
    return (a + (b - a) * share[:, None]).astype(np.float32)


def _stars(canvas: Canvas, horizon: float, rng: np.random.Generator) -> None:
    size = len(canvas)
    count = int(rng.integers(18, 46))
    x, y, glow = rng.random(count), rng.random(count) * horizon, rng.uniform(0.35, 1, count).astype(np.float32)
    dot = max(1, round(size / 64))
    for dy in range(dot):
        for dx in range(dot):
            at = np.minimum((y * size).astype(int) + dy, size - 1), np.minimum((x * size).astype(int) + dx, size - 1)
            canvas[at] += (np.array((255, 250, 225), np.float32) - canvas[at]) * glow[:, None]
    x0, y0, radius = rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.2), rng.uniform(0.045, 0.08)
    _disc(canvas, x0, y0, radius, (250, 244, 214), 1.0)


def _sun_and_clouds(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    low = scene.sky == "sunset"
    if low or rng.random() < 0.4:
        y = scene.horizon - rng.uniform(0.02, 0.12) if low else rng.uniform(0.06, 0.18)
        _disc(canvas, rng.uniform(0.08, 0.92), y, rng.uniform(0.06, 0.09), (255, 232, 150), 0.95)
    for _ in range(int(rng.integers(0, 4))):
        x, y, wide = rng.uniform(0, 1), rng.uniform(0.05, 0.32), rng.uniform(0.08, 0.16)
        for shift in (-0.7, 0.0, 0.7):
            up = 0.25 * wide if shift == 0 else 0
            colour = (255, 214, 190) if low else (255, 255, 255)
            _disc(canvas, x + shift * wide, y - up, wide * 0.55, colour, 0.75, flat=0.55)


def _disc(
    canvas: Canvas, x: float, y: float, radius: float, colour: Colour, strength: float, flat: float = 1.0
) -> None:
    """Paint an ellipse with a soft edge, as wide as twice `radius` and `flat` times as high."""
    size = len(canvas)
    left, right = max(0, int((x - radius) * size) - 1), min(size, int((x + radius) * size) + 2)
    top, bottom = max(0, int((y - radius) * size) - 1), min(size, int((y + radius) * size) + 2)
    if left >= right or top >= bottom:
        return
    at_x = (np.arange(left, right, dtype=np.float32) + 0.5) / size - x
    at_y = ((np.arange(top, bottom, dtype=np.float32) + 0.5) / size - y) / flat
    away = np.hypot(at_x[None, :], at_y[:, None])
    share = np.clip((radius - away) * size * flat + 0.5, 0, 1)[:, :, None] * strength
    part = canvas[top:bottom, left:right]
    part += (np.array(colour, np.float32) - part) * share.astype(np.float32)
