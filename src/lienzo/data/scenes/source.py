"""The sources of scenes: all of them, and those whose combinations no training scene shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lienzo.data.dataset import Table
from lienzo.data.emoji import coded
from lienzo.data.pixels import Ask
from lienzo.data.scenes.combinations import combination, seen
from lienzo.data.scenes.composed import COUNT, HELD_OUT, Composed, Fits, Part, References, Texts, part_of, three_splits
from lienzo.data.scenes.drawn import Drawn
from lienzo.data.scenes.layout import Scene
from lienzo.data.scenes.say import said_of

UNSEEN = COUNT // HELD_OUT  # scenes of held-out combinations in each split
LABELS = ("style", "group", "subgroup")
FIGURE = {"group": "people-body", "subgroup": "person-activity"}  # what the main thing is where it is a figure


def posed(scenes: Sequence[Scene]) -> NDArray[np.bool_]:
    """Tell which scenes hold a figure, (N,)."""
    return np.array([any(layer.figure for layer in scene.layers) for scene in scenes], bool)


def labels_of(parts: Sequence[Part]) -> dict[str, tuple[NDArray[np.int64], tuple[str, ...]]]:
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


def _table(parts: Sequence[Part], ask: Ask) -> Table:
    """Return what is known of scenes; "reference" is the main thing alone, where it is no figure."""
    drawn = Drawn([place for part in parts for place in part.places], ask)
    scenes = [scene for part in parts for scene in part.scenes]
    mains = [-1 if scene.layers[0].figure else scene.layers[0].row for scene in scenes]
    references = References(parts[0].emoji.table.planes, np.array(mains, np.int64))
    texts = Texts(len(scenes), lambda row: said_of(drawn.scene(row), drawn.cast(row)))
    maps = {**drawn.columns(posed(scenes)), "reference": references.column}
    return Table(drawn, labels_of(parts), {"text": texts}, maps)


def _unseen(held_out: str) -> Fits:
    return lambda scene, cast: combination(scene, scene.layers[0], cast) == held_out


SCENES = Composed("scenes", three_splits, lambda split, numbers: part_of(split, numbers, seen), _table)
"""Scenes. Those of a split show emoji of that split alone, and no training scene a combination that is held out. The
labels are the main thing's, and "weather" and "action" (of a figure)."""
COMBINATIONS = Composed(
    "combinations", lambda count: {"validation": count, "test": count},
    lambda split, numbers: part_of("train", numbers, _unseen(split)), _table,
)  # fmt: skip
"""Scenes of training's emoji whose main thing no training scene shows in that weather and style: "validation" and
"test" hold out combinations of their own."""
