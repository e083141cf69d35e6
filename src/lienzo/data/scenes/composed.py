"""What all sources of composed pictures share: their splits, who stands in them, how a set is made of drawings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.core import derive_seed
from lienzo.core.errors import DataError
from lienzo.data.cache import key_of
from lienzo.data.dataset import Bytes, Column, Planes, Table, TableDataset
from lienzo.data.emoji import CREDIT, open_emoji
from lienzo.data.pixels import Ask
from lienzo.data.scenes.cast import Cast, emoji_captions
from lienzo.data.scenes.drawn import Place
from lienzo.data.scenes.layout import Scene, laid_out
from lienzo.data.splits import Where, matching, rows_of

COUNT = 12_000  # scenes for training
HELD_OUT = 20  # as many times fewer are in each of the other splits
SIDE = 64  # of the emoji as they are stored
VERSION = 3  # of how scenes are drawn: part of the fingerprint
ASIDE = ("background", "instances", "weather", "action", "operation", "reference")
"""What no condition hears unless a recipe names it."""
Fits = Callable[[Scene, Cast], bool]


@dataclass(frozen=True)
class Part:
    """The scenes of one split: their places, what each shows, roughly, and the emoji that they are made of."""

    places: list[Place]
    scenes: list[Scene]
    emoji: TableDataset


class Texts(Sequence[Sequence[str]]):
    """What may be said of every row, made when it is first asked for."""

    def __init__(self, count: int, say: Callable[[int], list[str]]) -> None:
        self._count, self._say = count, say
        self._made: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: Any) -> Any:
        if row not in self._made:
            self._made[row] = self._say(row)
        return self._made[row]


class References:
    """(N, 3, S, S) planes: emoji on white, which rows refer to.

    Args:
        emoji: RGBA planes.
        numbers: of the emoji of every row; -1 for none.
    """

    def __init__(self, emoji: Planes, numbers: NDArray[np.int64]) -> None:
        self.numbers, self._emoji = numbers, emoji
        self.shape: tuple[int, ...] = (len(numbers), 3, *emoji.shape[2:])

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        planes = self._emoji[np.maximum(self.numbers[rows], 0)].astype(np.uint16)
        alpha = planes[:, 3:]
        return ((planes[:, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)

    @property
    def column(self) -> tuple[Planes, NDArray[np.bool_], Column]:
        """Itself, as a table has it."""
        return self, self.numbers >= 0, Column("image", channels=3)


@dataclass(frozen=True)
class Composed:
    """A source of composed pictures.

    Attributes:
        name: of the source.
        sizes: how many there shall be → split → how many it has.
        part: a split and numbers within it → what they show.
        table: of parts, at a size.
    """

    name: str
    sizes: Callable[[int], dict[str, int]]
    part: Callable[[str, range], Part]
    table: Callable[[Sequence[Part], Ask], Table]

    def open(self, ask: Ask, split: str, where: Where | None, *, count: int) -> TableDataset:
        """Open it; its pictures are drawn when they are first asked for."""
        parts = [self.part(name, range(size)) for name, size in self.chosen(split, count).items()]
        return self.finished(self.table(parts, ask), split, where, count)

    def chosen(self, split: str, count: int) -> dict[str, int]:
        """Return the splits that are asked for, with their sizes.

        Raises:
            DataError: for a split that does not exist, or no scene at all.
        """
        if count < 1:
            raise DataError(f"{count} scenes", hint=f"{self.name}:N with N from 1, such as {self.name}:5000")
        sizes = self.sizes(count)
        each = [part for part, size in sizes.items() for _ in range(size)]
        wanted = {each[row] for row in rows_of(split, each, [""] * len(each), self.name)}
        return {part: size for part, size in sizes.items() if part in wanted}

    def finished(self, table: Table, split: str, where: Where | None, count: int) -> TableDataset:
        """Make a dataset of a table: choose its rows, and name those columns that conditions hear."""
        rows = np.flatnonzero(matching(table, where or {}, self.name))
        emoji = [self.part(name, range(0)).emoji for name in self.chosen(split, count)]
        whole = "|".join(each.fingerprint for each in emoji)
        fingerprint = key_of(self.name, VERSION, whole, split, count, dict(where or {}))
        licence = emoji[0].licence
        found = TableDataset(self.name, table, rows, licence=licence, citation=CREDIT, fingerprint=fingerprint)
        found.asides = {name: c for name, c in found.columns.items() if name in ASIDE and name != "background"}
        found.columns = {name: c for name, c in found.columns.items() if name not in ASIDE}  # all is opaque
        return found


def three_splits(count: int) -> dict[str, int]:
    """Return the sizes of a source that has all three splits."""
    return {"train": count, "validation": -(-count // HELD_OUT), "test": -(-count // HELD_OUT)}


def part_of(split: str, numbers: range, fits: Fits) -> Part:
    """Find the seeds of a split's scenes: each the first of its own row of seeds whose scene fits."""
    emoji, cast = _cast(split)
    found = [_first(split, index, cast, fits) for index in numbers]
    return Part([(cast, seed) for seed, _ in found], [scene for _, scene in found], emoji)


@lru_cache(maxsize=3)
def _cast(split: str) -> tuple[TableDataset, Cast]:
    emoji = open_emoji(Ask(SIDE), split, None)
    return emoji, Cast(emoji, emoji_captions(), split)


def _first(split: str, index: int, cast: Cast, fits: Fits) -> tuple[int, Scene]:
    attempt = 0
    while True:
        seed = derive_seed("scenes", split, index, *([attempt] if attempt else []))
        scene = laid_out(seed, cast, roughly=True)
        if fits(scene, cast):
            return seed, scene
        attempt += 1
