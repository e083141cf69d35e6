"""A scene → its pixels: the land, then the things from the farthest to the nearest, then what falls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lienzo.data.dataset import Bytes
from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.land import Skyline, landscape
from lienzo.data.scenes.layout import Layer, Scene, Sky
from lienzo.data.scenes.sky import Canvas, Colour
from lienzo.data.scenes.stage import Touched, place_of, thing_of
from lienzo.data.scenes.weather import Alpha, flakes, snow_on, streaks

LIGHT: dict[Sky, Colour] = {
    "day": (1, 1, 1), "sunset": (1.0, 0.93, 0.88), "overcast": (0.97, 0.98, 1), "grey": (0.86, 0.88, 0.92),
    "night": (0.74, 0.77, 0.92),
}  # fmt: skip
"""What things are multiplied with under each sky."""
HAZE: Colour = (214, 222, 232)  # which falling snow lays over what is far
SHADOW, ON_SNOW = np.array((20, 24, 40), np.float32), np.array((112, 136, 182), np.float32)


@dataclass(frozen=True)
class Drawing:
    """A scene's picture, and where things are in it.

    Attributes:
        pixels: (S, S, 3) uint8.
        skyline: where sky and ground meet.
        touched: each thing's depth → the pixels that it has a part in: itself, its snow, its shadow, (S, S).
    """

    pixels: Bytes
    skyline: Skyline
    touched: Mapping[int, Touched]


def drawn(scene: Scene, cast: Cast, size: int) -> Drawing:
    """Draw a scene.

    Args:
        scene: what it shows.
        cast: has its things.
        size: side in pixels; the scene is the same at any.
    """
    rng = np.random.default_rng(scene.seed)
    shape = skyline_of(scene.like, size) if scene.like is not None else None
    canvas, skyline = landscape(scene, size, rng, shape)
    touched = {layer.depth: np.zeros((size, size), bool) for layer in scene.layers}
    for layer in reversed(scene.layers):
        _shadow(canvas, scene, layer, touched[layer.depth])
        _stand(canvas, scene, layer, cast, np.random.default_rng((scene.seed, layer.depth)), touched[layer.depth])
    if scene.weather == "snow":
        flakes(canvas, rng)
    elif scene.weather == "rain":
        streaks(canvas, rng)
    return Drawing((np.clip(canvas, 0, 255) + 0.5).astype(np.uint8), skyline, touched)


def skyline_of(scene: Scene, size: int) -> Skyline:
    """Return where a scene's sky and ground meet."""
    if scene.like is not None:
        return skyline_of(scene.like, size)
    return landscape(scene, size, np.random.default_rng(scene.seed))[1]


def _shadow(canvas: Canvas, scene: Scene, layer: Layer, touched: Touched) -> None:
    """Lay a soft flat shadow under a thing."""
    size = len(canvas)
    left, _, right, bottom = layer.box
    half, flat = (right - left) * 0.5, 0.035 + (right - left) * 0.05
    at = (np.arange(size, dtype=np.float32) + 0.5) / size
    first = max(0, int((bottom - 2 * flat) * size))
    y, x = (at[first:] - bottom + 0.008) / flat, (at - (left + right) / 2) / half
    dark = np.clip(1.25 - np.hypot(x[None, :], y[:, None]), 0, 1)[:, :, None]
    snowy = scene.ground == "snow"
    touched[first:] |= dark[:, :, 0] > 0
    part = canvas[first:]
    part += ((ON_SNOW if snowy else SHADOW) - part) * (dark * (0.5 if snowy else 0.4))


def _stand(canvas: Canvas, scene: Scene, layer: Layer, cast: Cast, rng: np.random.Generator, touched: Touched) -> None:
    """Put a thing in its place, in the light of the sky, and snow on it if it snows."""
    size = len(canvas)
    weather, sky = layer.under or (scene.weather, scene.sky)
    left, bottom, wide, high = place_of(layer, size)
    margin = max(2, size // 16)
    thing = np.zeros((high + margin, wide + 2 * margin, 4), np.float32)
    thing[margin:, margin : margin + wide] = thing_of(layer, cast, wide, high)
    alpha: Alpha = thing[:, :, 3] * np.float32(1 / 255)
    colour: Canvas = thing[:, :, :3] * np.array(LIGHT[sky], np.float32)
    if weather == "snow":
        colour += (np.array(HAZE, np.float32) - colour) * (0.04 + 0.1 * layer.depth)
        cover, snow = snow_on(alpha, size, rng)
        _drift(cover, alpha, size, rng)
        if sky == "night":
            snow = snow * np.array((0.86, 0.9, 1), np.float32)
        colour += (snow - colour) * np.where(alpha > 0, cover, 1)[:, :, None]
        alpha = np.maximum(alpha, cover)
    _blend(canvas, colour, alpha, bottom - high - margin, left - margin, touched)


def _drift(cover: Alpha, alpha: Alpha, size: int, rng: np.random.Generator) -> None:
    """Let a thing sink a little into the snow: its lowest pixels are hidden."""
    unit = size / 64
    knots = rng.uniform(0.6, 2.4, 7) * unit
    high = np.interp(np.linspace(0, 6, cover.shape[1]), np.arange(7), knots)
    up = len(cover) - np.arange(len(cover))
    sunk = np.clip(high[None, :] - up[:, None] + 1, 0, 1).astype(np.float32) * (alpha > 0)
    np.maximum(cover, sunk, out=cover)


def _blend(canvas: Canvas, colour: Canvas, alpha: Alpha, top: int, left: int, touched: Touched) -> None:
    """Lay a picture on the canvas; what lies outside of it is cut off."""
    size, (high, wide) = len(canvas), alpha.shape
    y0, y1, x0, x1 = max(0, top), min(size, top + high), max(0, left), min(size, left + wide)
    if y0 >= y1 or x0 >= x1:
        return
    part = canvas[y0:y1, x0:x1]
    inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    part += (colour[inside] - part) * alpha[inside][:, :, None]
    touched[y0:y1, x0:x1] |= alpha[inside] > 0
