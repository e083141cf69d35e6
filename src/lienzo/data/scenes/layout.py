"""What a scene shows: its weather, its sky, its ground, and which thing stands where."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from lienzo.core import derive_seed
from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.figures import Figure, random_figure, skeleton

Weather = Literal["clear", "snow", "rain", "night"]
Sky = Literal["day", "sunset", "overcast", "grey", "night"]
Ground = Literal["grass", "sand", "street", "hills", "snow"]
T = TypeVar("T")
Choices = tuple[tuple[T, float], ...]  # each with how often
WEATHERS: Choices[Weather] = (("clear", 0.30), ("snow", 0.35), ("rain", 0.15), ("night", 0.20))
SKIES: dict[Weather, Choices[Sky]] = {
    "clear": (("day", 0.75), ("sunset", 0.25)),
    "snow": (("overcast", 0.65), ("day", 0.2), ("night", 0.15)),
    "rain": (("grey", 1.0),),
    "night": (("night", 1.0),),
}
GROUNDS: Choices[Ground] = (("grass", 0.35), ("street", 0.25), ("hills", 0.25), ("sand", 0.15))
EDGE = 0.01  # free at either side, as a share of the picture's
HOW_MANY = (0.58, 0.27, 0.11, 0.04)  # of one, two, three and four things
MAIN = ((0.6, 0.85), (0.5, 0.64), (0.5, 0.64), (0.42, 0.5))  # side of the main thing, by how many there are
FARTHER = ((0.36, 0.44), (0.24, 0.32), (0.18, 0.24))  # and of the second, third and fourth
FIGURES = 0.125  # of all scenes hold a figure in place of their main thing
Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the picture's side


@dataclass(frozen=True)
class Layer:
    """One thing of a scene.

    Attributes:
        row: of the emoji's table; of a figure, its head's.
        box: where it stands.
        depth: 0 for the nearest thing, then 1, 2, 3.
        figure: the body under the head, if it is a figure.
        tint: name of the colour that it is painted in; "" for its own.
        under: the weather and the sky in which it is shown, where those are not the scene's.
    """

    row: int
    box: Box
    depth: int
    figure: Figure | None = None
    tint: str = ""
    under: tuple[Weather, Sky] | None = None


@dataclass(frozen=True)
class Scene:
    """All that is drawn, except for what its own numbers say: clouds, texture, flakes.

    Attributes:
        seed: of those numbers.
        style: of all its things.
        weather, sky, ground: by name.
        horizon: where the ground begins, as a share of the picture's height.
        layers: its things, the nearest first: that is the main one.
        like: the scene whose hills it has, where those are not its own.
    """

    seed: int
    style: str
    weather: Weather
    sky: Sky
    ground: Ground
    horizon: float
    layers: tuple[Layer, ...]
    like: Scene | None = None


Measure = Callable[[int], tuple[int, int]]  # a row → the width and height of its thing


def start(seed: int, cast: Cast) -> tuple[random.Random, str, int]:
    """Return a scene's generator, its style and its main thing: all that the labels need."""
    rng = random.Random(seed)
    style = rng.choice(cast.styles)
    return rng, style, cast.main(style, rng)


def laid_out(seed: int, cast: Cast, *, roughly: bool = False) -> Scene:
    """Lay out the scene of a seed.

    Args:
        seed: decides everything.
        cast: who may stand in it.
        roughly: say what is where, but not how large: no picture is read for it.
    """
    measure: Measure = (lambda _: (1, 1)) if roughly else (lambda row: cast.cut_out(row).size)
    rng, style, main = start(seed, cast)
    weather: Weather = one_of(rng, WEATHERS)
    sky: Sky = one_of(rng, SKIES[weather])
    ground: Ground = "snow" if weather == "snow" else one_of(rng, GROUNDS)
    horizon = rng.uniform(0.5, 0.66)
    count = rng.choices((1, 2, 3, 4), HOW_MANY)[0]
    layers = [_main(rng, main, measure, count)]
    for depth in range(1, count):
        row = _unlike(rng, style, cast, [layer.row for layer in layers])
        layers.append(behind(rng, row, measure, layers[0], depth, horizon))
    layers[0] = _with_body(layers[0], seed, style, cast)
    return Scene(seed, style, weather, sky, ground, horizon, tuple(layers))


def _with_body(main: Layer, seed: int, style: str, cast: Cast) -> Layer:
    """Put a figure in the place of some scenes' main thing; its numbers are its own, and leave the others' alone."""
    rng = random.Random(derive_seed("figure", seed))
    head = cast.head(style, rng) if rng.random() < FIGURES else None
    if head is None:
        return main
    left, _, right, bottom = main.box
    return figure_at(random_figure(rng), head, rng.uniform(0.68, 0.84), (left + right) / 2, bottom, 0)


def figure_at(figure: Figure, head: int, high: float, middle: float, bottom: float, depth: int) -> Layer:
    """Stand a figure in a place."""
    shape = skeleton(figure).wide
    return Layer(head, _fitting((shape, 1), high, middle, bottom), depth, figure)


def resized(layer: Layer, row: int, cast: Cast) -> Layer:
    """Put another thing in a thing's place."""
    left, top, right, bottom = layer.box
    side = max(right - left, bottom - top)
    box = _fitting(cast.cut_out(row).size, side, (left + right) / 2, bottom)
    return replace(layer, row=row, box=box, figure=None, tint="")


def one_of(rng: random.Random, choices: Choices[T]) -> T:
    """Draw one of several, each as often as it says."""
    return rng.choices([name for name, _ in choices], [often for _, often in choices])[0]


def _unlike(rng: random.Random, style: str, cast: Cast, there: list[int]) -> int:
    """Draw a thing that is not there yet; after a few attempts any."""
    row = cast.other(style, rng)
    for _ in range(8):
        if all(cast.captions[row] != cast.captions[other] for other in there):
            break
        row = cast.other(style, rng)
    return row


def _main(rng: random.Random, row: int, measure: Measure, count: int) -> Layer:
    side = rng.uniform(*MAIN[count - 1])
    away = (0.18, 0.22) if count == 4 else (0.12, 0.18)
    shift = rng.uniform(-0.08, 0.08) if count == 1 else rng.choice((-1, 1)) * rng.uniform(*away)
    return Layer(row, _fitting(measure(row), side, 0.5 + shift, rng.uniform(0.86, 0.95)), 0)


def behind(rng: random.Random, row: int, measure: Measure, main: Layer, depth: int, horizon: float) -> Layer:
    """Put a thing farther back: smaller, higher, beside the main one; a third on its other side, a fourth between."""
    bottom = main.box[3] - rng.uniform(0.04 if depth < 3 else 0.054, 0.08) * depth  # always behind the one before
    bottom = max(bottom, horizon + 0.06)
    side = rng.uniform(*FARTHER[depth - 1])
    away = 1 if main.box[0] + main.box[2] < 1 else -1
    beside = ((0.25, 0.3), (-0.4, -0.36), (0.0, 0.06))[depth - 1]
    middle = 0.5 + away * rng.uniform(*beside)
    return Layer(row, _fitting(measure(row), side, middle, bottom), depth)


def _fitting(shape: tuple[float, float], side: float, middle: float, bottom: float) -> Box:
    """Fit a thing of a shape into a square of a side that stands at a place, inside the picture."""
    width, height = shape
    wide, high = side * width / max(width, height), side * height / max(width, height)
    middle = min(max(middle, wide / 2 + EDGE), 1 - wide / 2 - EDGE)
    return middle - wide / 2, bottom - high, middle + wide / 2, bottom
