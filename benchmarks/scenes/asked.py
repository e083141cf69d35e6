"""Held-out scenes and pairs, and what is asked for with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lienzo.data.pixels import Ask
from lienzo.data.scenes import Composed
from lienzo.data.scenes.changes import Change
from lienzo.data.scenes.drawn import Drawn
from lienzo.data.scenes.edits import EDITS, Edited
from lienzo.data.scenes.kinds import kind_of
from lienzo.data.scenes.layout import Scene
from lienzo.data.scenes.nouns import together
from lienzo.data.scenes.say import plain_name
from lienzo.data.scenes.source import COMBINATIONS, SCENES
from lienzo.evaluation.scene_judge import THINGS

STEP = 64  # scenes that are looked through at once
SNOW = {"snow": "it's snowing, everything is covered in snow", "rain": "it is raining", "night": "at night"}


@dataclass(frozen=True)
class One:
    """A held-out scene.

    Attributes:
        table: that it is a row of.
        row: its number there.
    """

    table: Any
    row: int

    @property
    def drawn(self) -> Drawn:
        """The planes that it is a row of."""
        assert isinstance(self.table.planes, Drawn)
        return self.table.planes

    @property
    def scene(self) -> Scene:
        """What it shows."""
        return self.drawn.scene(self.row)

    @property
    def change(self) -> Change:
        """Of a pair: what is done."""
        assert isinstance(self.drawn, Edited)
        return self.drawn.change(self.row)

    @cached_property
    def picture(self) -> np.ndarray:
        """(64, 64, 3) bytes."""
        return self.drawn.one(self.row)[:3].transpose(1, 2, 0)

    def map(self, name: str) -> np.ndarray:
        """Return a map, (64, 64, K) bytes."""
        return self.table.maps[name][0][np.array([self.row])][0].transpose(1, 2, 0)

    def label(self, name: str) -> str:
        """Return a label's name."""
        codes, classes = self.table.labels[name]
        return classes[codes[self.row]]

    def kinds(self) -> set[int]:
        """Return the numbers of the kinds of things that it shows."""
        cast = self.drawn.cast(self.row)
        return {
            THINGS.index(
                "person" if layer.figure else kind_of(cast.subgroups[layer.row], cast.captions[layer.row][0])[0]
            )
            for layer in self.scene.layers
        }

    def names(self) -> str:
        """Say in English which things it shows: "a dog, a house and a tree"."""
        cast = self.drawn.cast(self.row)
        return together([plain_name(layer, cast) for layer in self.scene.layers]).en


def found(source: Composed, fits: Callable[[One], bool], split: str = "test", first: int = 0) -> Iterator[One]:
    """Yield the scenes of a split that fit, in their order from number `first` on, for ever."""
    while True:
        table = source.table([source.part(split, range(first, first + STEP))], Ask(64))
        yield from (one for one in (One(table, row) for row in range(STEP)) if fits(one))
        first += STEP


def posed(one: One) -> bool:
    """Tell whether a scene shows one figure, all of whose joints lie in the picture."""
    points = one.drawn.keypoints(one.row)
    return len(points) == 1 and bool((points[0, :, 2] > 0).all())


def weathered(one: One) -> bool:
    """Tell whether a pair changes the weather alone, to one that has a phrase, and keeps nothing."""
    change = one.change
    told = change.hour in SNOW and change.after.weather == change.hour  # it may go on snowing when night falls
    return change.operation == "weather" and told and change.kept is None


def kept(one: One) -> bool:
    """Tell whether a pair makes it snow and keeps a thing."""
    return one.change.operation == "weather" and one.change.hour == "snow" and one.change.kept is not None


def of_many(count: int) -> Callable[[One], bool]:
    """Return what tells whether a scene shows as many things, all different, and no figure."""
    return lambda one: (
        len(one.scene.layers) == count
        and not any(layer.figure for layer in one.scene.layers)
        and len({layer.row for layer in one.scene.layers}) == count
    )


SETS: dict[str, Callable[[], Iterator[One]]] = {
    "scenes": lambda: found(SCENES, lambda one: True),
    "posed": lambda: found(SCENES, posed),
    **{f"{n} things": (lambda n=n: found(COMBINATIONS, of_many(n))) for n in (1, 2, 3)},
    "weathered": lambda: found(EDITS, weathered),
    "kept": lambda: found(EDITS, kept),
}  # fmt: skip
"""Name → the held-out scenes of that kind."""
