"""The source of edit pairs: a picture, what asks for a change, where it may change, and the picture afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from lienzo.data.dataset import Bytes, Column, Table
from lienzo.data.emoji import coded
from lienzo.data.lazy import Lazy
from lienzo.data.pixels import Ask
from lienzo.data.scenes.changes import Change, change_of
from lienzo.data.scenes.combinations import seen
from lienzo.data.scenes.composed import Composed, Part, References, Texts, part_of, three_splits
from lienzo.data.scenes.drawn import Drawn, Place, planes_of
from lienzo.data.scenes.instruct import asked_of
from lienzo.data.scenes.layout import Scene
from lienzo.data.scenes.pairs import Pair, pair_of
from lienzo.data.scenes.source import posed

REMEMBERED = 256  # pairs of which one picture was asked for, and the other may be


class Edited(Drawn):
    """The planes of scenes after one thing was changed in them; their maps are those of what they show then.

    Args:
        places: the cast and the seed of every scene before.
        ask: size and channels.
    """

    def __init__(self, places: Sequence[Place], ask: Ask) -> None:
        super().__init__(places, ask)
        count, channels, size, _ = self.shape
        self.change = lru_cache(REMEMBERED)(self._change)
        self._pair = lru_cache(REMEMBERED)(self._drawn_pair)
        colours = 3 if channels == 4 else 1
        self.before = Lazy((count, colours, size, size), lambda row: planes_of(self._pair(row).before, colours))
        self.mask = Lazy((count, 1, size, size), lambda row: self._pair(row).mask.astype(np.uint8) * 255)

    def laid_out(self, row: int) -> Scene:
        """Lay out what a row shows after its change."""
        return self.change(row).after

    def _change(self, row: int) -> Change:
        cast, seed = self.places[row]
        return change_of(seed, cast)

    def _drawn_pair(self, row: int) -> Pair:
        pair = pair_of(self.change(row), self.cast(row), self.size)
        self._skylines[row] = pair.drawing.skyline
        return pair

    def _picture(self, row: int) -> Bytes:
        return planes_of(self._pair(row).after, self.shape[1])


def _table(parts: Sequence[Part], ask: Ask) -> Table:
    """Return what is known of pairs; "reference" is the thing that comes into the picture, alone, where one does."""
    drawn = Edited([place for part in parts for place in part.places], ask)
    changes = [drawn.change(row) for row in range(len(drawn.places))]
    every = np.ones(len(changes), bool)
    image = Column("map", map_kind="picture", channels=drawn.before.shape[1], before=True)
    references = References(parts[0].emoji.table.planes, np.array([_new(change) for change in changes], np.int64))
    maps = {
        "image": (drawn.before, every, image),
        "mask": (drawn.mask, every, Column("map", map_kind="mask", channels=1)),
        **drawn.columns(posed([change.after for change in changes])),
        "reference": references.column,
    }
    texts = Texts(len(changes), lambda row: asked_of(drawn.change(row), drawn.cast(row)))
    return Table(drawn, _labels(parts, changes), {"text": texts}, maps)


def _new(change: Change) -> int:
    thing = change.new if change.new is not None else change.thing if change.operation == "add" else None
    return -1 if thing is None or thing.figure else thing.row


def _labels(parts: Sequence[Part], changes: list[Change]) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    known = parts[0].emoji.table.labels["style"]
    mains = np.array([scene.layers[0].row for part in parts for scene in part.scenes], np.int64)
    return {
        "style": (known[0][mains], known[1]),
        "operation": coded([change.operation for change in changes]),
        "weather": coded([change.after.weather for change in changes]),
    }


EDITS = Composed("edits", three_splits, lambda split, numbers: part_of(split, numbers, seen), _table)
"""Pairs of scenes that differ in one thing. The pictures are those after the change. The columns: "text", what asks for
it; "image", the picture before; "mask", where they may differ: outside of it they are equal to the last bit; and the
maps of the picture afterwards. "operation" is one of weather, add, remove, replace, recolour, move."""
