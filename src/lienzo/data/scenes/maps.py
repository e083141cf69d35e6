"""What is where in a scene: segmentation, instances, depth and line art.

Segmentation says what things are, whatever lies on them: a house under snow is a building. So the same map can be asked
for in any weather.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lienzo.data.dataset import Bytes
from lienzo.data.edges import edges, grown
from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.groups import GROUND, PERSON, SKY, group_of
from lienzo.data.scenes.land import Skyline
from lienzo.data.scenes.layout import Layer, Scene
from lienzo.data.scenes.stage import flat_of, ids_of

MOST = 4  # things in a scene
FARTHEST = 40.0  # scene units: the ground at the horizon, and what lies far away
LOW, HIGH = 12.0, 26.0  # changes of colour that are traced inside a thing
RIDGE = 0.045  # share of the picture by which hills must rise above the ground to be traced


def instances(scene: Scene, cast: Cast, skyline: Skyline) -> Bytes:
    """Number what is seen in every pixel: 0 sky, 1 ground, then the things, from 2 for the nearest; (S, S)."""
    return ids_of(scene.layers, cast, _rows(skyline)[:, None] >= np.minimum(skyline.far, skyline.line)[None, :])


def segmentation(scene: Scene, cast: Cast, ids: Bytes) -> Bytes:
    """Turn instances into class numbers of `GROUPS`, (S, S)."""
    classes = [SKY, GROUND, *(_class(layer, cast) for layer in scene.layers)]
    return np.array(classes, np.uint8)[ids]


def nearness(scene: Scene, ids: Bytes, skyline: Skyline) -> NDArray[np.float32]:
    """Return 1 / z, (S, S): 0 in the sky, 1 on the ground at the picture's lower edge.

    On a plane that is seen from above, 1 / z falls evenly from the lower edge to the horizon: with v the height of a
    pixel in the picture and h that of the horizon below it, 1 / z = (v - h) / (1 - h). A thing has its foot's z all
    over, since it stands upright.

    Args:
        scene: says where things stand.
        ids: as `instances` gives them.
        skyline: where the horizon is.
    """
    rows, line = _rows(skyline), skyline.line
    plane = np.maximum((rows[:, None] - line) / (1 - line), 1 / FARTHEST).astype(np.float32)
    feet = [0.0, 0.0, *(_foot(layer, skyline) for layer in scene.layers)]
    found = np.array(feet, np.float32)[ids]
    return np.where(ids == 1, plane, found)


def depth(near: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn nearness into z, in scene units: the distance to the ground at the picture's lower edge; ∞ in the sky."""
    with np.errstate(divide="ignore"):
        return (1 / near).astype(np.float32)


def lines(scene: Scene, cast: Cast, ids: Bytes, skyline: Skyline) -> Bytes:
    """Trace the outlines of things, what is drawn inside them, and the horizon: 255 on 0, one pixel wide, (S, S)."""
    outline = _outline(ids)
    inside = edges(flat_of(scene.layers, cast, len(ids)), low=LOW, high=HIGH) & (ids >= 2)
    traced = outline | (inside & ~grown(outline)) | (_horizon(scene, skyline) & (ids < 2) & ~grown(ids >= 2))
    return traced.astype(np.uint8) * 255


def _class(layer: Layer, cast: Cast) -> int:
    return PERSON if layer.figure else group_of(cast.subgroups[layer.row], cast.captions[layer.row][0])


def _foot(layer: Layer, skyline: Skyline) -> float:
    left, _, right, bottom = layer.box
    size = len(skyline.line)
    line = float(skyline.line[min(size - 1, int((left + right) / 2 * size))])
    return max((min(bottom, 1) - line) / (1 - line), 1 / FARTHEST)


def _rows(skyline: Skyline) -> NDArray[np.float32]:
    size = len(skyline.line)
    return ((np.arange(size) + 0.5) / size).astype(np.float32)


def _outline(ids: Bytes) -> NDArray[np.bool_]:
    """The outermost pixels of every thing, where it borders on what is farther away."""
    found = np.zeros(ids.shape, bool)
    for axis in (0, 1):
        first, second = (ids[:-1], ids[1:]) if axis == 0 else (ids[:, :-1], ids[:, 1:])
        one, other = (found[:-1], found[1:]) if axis == 0 else (found[:, :-1], found[:, 1:])
        thing, next_thing = first >= 2, second >= 2
        one |= thing & ((first < second) | ~next_thing)
        other |= next_thing & ((second < first) | ~thing)
    return found


def _horizon(scene: Scene, skyline: Skyline) -> NDArray[np.bool_]:
    size = len(skyline.line)
    drawn = _curve(skyline.line, size)
    if scene.ground != "snow" and float((skyline.line - skyline.far).max()) > RIDGE:
        drawn |= _curve(np.minimum(skyline.far, skyline.line), size)
    return drawn


def _curve(line: NDArray[np.float32], size: int) -> NDArray[np.bool_]:
    """The first pixel of every column below a line, and what joins them."""
    top = np.clip(np.ceil(line * size - 0.5), 0, size - 1).astype(int)
    before = np.concatenate([top[:1], top[:-1]])
    rows = np.arange(size)[:, None]
    low, high = np.minimum(top, before), np.maximum(top, before)
    return (rows == top) | ((rows > low) & (rows < high))
