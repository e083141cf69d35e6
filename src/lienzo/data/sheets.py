"""Pictures with all their maps, side by side, and what the colours of a segmentation mean."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lienzo.data.catalog import GAP, LINE, captions_of, cut, shown
from lienzo.data.dataset import Column, Dataset
from lienzo.data.scenes.groups import COLOURS

PICTURE = "picture"
FIRST = ("image", "mask")  # what stands left of the picture: what it was made of
PAPER, SPARE = (238, 238, 238), (220, 220, 220)  # under all, and where a row has no map
WIDEST = 1800  # pixels of a sheet
Palette = NDArray[np.uint8]
Indices = Sequence[int] | NDArray[np.int64]


def map_sheet(dataset: Dataset, indices: Indices) -> Image.Image:
    """Draw pictures with their maps: one line each, under its caption, in as many blocks as make the sheet square.

    Args:
        dataset: where they are from; its asides are drawn too.
        indices: which.
    """
    maps = {name: column for name, column in {**dataset.columns, **dataset.asides}.items() if column.kind == "map"}
    names = [*(n for n in FIRST if n in maps), PICTURE, *(n for n in maps if n not in FIRST)]
    size, block = dataset.shape[0], len(names) * (dataset.shape[0] + GAP) + 2 * GAP
    high = size + LINE + GAP
    blocks = max(1, min(math.ceil(math.sqrt(len(indices) * high / block)), WIDEST // block or 1))
    lines = math.ceil(len(indices) / blocks)
    legends = {name: column.classes for name, column in maps.items() if column.classes}
    paper = Image.new("RGB", (blocks * block, LINE + GAP + lines * high + (LINE + GAP) * len(legends)), PAPER)
    draw = ImageDraw.Draw(paper)
    for left in range(0, paper.width, block):
        for number, name in enumerate(names):
            draw.text((left + GAP + number * (size + GAP), 0), cut(name, size, draw), "black")
    captions = captions_of(dataset, indices)
    tiles = {name: _tiles(dataset, name, maps.get(name), indices) for name in names}
    for row in range(len(indices)):
        left, top = row // lines * block + GAP, LINE + GAP + row % lines * high
        for number, name in enumerate(names):
            paper.paste(tiles[name][row], (left + number * (size + GAP), top))
        draw.text((left, top + size), cut(captions[row], block - 2 * GAP, draw), "black")
    for number, (name, classes) in enumerate(legends.items()):
        _legend(draw, f"{name}:", classes, paper.height - (number + 1) * (LINE + GAP))
    return paper


def palette_of(column: Column) -> Palette:
    """Return a colour for every class of a segmentation, (classes, 3); named ones of scenes have fixed colours."""
    if column.classes:
        return np.array([COLOURS.get(name, _spread(i)) for i, name in enumerate(column.classes)], np.uint8)
    return np.array([_spread(number) for number in range(max(column.channels, 1))], np.uint8)


def _spread(number: int) -> tuple[int, int, int]:
    """Colours far from one another: golden steps around the circle of hues; the first is dark."""
    if number == 0:
        return (40, 40, 48)
    r, g, b = colorsys.hsv_to_rgb((0.1 + number * 0.618034) % 1, 0.65, 0.95)
    return round(255 * r), round(255 * g), round(255 * b)


def _tiles(dataset: Dataset, name: str, column: Column | None, indices: Indices) -> list[Image.Image]:
    if column is None:
        return [shown(pixels) for pixels in dataset.pictures(indices)]
    spare = Image.new("RGB", (dataset.shape[1], dataset.shape[0]), SPARE)
    return [spare if value is None else _tile(value, column) for value in dataset.values(name, indices)]


def _tile(value: NDArray[np.uint8], column: Column) -> Image.Image:
    if column.map_kind == "segmentation" and value.shape[2] == 1:
        palette = palette_of(column)
        return Image.fromarray(palette[np.minimum(value[:, :, 0], len(palette) - 1)])
    return shown(value)


def _legend(draw: ImageDraw.ImageDraw, title: str, classes: Sequence[str], top: int) -> None:
    draw.text((GAP, top), title, "black")
    left = 2 * GAP + draw.textlength(title)
    for name, colour in zip(classes, palette_of(Column("map", tuple(classes))).tolist(), strict=True):
        draw.rectangle((left, top + 1, left + LINE - 2, top + LINE - 1), tuple(colour), "black")
        draw.text((left + LINE + 1, top), name, "black")
        left += LINE + 3 * GAP + draw.textlength(name)
