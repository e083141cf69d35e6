"""A change → two pictures and the mask of what may differ between them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lienzo.data.dataset import Bytes
from lienzo.data.edges import grown
from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.changes import Change
from lienzo.data.scenes.draw import Drawing, drawn
from lienzo.data.scenes.layout import Layer, Scene
from lienzo.data.scenes.stage import place_of, thing_of

CLEAR, WHOLE = 0, 255  # of alpha
BOXED = 0.3  # of the masks of a thing are rectangles, as people draw them
MARGIN = (0.03, 0.09)  # by which a mask is wider than what changes, as a share of the picture's side


@dataclass(frozen=True)
class Pair:
    """Two pictures of one scene.

    Attributes:
        before, after: (S, S, 3) uint8.
        mask: where they may differ, (S, S) bool; everywhere else they are equal.
        drawing: of the scene afterwards.
    """

    before: Bytes
    after: Bytes
    mask: NDArray[np.bool_]
    drawing: Drawing


def pair_of(change: Change, cast: Cast, size: int) -> Pair:
    """Draw both pictures of a change.

    Args:
        change: the scenes.
        cast: has their things.
        size: S.
    """
    first, last = drawn(change.before, cast, size), drawn(change.after, cast, size)
    if change.operation == "weather":
        mask = np.ones((size, size), bool)
        if change.kept is not None:
            mask &= ~seen_whole(change.kept, change.before, cast, size)
    else:
        mask = _around(change, first, last, cast)
    return Pair(first.pixels, np.where(mask[:, :, None], last.pixels, first.pixels), mask, last)


def seen_whole(layer: Layer, scene: Scene, cast: Cast, size: int) -> NDArray[np.bool_]:
    """Tell which pixels show a thing and nothing else, (S, S): neither its soft edge nor anything before it."""
    found = np.zeros((size, size), bool)
    for other in reversed(scene.layers):
        alpha = _alpha(other, cast, size)
        if other.depth == layer.depth:
            found |= alpha == WHOLE
        elif other.depth < layer.depth:
            found &= alpha == CLEAR
    return found


def _alpha(layer: Layer, cast: Cast, size: int) -> Bytes:
    """A thing's alpha in its place, (S, S)."""
    left, bottom, wide, high = place_of(layer, size)
    top = bottom - high
    y0, y1, x0, x1 = max(0, top), min(size, bottom), max(0, left), min(size, left + wide)
    found = np.zeros((size, size), np.uint8)
    found[y0:y1, x0:x1] = thing_of(layer, cast, wide, high)[y0 - top : y1 - top, x0 - left : x1 - left, 3]
    return found


def _around(change: Change, first: Drawing, last: Drawing, cast: Cast) -> NDArray[np.bool_]:
    """All that the things which differ have a part in, and some more; without what stands whole in front of them."""
    size = len(first.pixels)
    rng = random.Random(change.before.seed ^ 0x3A5)
    touched = np.zeros((size, size), bool)
    for depth in change.depths:
        for drawing in (first, last):
            touched |= drawing.touched.get(depth, False)
    mask = grown(touched, max(1, round(rng.uniform(*MARGIN) * size)))
    if rng.random() < BOXED:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    for layer in change.after.layers:
        if layer.depth < min(change.depths):
            mask &= ~seen_whole(layer, change.after, cast, size)
    return mask
