"""Where a scene's things lie in its picture, and how each looks there: what the picture and all maps share."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.data.dataset import Bytes
from lienzo.data.pixels import LANCZOS
from lienzo.data.scenes.body import body
from lienzo.data.scenes.cast import HUES, Cast
from lienzo.data.scenes.figures import Figure
from lienzo.data.scenes.layout import Layer

T = TypeVar("T", bound=np.generic)
Touched = NDArray[np.bool_]
KEPT = 512  # things that are remembered at the size at which they were last drawn
SOLID = 128  # the alpha from which a pixel belongs to a thing


def place_of(layer: Layer, size: int) -> tuple[int, int, int, int]:
    """Return a thing's left edge, its lower edge, its width and its height, in pixels."""
    left, top, right, bottom = (round(value * size) for value in layer.box)
    return left, bottom, max(1, right - left), max(1, bottom - top)


def thing_of(layer: Layer, cast: Cast, wide: int, high: int) -> Bytes:
    """Return a thing's picture at the size that it has in the scene, (H, W, 4) uint8; not to be written on."""
    return _fitted(cast, layer.row, layer.figure, layer.tint, wide, high)


@lru_cache(maxsize=KEPT)
def _fitted(cast: Cast, row: int, figure: Figure | None, tint: str, wide: int, high: int) -> Bytes:
    picture = cast.cut_out(row)
    if figure is not None:
        return np.asarray(body(figure, picture, wide, high))
    return np.asarray((_painted(picture, tint) if tint else picture).resize((wide, high), LANCZOS))


def _painted(picture: Image.Image, tint: str) -> Image.Image:
    """Give a picture one hue: what was grey or white takes some of it, what was dark stays dark."""
    hsv = np.array(picture.convert("RGB").convert("HSV"))
    hsv[:, :, 0] = HUES[tint]
    hsv[:, :, 1] = 140 + hsv[:, :, 1].astype(np.uint16) * 115 // 255
    rgb = Image.fromarray(hsv, "HSV").convert("RGB")
    rgb.putalpha(picture.getchannel("A"))
    return rgb


def ids_of(layers: tuple[Layer, ...], cast: Cast, ground: Touched) -> Bytes:
    """Number what is seen in every pixel: 0 sky, 1 ground, then the things, from 2 for the first layer.

    Args:
        layers: of the scene, the nearest first.
        cast: has its things.
        ground: where the ground would be seen without them, (S, S).
    """
    size = len(ground)
    ids = ground.astype(np.uint8)
    for number, layer in reversed(list(enumerate(layers, start=2))):
        part, inside, picture = _on(ids, layer, cast, size)
        part[picture[inside][:, :, 3] >= SOLID] = number
    return ids


def flat_of(layers: tuple[Layer, ...], cast: Cast, size: int) -> NDArray[np.float32]:
    """Draw the things alone, in their own colours, on grey, (S, S, 3)."""
    canvas = np.full((size, size, 3), 128, np.float32)
    for layer in reversed(layers):
        part, inside, picture = _on(canvas, layer, cast, size)
        shown = picture[inside].astype(np.float32)
        part += (shown[:, :, :3] - part) * (shown[:, :, 3:] / 255)
    return canvas


def _on(canvas: NDArray[T], layer: Layer, cast: Cast, size: int) -> tuple[NDArray[T], tuple[slice, slice], Bytes]:
    """Return the part of a canvas that a thing lies on, the part of the thing that lies on it, and the thing."""
    left, bottom, wide, high = place_of(layer, size)
    top = bottom - high
    y0, y1, x0, x1 = max(0, top), min(size, bottom), max(0, left), min(size, left + wide)
    inside = slice(y0 - top, max(y0, y1) - top), slice(x0 - left, max(x0, x1) - left)
    return canvas[y0:y1, x0:x1], inside, thing_of(layer, cast, wide, high)
