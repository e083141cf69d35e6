"""Scenes: emoji that stand on grass, in a street or in the snow, in all weathers, with captions that say so.

`layout` decides what is seen, `draw` how it looks, `say` what may be said of it; all three follow from the split and
the scene's number alone.
"""

from __future__ import annotations

from lienzo.data.scenes.layout import Layer, Scene
from lienzo.data.scenes.source import COUNT, Drawn, open_scenes

__all__ = ["COUNT", "Drawn", "Layer", "Scene", "open_scenes"]
