"""Figures with a skeleton: how one stands, walks, runs, jumps or waves, as joints in a box."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Action = Literal["walking", "running", "jumping", "waving"]
ACTIONS: tuple[Action, ...] = ("walking", "running", "jumping", "waving")
SHIRTS: Mapping[str, tuple[int, int, int]] = {
    "red": (214, 56, 52), "blue": (48, 104, 208), "green": (52, 152, 76), "yellow": (244, 196, 48),
    "purple": (134, 78, 180), "orange": (240, 134, 44), "pink": (238, 120, 166), "white": (240, 240, 244),
}  # fmt: skip
TROUSERS: tuple[tuple[int, int, int], ...] = ((52, 62, 92), (94, 76, 62), (66, 68, 74), (122, 104, 78), (38, 84, 96))
JOINTS = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow",
    "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle",
    "right ankle",
)  # fmt: skip
"""The 17 keypoints, in the order of COCO ("Microsoft COCO: Common Objects in Context", Lin et al., 2014)."""
HEAD, NECK, TORSO, ARM, LEG = 0.135, 0.0, 0.25, (0.15, 0.14), (0.185, 0.185)
ARM_WIDE, LEG_WIDE, CHEST = 0.062, 0.078, 0.15
SHOE = 0.05  # from the ankle down, and forward


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        action: what it does.
        phase: of its motion, 0 … 1.
        facing: 1 for right, -1 for left; of a waving figure, which arm it lifts.
        shirt: name of a colour.
        trousers: number of a colour.
    """

    action: Action
    phase: float
    facing: int
    shirt: str
    trousers: int


@dataclass(frozen=True)
class Skeleton:
    """A figure's joints in its box, whose left upper corner is (0, 0) and whose height is 1.

    Attributes:
        joints: (17, 2) x and y.
        hidden: (17,) behind the figure's own body.
        head: middle of the head.
        scale: what a length of the body is multiplied with.
        wide: width of the box.
        side: 1 or -1 where it is seen from the side, facing that way; 0 from the front.
        far: of the two sides ("left", "right") the one that is farther away; "" from the front.
    """

    joints: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    head: tuple[float, float]
    scale: float
    wide: float
    side: int
    far: str


def random_figure(rng: random.Random) -> Figure:
    """Draw a figure."""
    action = rng.choice(ACTIONS)
    return Figure(action, rng.random(), rng.choice((-1, 1)), rng.choice(list(SHIRTS)), rng.randrange(len(TROUSERS)))


@lru_cache(maxsize=4096)
def skeleton(figure: Figure) -> Skeleton:
    """Put a figure's joints where its motion has them.

    Limbs are chains of two; an angle is measured from straight down, forward (or outward) positive.
    """
    side = figure.facing if figure.action in ("walking", "running") else 0
    lean, arms, legs, lift = _MOTIONS[figure.action](figure)
    up = (math.sin(lean), -math.cos(lean))
    chest = (TORSO * up[0], TORSO * up[1])
    head = ((TORSO + NECK + HEAD * 0.92) * up[0], (TORSO + NECK + HEAD * 0.92) * up[1])
    names = ("right", "left") if side >= 0 else ("left", "right")  # near, far; from the front: right, left
    points = _face(head, mirrored=side < 0)
    for name, way, arm, leg in zip(names, (-1, 1), arms, legs, strict=True):
        out = 0.02 if side else way  # from the front, outward is to the sides
        shoulder = (chest[0] + (out if side else way * CHEST * 0.62), chest[1] + 0.035)
        hip = (-0.01 * way if side else way * 0.05, 0.0)
        points |= _limb(name, ("shoulder", "elbow", "wrist"), shoulder, ARM, arm, 1 if side else way)
        points |= _limb(name, ("hip", "knee", "ankle"), hip, LEG, leg, 1 if side else way)
    joints = np.array([points[name] for name in JOINTS])
    if side < 0:
        joints[:, 0], head = -joints[:, 0], (-head[0], head[1])
    return _boxed(joints, head, lift, side, names[1] if side else "")


def _face(head: tuple[float, float], *, mirrored: bool) -> dict[str, tuple[float, float]]:
    """Faces look at us, wherever the body turns."""
    at = {"nose": (0.0, 0.2), "left eye": (0.34, -0.02), "left ear": (0.92, 0.1)}
    at |= {name.replace("left", "right"): (-x, y) for name, (x, y) in at.items() if "left" in name}
    flip = -1 if mirrored else 1  # the whole body is mirrored afterwards, but a face keeps its sides
    return {name: (head[0] + flip * x * HEAD, head[1] + y * HEAD) for name, (x, y) in at.items()}


