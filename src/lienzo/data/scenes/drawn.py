"""Pictures of scenes and their maps as planes, drawn when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.data.dataset import Bytes, Column, Planes
from lienzo.data.lazy import Lazy
from lienzo.data.pixels import Ask
from lienzo.data.scenes import maps
from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.draw import drawn, skyline_of
from lienzo.data.scenes.groups import GROUPS
from lienzo.data.scenes.land import Skyline
from lienzo.data.scenes.layout import Scene, laid_out
from lienzo.data.scenes.pose import Keypoints, keypoints, skeletons

Place = tuple[Cast, int]  # a scene's cast and its seed
REMEMBERED = 1024  # scenes whose layout is kept
MAPS = {
    "segmentation": Column("map", classes=GROUPS, map_kind="segmentation", channels=len(GROUPS)),
    "depth": Column("map", map_kind="depth", channels=1),
    "lines": Column("map", map_kind="edges", channels=1),
    "pose": Column("map", map_kind="pose", channels=3),
}
INSTANCES = Column("map", map_kind="segmentation", channels=maps.MOST + 2)


class Drawn(Lazy):
    """(N, C, S, S) uint8 planes of scenes, each drawn at most once.

    Args:
        places: the cast and the seed of every scene.
        ask: size and channels: four, of which the last says that nothing is transparent, or one for grey.
    """

    def __init__(self, places: Sequence[Place], ask: Ask) -> None:
        super().__init__((len(places), 4 if ask.channels == 3 else 1, ask.size, ask.size), self._picture)
        self.places, self.size = places, ask.size
        self._skylines: dict[int, Skyline] = {}
        self.scene = lru_cache(REMEMBERED)(self.laid_out)
        whole = (len(places), 1, ask.size, ask.size)
        self.instances = Lazy(whole, lambda row: maps.instances(self.scene(row), self.cast(row), self.skyline(row)))

    def laid_out(self, row: int) -> Scene:
        """Lay out what a row shows; `scene` remembers it."""
        cast, seed = self.places[row]
        return laid_out(seed, cast)

    def cast(self, row: int) -> Cast:
        """Return the cast of a row."""
        return self.places[row][0]

    def skyline(self, row: int) -> Skyline:
        """Return where a row's sky and ground meet."""
        if row not in self._skylines:
            self._skylines[row] = skyline_of(self.scene(row), self.size)
        return self._skylines[row]

    def ids(self, row: int) -> Bytes:
        """Return the number of what is seen in every pixel, (S, S); see `instances`."""
        return self.instances.one(row)[0]

    def keypoints(self, row: int) -> Keypoints:
        """Return x, y and visibility of the joints of a row's figures, (figures, 17, 3)."""
        return keypoints(self.scene(row), self.ids(row))

    def depth(self, row: int) -> NDArray[np.float32]:
        """Return z of what is seen, in units of that of the ground at the lower edge, (S, S); ∞ in the sky."""
        return maps.depth(self._near(row))

    def columns(self, posed: NDArray[np.bool_]) -> dict[str, tuple[Planes, NDArray[np.bool_], Column]]:
        """Return the maps as a table has them.

        Args:
            posed: which rows have a figure, (N,).
        """
        makers: dict[str, Callable[[int], Bytes]] = {
            "segmentation": lambda row: maps.segmentation(self.scene(row), self.cast(row), self.ids(row)),
            "depth": lambda row: (self._near(row) * 255 + 0.5).clip(0, 255).astype(np.uint8),
            "lines": lambda row: maps.lines(self.scene(row), self.cast(row), self.ids(row), self.skyline(row)),
            "pose": lambda row: skeletons(self.keypoints(row), self.size, self.size).transpose(2, 0, 1),
        }
        every = np.ones(self.shape[0], bool)
        count, _, size, _ = self.shape
        found: dict[str, tuple[Planes, NDArray[np.bool_], Column]] = {}
        for name, column in MAPS.items():
            planes = Lazy((count, 3 if name == "pose" else 1, size, size), makers[name])
            found[name] = (planes, posed if name == "pose" else every, column)
        return found | {"instances": (self.instances, every, INSTANCES)}

    def _near(self, row: int) -> NDArray[np.float32]:
        return maps.nearness(self.scene(row), self.ids(row), self.skyline(row))

    def _picture(self, row: int) -> Bytes:
        drawing = drawn(self.scene(row), self.cast(row), self.size)
        self._skylines[row] = drawing.skyline
        return planes_of(drawing.pixels, self.shape[1])


def planes_of(pixels: Bytes, channels: int) -> Bytes:
    """(S, S, 3) → (C, S, S): opaque with four channels, colours with three, grey with one."""
    if channels == 1:
        return np.asarray(Image.fromarray(pixels).convert("L"))[None]
    planes = np.full((channels, *pixels.shape[:2]), 255, np.uint8)
    planes[:3] = pixels.transpose(2, 0, 1)
    return planes
