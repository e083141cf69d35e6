"""Scenes: emoji that stand on grass, in a street or in the snow, in all weathers, with captions that say so.

`layout` decides what is seen, `draw` how it looks, `say` what may be said of it, `maps` and `pose` what is where; all
of them follow from the split and the scene's number alone. `changes` makes pairs of scenes that differ in one thing.
"""

from __future__ import annotations

from lienzo.data.scenes.composed import COUNT, Composed
from lienzo.data.scenes.drawn import Drawn
from lienzo.data.scenes.edits import EDITS
from lienzo.data.scenes.layout import Layer, Scene
from lienzo.data.scenes.source import COMBINATIONS, SCENES, UNSEEN

SOURCES = {each.name: each for each in (SCENES, COMBINATIONS, EDITS)}
"""Each takes how many there shall be: "scenes:5000"."""
USUAL = {"scenes": COUNT, "combinations": UNSEEN, "edits": COUNT}
"""How many there are where nobody says."""

__all__ = ["COUNT", "SOURCES", "UNSEEN", "USUAL", "Composed", "Drawn", "Layer", "Scene"]
