"""Keypoints of the figures in a scene, and the picture of their skeletons that a network can hear."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lienzo.data.dataset import Bytes
from lienzo.data.scenes.figures import skeleton
from lienzo.data.scenes.layout import Layer, Scene

Keypoints = NDArray[np.float32]
FINE = 3  # times finer than it is wanted
BONES = (
    (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
    (0, 1), (1, 3), (0, 2), (2, 4),
)  # fmt: skip
"""Pairs of keypoints that are joined, each in its own colour; the nose is joined with the shoulders' middle too."""
NECK = len(BONES)
WIDE = 2.2 / 64  # of a bone, as a share of the picture


def keypoints(scene: Scene, ids: Bytes) -> Keypoints:
    """Return x, y and how each joint is seen, (figures, 17, 3); x and y in pixels, from the left upper corner.

    As in COCO: 2 is seen, 1 is hidden, 0 lies outside of the picture.

    Args:
        scene: whose figures.
        ids: as `instances` gives them: what stands nearer hides.
    """
    found = [_of(layer, number, ids) for number, layer in enumerate(scene.layers, start=2) if layer.figure]
    return np.stack(found) if found else np.zeros((0, 17, 3), np.float32)


def skeletons(points: Keypoints, wide: int, high: int) -> Bytes:
    """Draw skeletons: coloured bones on black, (H, W, 3). Bones to joints outside of the picture are left out.

    Args:
        points: (figures, 17, 3) in pixels of a picture of that size.
        wide: W.
        high: H.
    """
    image = Image.new("RGB", (wide * FINE, high * FINE))
    pen = ImageDraw.Draw(image)
    for joints in points:
        neck = (joints[5] + joints[6]) / 2
        for number, (a, b) in enumerate([*((joints[i], joints[j]) for i, j in BONES), (joints[0], neck)]):
            if min(a[2], b[2]) > 0:
                _bone(pen, a[:2] * FINE, b[:2] * FINE, _colour(number), WIDE * max(wide, high) * FINE)
    return np.asarray(image.reduce(FINE))


def _of(layer: Layer, number: int, ids: Bytes) -> Keypoints:
    assert layer.figure is not None
    bones, size = skeleton(layer.figure), len(ids)
    left, top, right, bottom = layer.box
    x = left + bones.joints[:, 0] / bones.wide * (right - left)
    y = top + bones.joints[:, 1] * (bottom - top)
    points = np.stack([x * size, y * size, np.full(17, 2.0)], 1).astype(np.float32)
    inside = (points[:, :2] >= 0).all(1) & (points[:, :2] < size).all(1)
    at = np.clip(points[:, :2].astype(int), 0, size - 1)
    seen = ids[at[:, 1], at[:, 0]]
    covered = bones.hidden | ((seen >= 2) & (seen < number))
    points[:, 2] = np.where(inside, np.where(covered, 1, 2), 0)
    return points


def _bone(pen: ImageDraw.ImageDraw, a: Keypoints, b: Keypoints, colour: tuple[int, int, int], wide: float) -> None:
    pen.line([*a.tolist(), *b.tolist()], colour, max(1, round(wide)))
    for x, y in (a.tolist(), b.tolist()):
        pen.ellipse([x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2], colour)


def _colour(number: int) -> tuple[int, int, int]:
    r, g, b = colorsys.hsv_to_rgb(number / (NECK + 1), 0.85, 1.0)
    return round(255 * r), round(255 * g), round(255 * b)
