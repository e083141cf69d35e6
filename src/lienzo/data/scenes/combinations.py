"""Which combinations of thing, weather and style no training scene shows.

A model that draws them has composed what it learnt apart; `combinations:N` is a source of such scenes.
"""

from __future__ import annotations

from lienzo.data.alike import place_of
from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.layout import Layer, Scene

HELD = (("validation", 0.025), ("test", 0.05))  # each up to which place: 5 % of all combinations are held out


def split_of(thing: str, weather: str, style: str) -> str:
    """Return the split that a combination belongs to: a rule by hash alone, the same for ever.

    Args:
        thing: its English caption; of a figure, what it does.
        weather: "clear", "snow", "rain" or "night".
        style: of the drawing.

    >>> sum(split_of(f"thing {i}", "snow", "noto") == "train" for i in range(1000))
    953
    """
    place = place_of(f"{thing}/{weather}/{style}")
    return next((split for split, below in HELD if place < below), "train")


def combination(scene: Scene, layer: Layer, cast: Cast) -> str:
    """Return the split that a thing, the weather and the style of a scene belong to together."""
    thing = layer.figure.action if layer.figure else cast.captions[layer.row][0]
    return split_of(thing, scene.weather, scene.style)


def seen(scene: Scene, cast: Cast) -> bool:
    """Tell whether a scene may be shown: in training, if none of its combinations is held out; elsewhere any."""
    return cast.split != "train" or all(combination(scene, layer, cast) == "train" for layer in scene.layers)
