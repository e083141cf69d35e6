"""The source of scenes: drawn when they are first asked for, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.core.errors import DataError
from lienzo.data.cache import key_of
from lienzo.data.dataset import Bytes, Table, TableDataset
from lienzo.data.emoji import CREDIT, open_emoji
from lienzo.data.pixels import Ask
from lienzo.data.scenes.cast import Cast, emoji_captions
from lienzo.data.scenes.draw import drawn
from lienzo.data.scenes.layout import Scene, laid_out, start
from lienzo.data.scenes.say import said_of
from lienzo.data.splits import Where, matching, rows_of

COUNT = 12_000  # scenes for training
HELD_OUT = 20  # as many times fewer are in each of the other splits
SIDE = 64  # of the emoji as they are stored
VERSION = 1  # of how scenes are drawn: part of the fingerprint
LABELS = ("style", "group", "subgroup")
Place = tuple[Cast, int]  # a scene's cast and its seed


class Drawn:
    """(N, C, S, S) uint8 planes of scenes, each drawn at most once.

    Args:
        places: the cast and the seed of every scene.
        ask: size and channels: four, of which the last says that nothing is transparent, or one for grey.
    """

    def __init__(self, places: Sequence[Place], ask: Ask) -> None:
        self._places, self._size = places, ask.size
        self.shape: tuple[int, ...] = (len(places), 4 if ask.channels == 3 else 1, ask.size, ask.size)
        self._planes: Bytes = np.empty(self.shape, np.uint8)  # pages are taken only when they are written
        self._done = np.zeros(len(places), bool)

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        for row in set(rows[~self._done[rows]].tolist()):
            self._draw(row)
            self._done[row] = True
        return self._planes[rows]

    def scene(self, row: int) -> Scene:
        """Return what a scene shows: its weather, and which thing stands where in front of which."""
        cast, seed = self._places[row]
        return laid_out(seed, cast)

    def _draw(self, row: int) -> None:
        pixels = drawn(self.scene(row), self._places[row][0], self._size)
        if self.shape[1] == 1:
            self._planes[row, 0] = np.asarray(Image.fromarray(pixels).convert("L"))
        else:
            self._planes[row, :3], self._planes[row, 3] = pixels.transpose(2, 0, 1), 255


class Texts(Sequence[Sequence[str]]):
    """What may be said of every scene, made when it is first asked for."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._made: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: Any) -> Any:
        if row not in self._made:
            cast, seed = self._places[row]
            self._made[row] = said_of(laid_out(seed, cast), cast)
        return self._made[row]


def open_scenes(ask: Ask, split: str, where: Where | None, *, count: int = COUNT) -> TableDataset:
    """Open the scenes. Those of a split show emoji of that split alone.

    Args:
        ask: size and channels.
        split: as in `open_source`.
        where: as in `open_source`; the labels are the main thing's.
        count: scenes for training; the other splits have a twentieth each.

    Raises:
        DataError: for no scenes at all, or a split or a label that does not exist.
    """
    if count < 1:
        raise DataError(f"{count} scenes", hint="scenes:N with N from 1, such as scenes:5000")
    sizes = {"train": count, "validation": -(-count // HELD_OUT), "test": -(-count // HELD_OUT)}
    each = [name for name, size in sizes.items() for _ in range(size)]
    wanted = rows_of(split, each, [""] * len(each), "scenes")
    parts = {name: _part(name, sizes[name]) for name in sizes if name in {each[row] for row in wanted.tolist()}}
    places = [place for found, _ in parts.values() for place in found]
    emoji = next(iter(parts.values()))[1]
    mains = np.array([start(seed, cast)[2] for cast, seed in places], np.int64)
    labels = {name: (codes[mains], classes) for name, (codes, classes) in emoji.table.labels.items() if name in LABELS}
    table = Table(Drawn(places, ask), labels, {"text": Texts(places)}, {})
    rows = np.flatnonzero(matching(table, where or {}, "scenes"))
    whole = "|".join(emoji.fingerprint for _, emoji in parts.values())
    fingerprint = key_of("scenes", VERSION, whole, split, count, dict(where or {}))
    scenes = TableDataset("scenes", table, rows, licence=emoji.licence, citation=CREDIT, fingerprint=fingerprint)
    scenes.columns = {name: column for name, column in scenes.columns.items() if name != "background"}  # opaque
    return scenes


def _part(split: str, count: int) -> tuple[list[Place], TableDataset]:
    """Return the scenes of one split, and the emoji that they are made of."""
    from lienzo.core import derive_seed

    emoji = open_emoji(Ask(SIDE), split, None)
    cast = Cast(emoji, emoji_captions())
    return [(cast, derive_seed("scenes", split, index)) for index in range(count)], emoji
