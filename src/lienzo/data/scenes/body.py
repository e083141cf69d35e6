"""A figure's body: limbs with clothes, and an emoji as its head."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from lienzo.data.pixels import LANCZOS
from lienzo.data.scenes import figures
from lienzo.data.scenes.figures import ARM_WIDE, CHEST, HEAD, LEG_WIDE, SHOE, Figure, Skeleton

Ink = tuple[int, int, int]
FINE = 3  # times finer than it is wanted, and then made smaller
SHOES: Ink = (58, 46, 44)
YELLOW: Ink = (250, 200, 60)
FAR = 0.8  # how much darker limbs are on the far side


def body(figure: Figure, head: Image.Image, wide: int, high: int) -> Image.Image:
    """Draw a figure.

    Args:
        figure: what it does and wears.
        head: a trimmed RGBA picture.
        wide: of the result, in pixels.
        high: of the result, in pixels.

    Returns:
        RGBA.
    """
    bones = figures.skeleton(figure)
    paper = Image.new("RGBA", (wide * FINE, high * FINE))
    pen = _Pen(paper, bones, figure, _skin(head))
    for part in _ORDER[bones.side != 0]:
        part(pen)
    _put_head(paper, bones, head)
    if bones.side:
        pen.arm(_near(bones))
    return paper.resize((wide, high), LANCZOS)


class _Pen:
    """Draws limbs in the box of a skeleton."""

    def __init__(self, paper: Image.Image, bones: Skeleton, figure: Figure, skin: Ink) -> None:
        self._draw, self.bones, self.skin = ImageDraw.Draw(paper), bones, skin
        self.shirt, self.trousers = figures.SHIRTS[figure.shirt], figures.TROUSERS[figure.trousers]
        self._size = np.array([paper.width / bones.wide, paper.height])
        self._unit = float(self._size[1]) * bones.scale

    def arm(self, name: str) -> None:
        """Draw an arm: a sleeve, a bare forearm, a hand."""
        first, shade = (7 if name == "left" else 8), self._shade(name)
        shoulder, elbow, wrist = (self._at(number) for number in (first - 2, first, first + 2))
        self._line(elbow, wrist, ARM_WIDE * 0.85, self.skin, shade)
        self._dot(wrist, ARM_WIDE * 0.55, self.skin, shade)
        self._line(shoulder, elbow, ARM_WIDE, self.shirt, shade * 0.92)

    def leg(self, name: str) -> None:
        """Draw a leg and its shoe."""
        first, shade = (13 if name == "left" else 14), self._shade(name)
        hip, knee, ankle = (self._at(number) for number in (first - 2, first, first + 2))
        way = self.bones.side or (1 if name == "left" else -1)
        toe = ankle + np.array([way * SHOE * 0.7, SHOE * 0.35]) * self._unit
        self._line(ankle + np.array([0, SHOE * 0.35]) * self._unit, toe, LEG_WIDE * 0.75, SHOES, shade)
        self._line(hip, knee, LEG_WIDE, self.trousers, shade)
        self._line(knee, ankle, LEG_WIDE * 0.85, self.trousers, shade)

    def torso(self) -> None:
        """Draw the chest and the hips."""
        chest, hip = (self._at(5) + self._at(6)) / 2, (self._at(11) + self._at(12)) / 2
        wide = CHEST * (0.85 if self.bones.side else 1.15)
        self._line(hip, hip * 0.92 + chest * 0.08, wide * 0.9, self.trousers, 1)
        self._line(chest + np.array([0, 0.03]) * self._unit, hip * 0.8 + chest * 0.2, wide, self.shirt, 1)

    def _shade(self, name: str) -> float:
        return FAR if name == self.bones.far else 1.0

    def _at(self, joint: int) -> np.ndarray:
        return self.bones.joints[joint] * self._size

    def _line(self, a: np.ndarray, b: np.ndarray, wide: float, ink: Ink, shade: float) -> None:
        width = max(1, round(wide * self._unit))
        self._draw.line([*a.tolist(), *b.tolist()], _dark(ink, shade), width)
        self._dot(a, wide / 2, ink, shade)
        self._dot(b, wide / 2, ink, shade)

    def _dot(self, at: np.ndarray, radius: float, ink: Ink, shade: float) -> None:
        r = radius * self._unit
        self._draw.ellipse([at[0] - r, at[1] - r, at[0] + r, at[1] + r], _dark(ink, shade))


def _near(bones: Skeleton) -> str:
    return "left" if bones.far == "right" else "right"


_ORDER = {
    True: (lambda pen: pen.arm(pen.bones.far), lambda pen: pen.leg(pen.bones.far),
           lambda pen: pen.leg(_near(pen.bones)), _Pen.torso),
    False: (lambda pen: pen.leg("left"), lambda pen: pen.leg("right"), _Pen.torso, lambda pen: pen.arm("left"),
            lambda pen: pen.arm("right")),
}  # fmt: skip
"""Seen from the side or not: what is drawn before the head, the farthest first."""


def _put_head(paper: Image.Image, bones: Skeleton, head: Image.Image) -> None:
    side = 2.1 * HEAD * bones.scale * paper.height
    share = min(side / head.width, 1.12 * side / head.height)
    wide, high = max(1, round(head.width * share)), max(1, round(head.height * share))
    x, y = bones.head[0] / bones.wide * paper.width, bones.head[1] * paper.height
    left = min(max(0, round(x - wide / 2)), max(0, paper.width - wide))
    top = min(max(0, round(y - high / 2)), max(0, paper.height - high))
    paper.alpha_composite(head.resize((wide, high), LANCZOS), (left, top))


def _skin(head: Image.Image) -> Ink:
    """The colour of a face: the most frequent one in its middle."""
    wide, high = head.size
    part = np.asarray(head)[int(0.3 * high) : int(0.8 * high), int(0.2 * wide) : int(0.8 * wide)].reshape(-1, 4)
    solid = part[part[:, 3] > 200][:, :3]
    if not len(solid):
        return YELLOW
    coarse = (solid // 32).astype(np.int64) @ np.array([64, 8, 1])
    middle = np.median(solid[coarse == np.bincount(coarse).argmax()], 0)
    return int(middle[0]), int(middle[1]), int(middle[2])


def _dark(ink: Ink, shade: float) -> Ink:
    return int(ink[0] * shade), int(ink[1] * shade), int(ink[2] * shade)
