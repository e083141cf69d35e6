"""A change → what asks for it, in English and Spanish."""

from __future__ import annotations

import random
import re

from lienzo.data.scenes.cast import Cast
from lienzo.data.scenes.changes import Change
from lienzo.data.scenes.kinds import kind_of
from lienzo.data.scenes.layout import Layer
from lienzo.data.scenes.nouns import Noun, noun_of
from lienzo.data.scenes.phrases import SHIRTS
from lienzo.data.scenes.say import KIND, acting, plain_name
from lienzo.data.scenes.wordings import ACTS, GONE, HOURS, KEEP, KEEP_REST, PALABRAS

ENGLISH_COUNT, SPANISH_COUNT = 5, 4
REST, MELTED = 0.25, 0.4  # how often is said that all else stays, and that the snow or the rain is over
ARTICLE = re.compile(r"^(?:an?|the) ")
BARE = re.compile(r"^(?:Santa|Mrs\.|Mx) ")


def asked_of(change: Change, cast: Cast) -> list[str]:
    """List what may ask for a change, any one of which fits; where a thing is kept, all of them say so.

    Args:
        change: what was done.
        cast: knows what things are called.
    """
    rng = random.Random(change.before.seed ^ 0x1D5)
    english = [_asked(rng, change, cast, 0) for _ in range(2 * ENGLISH_COUNT)]
    spanish = [_asked(rng, change, cast, 1) for _ in range(2 * SPANISH_COUNT)]
    return [*dict.fromkeys(english)][:ENGLISH_COUNT] + [*dict.fromkeys(spanish)][:SPANISH_COUNT]


def the(noun: Noun) -> str:
    """Return an English noun with "the".

    >>> the(noun_of("dog", "perro")), the(noun_of("Santa Claus", "Papá Noel"))
    ('the dog', 'Santa Claus')
    """
    return noun.en if BARE.match(noun.en) else f"the {ARTICLE.sub('', noun.en)}"


def _asked(rng: random.Random, change: Change, cast: Cast, language: int) -> str:
    sentence = _weather(rng, change, language) if change.operation == "weather" else _act(rng, change, cast, language)
    if change.kept is not None:
        sentence += _filled(rng.choice(KEEP[language]), _called(rng, change.kept, change, cast))
    elif change.operation != "weather" and rng.random() < REST:
        sentence += rng.choice(KEEP_REST[language])
    return _contracted(sentence)


def _weather(rng: random.Random, change: Change, language: int) -> str:
    said = rng.choice(HOURS[change.hour][language])
    over = GONE.get(change.before.weather) if change.after.weather != change.before.weather else None
    return f"{rng.choice(over[language])}, {said}" if over and rng.random() < MELTED else said


def _act(rng: random.Random, change: Change, cast: Cast, language: int) -> str:
    thing = change.thing
    assert thing is not None
    if change.operation == "recolour" and thing.figure is not None:
        shirt, color = SHIRTS[change.word]
        return rng.choice(ACTS["shirt"][language]).format(word=change.word, new=shirt, palabra=color)
    if change.operation == "add" and thing.figure is not None:
        named = acting(rng, plain_name(thing, cast), thing.figure)
    else:
        named = _called(rng, thing, change, cast)
    new = plain_name(change.new, cast) if change.new is not None else named
    said = rng.choice(ACTS[change.operation][language])
    return _filled(said, named, new=new.en, nuevo=new.un, word=change.word, palabra=PALABRAS.get(change.word, ""))


def _called(rng: random.Random, layer: Layer, change: Change, cast: Cast) -> Noun:
    """Name a thing, by its kind now and then, where no other thing in the picture is of that kind."""
    kinds = [_kind(each, cast) for each in change.before.layers if each.depth != layer.depth]
    mine = _kind(layer, cast)
    if mine not in kinds and rng.random() < KIND:
        return noun_of(*mine)
    return plain_name(layer, cast)


def _kind(layer: Layer, cast: Cast) -> tuple[str, str]:
    if layer.figure is not None:
        return "person", "persona"
    return kind_of(cast.subgroups[layer.row], cast.captions[layer.row][0])


def _filled(template: str, noun: Noun, **others: str) -> str:
    return template.format(the=the(noun), a=noun.en, el=noun.el, un=noun.un, **others)


def _contracted(sentence: str) -> str:
    return sentence.replace(" de el ", " del ").replace(" a el ", " al ")
