"""The ground of a scene under its sky, as (S, S, 3) float32 in 0 … 255."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lienzo.data.scenes.layout import Ground, Scene, Sky
from lienzo.data.scenes.sky import Canvas, Colour, heaven, mixed

KNOTS = 9  # of every random curve, so that a scene looks alike at any size

GROUNDS: dict[Ground, tuple[tuple[Colour, Colour], ...]] = {  # at the horizon, at the bottom
    "grass": (((128, 190, 92), (84, 150, 62)), ((150, 196, 96), (104, 160, 66))),
    "hills": (((140, 192, 110), (96, 158, 76)), ((160, 186, 104), (118, 150, 70))),
    "sand": (((240, 222, 170), (222, 194, 134)), ((246, 230, 188), (228, 204, 152))),
    "street": (((150, 152, 158), (108, 110, 118)), ((136, 138, 144), (98, 100, 108))),
    "snow": (((228, 236, 246), (248, 250, 253)), ((234, 240, 248), (244, 248, 253))),
}
FAR: dict[Ground, Colour] = {
    "grass": (112, 168, 104), "hills": (104, 164, 120), "sand": (92, 168, 200), "street": (176, 172, 166),
    "snow": (206, 218, 234),
}  # fmt: skip
LIGHT: dict[Sky, Colour] = {
    "day": (1, 1, 1), "sunset": (1.0, 0.87, 0.8), "overcast": (0.98, 0.99, 1), "grey": (0.74, 0.77, 0.82),
    "night": (0.42, 0.46, 0.66),
}  # fmt: skip
"""What the ground is multiplied with under each sky."""
SNOW_AT_NIGHT: Colour = (0.66, 0.72, 0.88)  # snow shines in the dark


@dataclass(frozen=True)
class Skyline:
    """Where sky and ground meet.

    Attributes:
        far: the height of what lies far away, in shares of the picture from its top, (S,).
        line: the same of the ground.
    """

    far: NDArray[np.float32]
    line: NDArray[np.float32]


def landscape(
    scene: Scene, size: int, rng: np.random.Generator, shape: Skyline | None = None
) -> tuple[Canvas, Skyline]:
    """Draw what stands behind the things: the sky, something far away, and the ground.

    Args:
        scene: says which.
        size: S.
        rng: chooses shades and shapes.
        shape: of the ground, where it is not the scene's own.
    """
    rows = ((np.arange(size) + 0.5) / size).astype(np.float32)
    canvas = heaven(scene, rows, rng)
    light = np.array(SNOW_AT_NIGHT if (scene.sky, scene.ground) == ("night", "snow") else LIGHT[scene.sky], np.float32)
    rough = {"sand": 0.0, "street": 0.0, "grass": 0.012, "snow": 0.02, "hills": 0.035}[scene.ground]
    raised = rng.uniform(0.01, 0.03) if rough == 0 else rng.uniform(0.05, 0.12)
    far = scene.horizon - raised + _curve(size, rng) * rough * 2.5
    far = far if shape is None else shape.far
    _cover(canvas, rows, far, np.array(FAR[scene.ground], np.float32) * light)
    near, front = GROUNDS[scene.ground][rng.integers(len(GROUNDS[scene.ground]))]
    depth = np.clip((rows - scene.horizon) / (1 - scene.horizon), 0, 1)
    ground = mixed(near, front, depth)[:, None, :] + _texture(scene, size, rng)[:, :, None]
    line = scene.horizon + _curve(size, rng) * rough
    line = line if shape is None else shape.line
    _cover(canvas, rows, line, ground * light)
    if scene.ground == "street":
        _lane(canvas, rows, scene.horizon, light)
    return canvas, Skyline(far.astype(np.float32), line.astype(np.float32))


def _curve(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A smooth random curve from left to right, in -1 … 1, (S,)."""
    x = np.linspace(0, 2 * np.pi, size)
    a, b = rng.uniform(0, 2 * np.pi, 2)
    bend = 0.65 * np.sin(x * rng.uniform(0.5, 1.1) + a) + 0.35 * np.sin(x * rng.uniform(1.3, 2.4) + b)
    return bend.astype(np.float32)


def _cover(canvas: Canvas, rows: NDArray[np.float32], line: NDArray[np.float32], colour: NDArray[np.float32]) -> None:
    """Paint all that lies under a line, whose edge is one pixel soft."""
    line = np.broadcast_to(np.asarray(line, np.float32), rows.shape)
    share = np.clip((rows[:, None] - line[None, :]) * len(rows) + 0.5, 0, 1)[:, :, None]
    canvas += (colour - canvas) * share


def _texture(scene: Scene, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Blotches of light and shade, wider than high, (S, S)."""
    strength = 4 if scene.ground in ("snow", "street") else 9
    grid = rng.normal(0, strength, (KNOTS * 3, KNOTS)).astype(np.float32)
    at = (np.arange(size) * KNOTS) // size
    down = (np.arange(size) * KNOTS * 3) // size
    spots = grid[down][:, at]
    soft = (spots + np.roll(spots, 1, 1) + np.roll(spots, -1, 1) + np.roll(spots, 1, 0)) * np.float32(0.25)
    blotches: NDArray[np.float32] = soft.astype(np.float32)
    return blotches.clip(max=2) if scene.ground == "snow" else blotches


def _lane(canvas: Canvas, rows: NDArray[np.float32], horizon: float, light: NDArray[np.float32]) -> None:
    """Mark the middle of a street with dashes."""
    middle, half = horizon + 0.38 * (1 - horizon), 0.018
    line = np.abs(rows - middle) < half
    dashes = (rows * 5) % 1 < 0.55
    canvas[np.ix_(line, dashes)] = np.array((232, 230, 220), np.float32) * light
