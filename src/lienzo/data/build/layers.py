"""What an OpenMoji drawing says beside its picture: each pixel's layer, and its place in the painter's order."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lienzo.data.build import render

CLASSES = ("background", "color", "hair", "skin", "skin-shadow", "line")
LONGEST_FIRST = ("skin-shadow", "color", "hair", "skin", "line")  # 'skin-shadow' also begins with 'skin'
NAMESPACE = "http://www.w3.org/2000/svg"
SHAPES = frozenset(("path", "circle", "line", "rect", "polyline", "polygon", "ellipse"))
OPACITIES = ("opacity", "fill-opacity", "stroke-opacity")
OVERSAMPLING = 4
Map = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Recoloured:
    """A drawing whose i-th shape has the flat colour i + 1, and the class of every shape (an index into CLASSES)."""

    svg: str
    classes: tuple[int, ...]


def class_of(group: str) -> int | None:
    """The class that a group's id names ('line-supplement', 'Skin-2', …); None if it names none.

    Names like 'line_1_' are not meant: a drawing program numbers its copies so, whatever they hold.
    """
    if re.search(r"_\d+_$", group):
        return None
    found = (name for name in LONGEST_FIRST if group.lower().startswith(name))
    name = next(found, None)
    return None if name is None else CLASSES.index(name)


def recolour(source: str) -> Recoloured:
    """Give every shape of an SVG one opaque colour that spells its place in the painter's order."""
    ET.register_namespace("", NAMESPACE)
    root = ET.fromstring(source)  # noqa: S314 - from a package whose hash was checked
    classes: list[int] = []
    _walk(root, CLASSES.index("color"), {}, classes)
    return Recoloured(ET.tostring(root, encoding="unicode"), tuple(classes))


def _walk(element: ET.Element, layer: int, inherited: Mapping[str, str], classes: list[int]) -> None:
    own = class_of(element.get("id", ""))
    layer = layer if own is None else own
    style = {**inherited, **_take_paint(element)}
    if element.tag.removeprefix(f"{{{NAMESPACE}}}") in SHAPES:
        classes.append(layer)
        colour = f"#{len(classes):06x}"
        for paint, default in (("fill", "black"), ("stroke", "none")):
            hidden = style.get(paint, default) == "none" or "0" in (style.get("opacity"), style.get(f"{paint}-opacity"))
            element.set(paint, "none" if hidden else colour)
    for child in element:
        _walk(child, layer, style, classes)


def _take_paint(element: ET.Element) -> dict[str, str]:
    """Take fill, stroke and opacity off an element, from its attributes and its `style` (which wins); return them."""
    names = ("fill", "stroke", *OPACITIES)
    pairs = (part.split(":", 1) for part in element.attrib.pop("style", "").split(";") if ":" in part)
    style = {name.strip(): value.strip() for name, value in pairs}
    taken = {name: element.attrib.pop(name) for name in names if name in element.attrib}
    taken |= {name: style.pop(name) for name in names if name in style}
    if style:
        element.set("style", ";".join(f"{name}:{value}" for name, value in style.items()))
    return taken


def maps(source: str, silhouette: npt.NDArray[np.bool_]) -> tuple[Map, Map]:
    """Segmentation and painter's order of one drawing, both 0 exactly outside of the silhouette.

    Shapes are drawn without antialiasing at 4 × 4 samples a pixel, which belongs to the shape that shows in most.
    Order: 1 is what was painted first; ranks are dense within the picture.
    """
    drawn = recolour(source)
    pixels = render.svg(drawn.svg, size=render.SIZE * OVERSAMPLING, crisp=True).astype(np.int32)
    shape = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    first = majority(np.where(pixels[..., 3] > 127, shape, 0), OVERSAMPLING)
    first = np.where(silhouette, fill(first, silhouette), 0).astype(np.int32)
    segmentation = np.asarray((0, *drawn.classes), np.int32)[first]
    return segmentation, rank(first)


def majority(samples: Map, side: int) -> Map:
    """The most frequent value above 0 of each side × side block, 0 where there is none; the greatest of equals."""
    height, width = samples.shape[0] // side, samples.shape[1] // side
    blocks = samples.reshape(height, side, width, side).swapaxes(1, 2).reshape(height, width, side * side)
    votes = (blocks[..., :, None] == blocks[..., None, :]).sum(-1) * (blocks > 0)
    most = votes.max(-1, keepdims=True)
    return np.where(votes == most, blocks, 0).max(-1)


def fill(values: Map, where: npt.NDArray[np.bool_]) -> Map:
    """Give the pixels of `where` that are 0 the greatest value of their neighbours, again and again until none is 0."""
    while bool((missing := where & (values == 0)).any()) and bool(values.any()):
        padded = np.pad(values, 1)
        height, width = values.shape
        shifts = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
        values = np.where(missing, np.max(shifts, axis=0), values)
    return values


def rank(values: Map) -> Map:
    """Dense ranks: 0 stays 0, the k-th smallest value above 0 becomes k."""
    present = np.unique(values[values > 0])
    return np.where(values > 0, np.searchsorted(present, values) + 1, 0).astype(np.int32)
