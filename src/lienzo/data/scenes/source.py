"""The sources of scenes: all of them, and those whose combinations no training scene shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.core import derive_seed
from lienzo.core.errors import DataError
from lienzo.data.cache import key_of
from lienzo.data.dataset import Table, TableDataset
from lienzo.data.emoji import CREDIT, coded, open_emoji
from lienzo.data.pixels import Ask
from lienzo.data.scenes.cast import Cast, emoji_captions
from lienzo.data.scenes.combinations import combination, seen
from lienzo.data.scenes.drawn import Drawn, Place
from lienzo.data.scenes.layout import Scene, laid_out
from lienzo.data.scenes.say import said_of
from lienzo.data.splits import Where, matching, rows_of

COUNT = 12_000  # scenes for training
HELD_OUT = 20  # as many times fewer are in each of the other splits
UNSEEN = COUNT // HELD_OUT  # scenes of held-out combinations in each split
SIDE = 64  # of the emoji as they are stored
VERSION = 2  # of how scenes are drawn: part of the fingerprint
LABELS = ("style", "group", "subgroup")
ASIDE = ("background", "instances", "weather", "action", "operation")  # what no condition hears unless it is asked for
FIGURE = {"group": "people-body", "subgroup": "person-activity"}  # what the main thing is where it is a figure


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


def open_scenes(ask: Ask, split: str, where: Where | None, *, count: int = COUNT) -> TableDataset:
    """Open the scenes. Those of a split show emoji of that split alone.

    No training scene shows a combination that is held out (`combinations`).

    Args:
        ask: size and channels.
        split: as in `open_source`.
        where: as in `open_source`; the labels are the main thing's, and "weather" and "action" (of a figure).
        count: scenes for training; the other splits have a twentieth each.

    Raises:
        DataError: for no scenes at all, or a split or a label that does not exist.
    """
    sizes = sizes_of(count, "scenes")
    parts = [part_of(name, size, seen) for name, size in chosen(split, sizes, "scenes").items()]
    return _opened("scenes", ask, parts, where, (split, count))


def open_combinations(ask: Ask, split: str, where: Where | None, *, count: int = UNSEEN) -> TableDataset:
    """Open scenes of training's emoji whose main thing no training scene shows in that weather and style.

    Args:
        ask: size and channels.
        split: "validation" or "test"; each holds out combinations of its own.
        where: as in `open_scenes`.
        count: scenes in each of both splits.

    Raises:
        DataError: for no scenes at all, or a split or a label that does not exist.
    """
    sizes = {name: size for name, size in sizes_of(count * HELD_OUT, "combinations").items() if name != "train"}
    parts = [part_of("train", size, _unseen(name)) for name, size in chosen(split, sizes, "combinations").items()]
    return _opened("combinations", ask, parts, where, (split, count))


def sizes_of(count: int, name: str) -> dict[str, int]:
    """Return how many scenes each split has.

    Raises:
        DataError: for none.
    """
    if count < 1:
        raise DataError(f"{count} scenes", hint=f"{name}:N with N from 1, such as {name}:5000")
    return {"train": count, "validation": -(-count // HELD_OUT), "test": -(-count // HELD_OUT)}


def chosen(split: str, sizes: Mapping[str, int], name: str) -> dict[str, int]:
    """Return the splits that are asked for, with their sizes.

    Raises:
        DataError: for a split that does not exist.
    """
    each = [part for part, size in sizes.items() for _ in range(size)]
    wanted = {each[row] for row in rows_of(split, each, [""] * len(each), name)}
    return {part: size for part, size in sizes.items() if part in wanted}


Fits = Callable[[Scene, Cast], bool]


def part_of(split: str, count: int, fits: Fits) -> Part:
    """Find the seeds of a split's scenes: each the first of its own row of seeds whose scene fits."""
    emoji = open_emoji(Ask(SIDE), split, None)
    cast = Cast(emoji, emoji_captions(), split)
    found = [_first(split, index, cast, fits) for index in range(count)]
    return Part([(cast, seed) for seed, _ in found], [scene for _, scene in found], emoji)


def _first(split: str, index: int, cast: Cast, fits: Fits) -> tuple[int, Scene]:
    attempt = 0
    while True:
        seed = derive_seed("scenes", split, index, *([attempt] if attempt else []))
        scene = laid_out(seed, cast, roughly=True)
        if fits(scene, cast):
            return seed, scene
        attempt += 1


def _unseen(held_out: str) -> Fits:
    return lambda scene, cast: combination(scene, scene.layers[0], cast) == held_out


def _opened(name: str, ask: Ask, parts: list[Part], where: Where | None, key: tuple[object, ...]) -> TableDataset:
    drawn = Drawn([place for part in parts for place in part.places], ask)
    scenes = [scene for part in parts for scene in part.scenes]
    table = Table(
        drawn, labels_of(parts), {"text": Texts(len(scenes), lambda row: said_of(drawn.scene(row), drawn.cast(row)))},
        drawn.columns(posed(scenes)),
    )  # fmt: skip
    return finished(name, table, parts, where, key)


def finished(name: str, table: Table, parts: list[Part], where: Where | None, key: tuple[object, ...]) -> TableDataset:
    """Make a dataset of a table: choose its rows, and name those columns that conditions hear."""
    rows = np.flatnonzero(matching(table, where or {}, name))
    whole = "|".join(part.emoji.fingerprint for part in parts)
    fingerprint = key_of(name, VERSION, whole, *key, dict(where or {}))
    licence = parts[0].emoji.licence
    found = TableDataset(name, table, rows, licence=licence, citation=CREDIT, fingerprint=fingerprint)
    found.asides = {name: column for name, column in found.columns.items() if name in ASIDE and name != "background"}
    found.columns = {name: column for name, column in found.columns.items() if name not in ASIDE}  # all is opaque
    return found


def posed(scenes: Sequence[Scene]) -> NDArray[np.bool_]:
    """Tell which scenes hold a figure, (N,)."""
    return np.array([any(layer.figure for layer in scene.layers) for scene in scenes], bool)


def labels_of(parts: list[Part]) -> dict[str, tuple[NDArray[np.int64], tuple[str, ...]]]:
    """Return the labels of scenes: the main thing's, the weather, and what a figure does."""
    scenes = [scene for part in parts for scene in part.scenes]
    known = parts[0].emoji.table.labels
    mains = np.array([scene.layers[0].row for scene in scenes], np.int64)
    labels = {name: (known[name][0][mains], known[name][1]) for name in LABELS}
    for name, said in FIGURE.items():
        codes, classes = labels[name]
        labels[name] = (np.where(posed(scenes), classes.index(said), codes), classes)
    figures = [next((layer.figure for layer in scene.layers if layer.figure), None) for scene in scenes]
    labels["weather"] = coded([scene.weather for scene in scenes])
    labels["action"] = coded([figure.action if figure else None for figure in figures])
    return labels
