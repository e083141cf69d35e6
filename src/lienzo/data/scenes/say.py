"""A scene → what may be said of it, in English and Spanish."""

from __future__ import annotations

import random
from collections.abc import Mapping

from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.figures import Figure
from lienzo.data.scenes.kinds import kind_of
from lienzo.data.scenes.layout import Layer, Scene
from lienzo.data.scenes.nouns import Noun, beside, noun_of, together
from lienzo.data.scenes.phrases import ACTS, BESIDE, ENGLISH, SHIRTS, SPANISH, WEATHER, Templates

KIND = 0.35  # how often a thing is called by its kind ("a building") rather than by its name ("a house")
BARE = 0.3  # how often the weather is also said without any thing
PLACED = 0.3  # how often the ground is named in bad weather
DONE, WORN = 0.9, 0.25  # how often is said what a figure does, and what it wears
ENGLISH_COUNT, SPANISH_COUNT = 5, 4  # sentences about the things


def said_of(scene: Scene, cast: Cast) -> list[str]:
    """List what may be said of a scene: six to ten candidates, of which any one fits.

    Args:
        scene: what is seen.
        cast: knows what its things are called.
    """
    rng = random.Random(scene.seed ^ 0x5A7)
    said = [_filled(t, _subject(rng, scene, cast)) for t in _templates(rng, scene, ENGLISH)[:ENGLISH_COUNT]]
    said += [_filled(t, _subject(rng, scene, cast)) for t in _templates(rng, scene, SPANISH)[:SPANISH_COUNT]]
    if scene.weather in WEATHER and rng.random() < BARE:
        said[rng.randrange(ENGLISH_COUNT)] = rng.choice(WEATHER[scene.weather][0])
        said[-1] = rng.choice(WEATHER[scene.weather][1])
    return list(dict.fromkeys(said))


def _filled(template: str, noun: Noun) -> str:
    sentence = template.format(en=noun.en, un=noun.un, el=noun.el, o=noun.ending)
    return sentence.replace(" de el ", " del ").replace(" a el ", " al ")


def _templates(rng: random.Random, scene: Scene, of: Mapping[str, Templates]) -> list[str]:
    """Draw templates that fit the weather and the hour, each once; some name the ground."""
    hour = scene.sky if scene.weather == "clear" else scene.weather
    placed = list(of[scene.ground]) if scene.ground != "snow" else []
    if scene.weather == "clear":
        chosen = placed + rng.sample(of[hour], 3)
    elif (scene.weather, scene.sky) == ("snow", "night"):
        chosen = rng.sample(of["snow night"], 2) + rng.sample(of["snow"], 3)
    else:
        chosen = rng.sample(of[hour], 5)
        if placed and rng.random() < PLACED:
            chosen[0] = rng.choice(placed)
    rng.shuffle(chosen)
    return chosen


def _subject(rng: random.Random, scene: Scene, cast: Cast) -> Noun:
    """Name the main thing, or all of them together, or which stands beside which."""
    names = [_named(rng, layer, cast) for layer in scene.layers]
    how = rng.random()
    if len(names) == 1 or how < 0.3 or len({name.en for name in names}) < len(names):
        return names[0]
    if how < 0.65:
        return together(names)
    return beside(names[0], names[1], rng.choice(BESIDE))


def _named(rng: random.Random, layer: Layer, cast: Cast) -> Noun:
    if layer.figure is not None:
        return acting(rng, plain_name(layer, cast), layer.figure)
    subgroup, (english, spanish) = cast.subgroups[layer.row], cast.captions[layer.row]
    if rng.random() < KIND or not spanish:
        return noun_of(*kind_of(subgroup, english))
    if subgroup.startswith("animal-") and english.endswith(" face") and rng.random() < 0.5:
        return noun_of(english.removesuffix(" face"), spanish.removeprefix("cara de "))
    return noun_of(english, spanish)


def plain_name(layer: Layer, cast: Cast) -> Noun:
    """Name a thing as its caption does; a figure by its head, whatever it does."""
    if layer.figure is not None and not cast.is_person(layer.row):
        return noun_of("person", "persona")
    english, spanish = cast.captions[layer.row]
    return noun_of(english, spanish) if spanish else noun_of(*kind_of(cast.subgroups[layer.row], english))


def acting(rng: random.Random, noun: Noun, figure: Figure) -> Noun:
    """Say of a figure what it does, and now and then what it wears."""
    does = rng.choice(ACTS[figure.action])
    dressed, vestido = "", ""
    if rng.random() < WORN:
        dressed, vestido = f" in {SHIRTS[figure.shirt][0]}", f" con camiseta {SHIRTS[figure.shirt][1]}"
    what = rng.random() < DONE
    en, es, que = (f" {does[0]}", f" {does[1]}", f" que {does[2]}") if what else ("", "", "")
    return Noun(noun.en + dressed + en, noun.un + vestido + es, noun.el + vestido + que, noun.ending)
