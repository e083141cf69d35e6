"""One thing changed in a scene: the weather, or a thing added, removed, replaced, recoloured or moved."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from lienzo.core import derive_seed
from lienzo.data.scenes import layout
from lienzo.data.scenes.cast import HUES, Cast
from lienzo.data.scenes.combinations import seen
from lienzo.data.scenes.figures import SHIRTS, random_figure
from lienzo.data.scenes.groups import PERSON, group_of
from lienzo.data.scenes.kinds import KINDS
from lienzo.data.scenes.layout import EDGE, GROUNDS, Layer, Scene, Sky, Weather

Operation = Literal["weather", "add", "remove", "replace", "recolour", "move"]
OPERATIONS: tuple[tuple[Operation, float], ...] = (
    ("weather", 0.38), ("add", 0.16), ("remove", 0.12), ("replace", 0.14), ("recolour", 0.12), ("move", 0.08),
)  # fmt: skip
HOURS: tuple[tuple[str, float], ...] = (("snow", 0.46), ("rain", 0.2), ("night", 0.18), ("day", 0.1), ("sunset", 0.06))
"""What a scene may be changed to."""
KEPT = 0.7  # of the changes of weather keep a thing, where the picture has one that nothing falls in front of
ADDED_FIGURES = 0.2  # of the things that are added
FARTHER = 0.17  # share of the picture by which a thing is moved at least
MOST = 4  # things in a scene
TRIES = 4  # places in which there may be room for a new thing


@dataclass(frozen=True)
class Change:
    """A pair of scenes.

    Attributes:
        operation: what was done.
        before, after: the scenes.
        depths: of the things that differ.
        hour: what the weather or the hour was changed to: "snow", "rain", "night", "day" or "sunset".
        thing: what was added, removed, recoloured or moved, or replaced.
        new: what it was replaced with.
        word: the colour, or the side to which it was moved.
        kept: the thing that must stay as it is, to the last pixel.
    """

    operation: Operation
    before: Scene
    after: Scene
    depths: frozenset[int] = frozenset()
    hour: str = ""
    thing: Layer | None = None
    new: Layer | None = None
    word: str = ""
    kept: Layer | None = None


def change_of(seed: int, cast: Cast) -> Change:
    """Change one thing in the scene of a seed; what cannot be done there gives way to something else, drawn anew.

    Args:
        seed: of the scene; the change is its function too.
        cast: who may stand in it.
    """
    rng = random.Random(derive_seed("change", seed))
    scene = layout.laid_out(seed, cast)
    while True:
        operation: Operation = layout.one_of(rng, OPERATIONS)
        change = _MAKERS[operation](rng, scene, cast)
        if change is not None and seen(change.before, cast) and seen(change.after, cast):
            return change  # no training pair shows what is held out from the scenes


def _weather(rng: random.Random, scene: Scene, cast: Cast) -> Change:
    now = scene.weather if scene.weather in ("snow", "rain") else scene.sky
    now_too = "night" if scene.sky == "night" else now
    hour = layout.one_of(rng, tuple((name, often) for name, often in HOURS if name not in (now, now_too)))
    weather, sky = _under(rng, scene, hour)
    ground = "snow" if weather == "snow" else scene.ground
    if ground == "snow" and weather != "snow":
        ground = layout.one_of(rng, GROUNDS)
    kept = _kept(rng, scene, cast)
    layers = tuple(replace(each, under=(scene.weather, scene.sky)) if each is kept else each for each in scene.layers)
    after = replace(scene, weather=weather, sky=sky, ground=ground, layers=layers, like=scene)
    return Change("weather", scene, after, hour=hour, kept=kept)


def _under(rng: random.Random, scene: Scene, hour: str) -> tuple[Weather, Sky]:
    """Which weather and sky an hour means here: it may snow at night, and it stays snowy when night falls."""
    if hour == "snow":
        return "snow", "night" if scene.sky == "night" else rng.choice(("overcast", "overcast", "day"))
    if hour == "rain":
        return "rain", "grey"
    if hour == "night":
        return ("snow" if scene.weather == "snow" else "night"), "night"
    return "clear", "day" if hour == "day" else "sunset"


def _kept(rng: random.Random, scene: Scene, cast: Cast) -> Layer | None:
    """Choose what shall stay: a building, where there is one."""
    if scene.weather in ("snow", "rain") or rng.random() >= KEPT:
        return None
    alone = _distinct(scene, cast)
    buildings = [layer for layer in alone if not layer.figure and "building" in KINDS[cast.subgroups[layer.row]]]
    return rng.choice(buildings or alone) if alone else None


def name_of(layer: Layer, cast: Cast) -> str:
    """Return what tells a thing from the others in a scene."""
    return layer.figure.action if layer.figure else cast.captions[layer.row][0]


def _add(rng: random.Random, scene: Scene, cast: Cast) -> Change | None:
    if len(scene.layers) == MOST:
        behind = [layer for layer in _distinct(scene, cast) if layer.depth > 0]
        gone = rng.choice(behind) if behind else None
        return gone and Change("add", _without(scene, gone), scene, frozenset({gone.depth}), thing=gone)
    there = [name_of(each, cast) for each in scene.layers]
    for _ in range(TRIES):
        new = _newcomer(rng, scene, cast)
        if _seen_share(new, scene.layers) >= 0.5 and name_of(new, cast) not in there:
            return Change("add", scene, replace(scene, layers=(*scene.layers, new)), frozenset({new.depth}), thing=new)
    return None


def _newcomer(rng: random.Random, scene: Scene, cast: Cast) -> Layer:
    """Stand a thing or a figure behind what is there; small and far, or not so far."""
    row, far = cast.other(scene.style, rng), rng.choice((1, 2))
    new = layout.behind(rng, row, lambda each: cast.cut_out(each).size, scene.layers[0], far, scene.horizon)
    new = replace(new, depth=len(scene.layers))
    head = cast.head(scene.style, rng) if rng.random() < ADDED_FIGURES else None
    if head is None:
        return new
    left, _, right, bottom = new.box
    return layout.figure_at(random_figure(rng), head, rng.uniform(0.42, 0.52), (left + right) / 2, bottom, new.depth)


def _remove(rng: random.Random, scene: Scene, cast: Cast) -> Change | None:
    thing = _one(rng, scene, cast)
    return thing and Change("remove", scene, _without(scene, thing), frozenset({thing.depth}), thing=thing)


def _replace(rng: random.Random, scene: Scene, cast: Cast) -> Change | None:
    thing = _one(rng, scene, cast)
    if thing is None:
        return None
    new = layout.resized(thing, (cast.other if thing.depth else cast.main)(scene.style, rng), cast)
    if name_of(new, cast) in [name_of(each, cast) for each in scene.layers]:
        return None
    return Change("replace", scene, _with(scene, new), frozenset({thing.depth}), thing=thing, new=new)


def _recolour(rng: random.Random, scene: Scene, cast: Cast) -> Change | None:
    thing = _one(rng, scene, cast)
    if thing is None or (not thing.figure and group_of(cast.subgroups[thing.row], name_of(thing, cast)) == PERSON):
        return None  # people wear colours, they are none
    if thing.figure is not None:
        colour = rng.choice([name for name in SHIRTS if name != thing.figure.shirt])
        new = replace(thing, figure=replace(thing.figure, shirt=colour))
    else:
        colour = rng.choice([name for name in HUES if name != cast.colour(thing.row)])
        new = replace(thing, tint=colour)
    return Change("recolour", scene, _with(scene, new), frozenset({thing.depth}), thing=thing, word=colour)


def _move(rng: random.Random, scene: Scene, cast: Cast) -> Change | None:
    thing = _one(rng, scene, cast)
    if thing is None:
        return None
    left, top, right, bottom = thing.box
    room = {"left": left - EDGE, "right": 1 - EDGE - right}
    sides = [side for side, free in room.items() if free >= FARTHER]
    if not sides:
        return None
    side = rng.choice(sides)
    by = rng.uniform(FARTHER, room[side]) * (1 if side == "right" else -1)
    new = replace(thing, box=(left + by, top, right + by, bottom))
    nearer = tuple(layer for layer in scene.layers if layer.depth < thing.depth)
    if _seen_share(new, nearer) < 0.5:
        return None
    return Change("move", scene, _with(scene, new), frozenset({thing.depth}), thing=thing, word=side)


def _one(rng: random.Random, scene: Scene, cast: Cast) -> Layer | None:
    fit = _distinct(scene, cast)
    return rng.choice(fit) if fit else None


def _distinct(scene: Scene, cast: Cast) -> list[Layer]:
    """List the things that their names tell from the others, and of which enough is seen."""
    names = [name_of(layer, cast) for layer in scene.layers]
    return [
        layer for number, layer in enumerate(scene.layers)
        if names.count(names[number]) == 1 and _seen_share(layer, scene.layers[:number]) > 0.35
    ]  # fmt: skip


def _seen_share(layer: Layer, nearer: tuple[Layer, ...]) -> float:
    """How much of a thing's width nothing nearer covers, by their boxes."""
    left, _, right, _ = layer.box
    free = right - left
    for other in nearer:
        free -= max(0.0, min(right, other.box[2]) - max(left, other.box[0]))
    return free / (right - left)


def _without(scene: Scene, gone: Layer) -> Scene:
    return replace(scene, layers=tuple(layer for layer in scene.layers if layer is not gone))


def _with(scene: Scene, new: Layer) -> Scene:
    return replace(scene, layers=tuple(new if layer.depth == new.depth else layer for layer in scene.layers))


_MAKERS: dict[Operation, Callable[[random.Random, Scene, Cast], Change | None]] = {
    "weather": _weather, "add": _add, "remove": _remove, "replace": _replace, "recolour": _recolour, "move": _move,
}  # fmt: skip
