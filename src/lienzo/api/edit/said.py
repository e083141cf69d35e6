"""Maps that are said of a picture, cut to the part of it that the model looks at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.api.edit.asked import Asked
from lienzo.conditions import Bus, MapCondition
from lienzo.conditions.image import as_pil
from lienzo.conditions.reading import class_numbers, light_lines, map_read, upright
from lienzo.core import ConditionError
from lienzo.editing import Region


def over_region(asked: Asked, bus: Bus, region: Region, size: tuple[int, int]) -> Asked:
    """Return the same with maps' files as what they show of the region's frame, (H, W[, C]) uint8; all else as it is.

    Args:
        asked: for what; `said` may name maps.
        bus: of the model.
        region: that it looks at.
        size: width and height of the picture.

    Raises:
        ConditionError: for a map of other proportions than the picture, or of the wrong kind.
    """
    named = {name: condition for name in asked.said if name in bus.names and (condition := bus[name])}
    cut = {
        name: _cut(name, asked.said[name], condition, region, size) for name, condition in named.items()
        if isinstance(condition, MapCondition) and isinstance(asked.said[name], str | Path)
    }  # fmt: skip
    return replace(asked, said={**asked.said, **cut}) if cut else asked


def _cut(name: str, file: str | Path, condition: MapCondition, region: Region, size: tuple[int, int]) -> Any:
    image = upright(as_pil(file if isinstance(file, Path) else Path(file).expanduser()))
    wide, high = size
    if abs(image.width * high - image.height * wide) > max(wide, high, *image.size):
        what = f"the map {name} is {image.width} × {image.height}, the picture {wide} × {high}"
        raise ConditionError(what, hint="one of the picture's own size, or of the same proportions")
    pixels = _pixels(image, condition)
    if pixels is None:
        return file  # the condition says why not
    if image.size != size:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))
    left, top, right, bottom = region.box
    part = pixels[top:bottom, left:right]
    gaps = [(0, length - own) for length, own in zip(region.frame[::-1], part.shape, strict=False)]
    return np.pad(part, [*gaps, *[(0, 0)] * (part.ndim - 2)], mode="edge")


def _pixels(image: Image.Image, condition: MapCondition) -> NDArray[np.uint8] | None:
    if condition.map_kind == "segmentation":
        classes = class_numbers(image)
        return classes.astype(np.uint8) if classes is not None and classes.max() < condition.channels else None
    pixels = np.array(map_read(image, condition.map_kind, condition.channels), np.uint8)
    return light_lines(pixels) if condition.map_kind == "edges" else pixels
