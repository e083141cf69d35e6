"""Scenes: emoji that stand on grass, in a street or in the snow, in all weathers, with captions that say so.

`layout` decides what is seen, `draw` how it looks, `say` what may be said of it, `maps` and `pose` what is where; all
of them follow from the split and the scene's number alone. `changes` makes pairs of scenes that differ in one thing.
"""

from __future__ import annotations

from lienzo.data.scenes.drawn import Drawn
from lienzo.data.scenes.edits import open_edits
from lienzo.data.scenes.layout import Layer, Scene
from lienzo.data.scenes.source import COUNT, UNSEEN, open_combinations, open_scenes

SOURCES = {"scenes": open_scenes, "combinations": open_combinations, "edits": open_edits}
"""Each takes how many there shall be: "scenes:5000"."""

__all__ = ["COUNT", "SOURCES", "UNSEEN", "Drawn", "Layer", "Scene", "open_combinations", "open_edits", "open_scenes"]