def _limb(
    name: str, parts: tuple[str, str, str], start: tuple[float, float], lengths: tuple[float, float],
    angles: tuple[float, float], way: int,
) -> dict[str, tuple[float, float]]:  # fmt: skip
    found = {f"{name} {parts[0]}": start}
    x, y = start
    for part, length, angle in zip(parts[1:], lengths, angles, strict=True):
        x, y = x + way * length * math.sin(angle), y + length * math.cos(angle)
        found[f"{name} {part}"] = (x, y)
    return found


def _boxed(joints: NDArray[np.float64], head: tuple[float, float], lift: float, side: int, far: str) -> Skeleton:
    """Move and scale the joints into a box that holds the whole body and the air under a jump."""
    feet = joints[15:17]
    left = min(joints[5:, 0].min() - LEG_WIDE / 2, head[0] - 1.08 * HEAD, feet[:, 0].min() - SHOE)
    right = max(joints[5:, 0].max() + LEG_WIDE / 2, head[0] + 1.08 * HEAD, feet[:, 0].max() + SHOE)
    top = min(head[1] - 1.08 * HEAD, joints[:, 1].min() - ARM_WIDE / 2)
    high = feet[:, 1].max() + SHOE + lift - top
    moved = (joints - (left, top)) / high
    middle = ((head[0] - left) / high, (head[1] - top) / high)
    hidden = np.array([bool(far) and name.startswith(far) and name.endswith(("shoulder", "hip")) for name in JOINTS])
    if far:
        hidden |= _behind_torso(joints, far)
    return Skeleton(moved, hidden, middle, 1 / high, (right - left) / high, side, far)


def _behind_torso(joints: NDArray[np.float64], far: str) -> NDArray[np.bool_]:
    """Which joints of the far arm the torso hides."""
    chest, hip = joints[5:7].mean(0), joints[11:13].mean(0)
    along = hip - chest
    share = np.clip(((joints - chest) @ along) / (along @ along), 0, 1)
    away = np.hypot(*(joints - chest - share[:, None] * along).T)
    arm = np.array([name.startswith(far) and name.endswith(("elbow", "wrist")) for name in JOINTS])
    return arm & (away < CHEST * 0.4)


Pair = tuple[tuple[float, float], tuple[float, float]]  # two angles of either limb: near and far, or right and left
Motion = tuple[float, Pair, Pair, float]  # lean, arms, legs, lift


def _angles(*degrees: tuple[float, float]) -> Pair:
    first, second = ((math.radians(a), math.radians(b)) for a, b in degrees)
    return first, second


def _swing(figure: Figure) -> float:
    """How far the near leg is in front, from -1 to 1, and never near the middle, where nothing shows."""
    way = 1 if figure.phase < 0.5 else -1
    return way * (0.65 + 0.7 * (figure.phase % 0.5))


def _walk(figure: Figure) -> Motion:
    s = _swing(figure)
    legs = [(26 * a, 26 * a - 8 - 26 * max(0.0, -a)) for a in (s, -s)]
    arms = [(-24 * a, -24 * a + 18) for a in (s, -s)]
    return math.radians(2), _angles(*arms), _angles(*legs), 0.0


def _run(figure: Figure) -> Motion:
    s = _swing(figure)
    legs = [(52 * a, 52 * a - (78 if a < 0 else 46)) for a in (s, -s)]
    arms = [(-46 * a - 4, -46 * a + 82) for a in (s, -s)]
    return math.radians(13), _angles(*arms), _angles(*legs), 0.03


def _jump(figure: Figure) -> Motion:
    p = figure.phase
    arms = [(118 + 32 * p, 138 + 30 * p), (150 - 32 * p, 168 - 30 * p)]
    legs = [(22 + 16 * p, -14 + 16 * p), (38 - 16 * p, 2 - 16 * p)]
    return 0.0, _angles(*arms), _angles(*legs), 0.13 + 0.08 * p


def _wave(figure: Figure) -> Motion:
    p = figure.phase
    arms = [(104 + 24 * p, 160 + 50 * (p - 0.3)), (14 + 10 * p, 4 + 8 * p)]
    if figure.facing > 0:
        arms.reverse()
    return 0.0, _angles(*arms), _angles((5, 3), (5, 3)), 0.0


_MOTIONS = {"walking": _walk, "running": _run, "jumping": _jump, "waving": _wave}
