"""From words to the classes of a map: several at once, in English or Spanish, and things by their kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from lienzo.core import ConditionError
from lienzo.data.compressed import shards
from lienzo.data.scenes.groups import GROUPS, group_of
from lienzo.data.scenes.kinds import KINDS, kind_of

BETWEEN = re.compile(r"\s*[,;]\s*(?:and\s+|y\s+|e\s+)?|\s+(?:and|y|e)\s+", re.IGNORECASE)
ARTICLE = re.compile(r"^(?:the|my|an?|el|la|los|las|mis?|una?)\s+", re.IGNORECASE)
LAND = {"cielo": "sky", "suelo": "ground", "tierra": "ground", "otro": "other"}  # groups that are no kind of thing


def classes_meant(words: str, names: Mapping[int, str]) -> tuple[list[int], list[str]]:
    """Return the numbers of the classes that words mean, and what has to be said about it.

    A class is meant by its name, one of several names between commas, or its number; else by a word for things of its
    kind: "house", "casa" and "edificio" mean "building".

    Args:
        words: "building", "the house and the tree", "el edificio, el cielo".
        names: of the map's classes by their numbers.

    Raises:
        ConditionError: for words that mean none of them.

    >>> classes_meant("the sky and the ground", {0: "sky", 1: "Ground", 2: "building"})
    ([0, 1], [])
    >>> classes_meant("las casas", {2: "building"})
    ([2], ["'casas' was heard as the map's class 'building'"])
    """
    found, notes = _named(_bare(words), names), list[str]()
    for word in [] if found else map(_bare, BETWEEN.split(words.strip())):
        numbers = _named(word, names)
        other = next((o for o in _others(word) if _named(o, names)), None) if not numbers else None
        if other is not None:
            numbers = _named(other, names)
            notes.append(f"{word!r} was heard as the map's class {names[numbers[0]]!r}")
        if not numbers:
            raise ConditionError(f"the map has no class {word!r}", hint=f"one of {', '.join(names.values())}")
        found += [number for number in numbers if number not in found]
    return found, notes


def _bare(word: str) -> str:
    return ARTICLE.sub("", word.strip())


def _named(word: str, names: Mapping[int, str]) -> list[int]:
    """Return the classes that bear a word as their name, or as one of several, or as their number."""
    for form in _forms(word):
        for own in (lambda name: [name], lambda name: name.split(",")):
            told = {number: [each.strip().casefold() for each in own(name)] for number, name in names.items()}
            found = [number for number, each in told.items() if form in each or form == str(number)]
            if found:
                return found
    return []


def _forms(word: str) -> Iterator[str]:
    """Yield a word and what may be its singular."""
    word = word.casefold()
    yield word
    for ending in ("s", "es"):
        if len(word) > len(ending) + 2 and word.endswith(ending):
            yield word.removesuffix(ending)


def _others(word: str) -> Iterator[str]:
    """Yield other names of what a word means, from near to far: itself in English, its kind, its group."""
    for form in _forms(word):
        if form in LAND:
            yield LAND[form]
        for subgroup, (_, english, spanish) in KINDS.items():
            if form in (english, spanish):
                yield from (english, GROUPS[group_of(subgroup, "")])
        if form in ("tree", "árbol"):
            yield from ("tree", "plant")
        if form in _things():
            caption, subgroup = _things()[form]
            kind = [kind_of(subgroup, caption)[0]] if subgroup in KINDS else []
            yield from (caption, *kind, GROUPS[group_of(subgroup, caption)])


@cache
def _things() -> dict[str, tuple[str, str]]:
    """Return caption, in either language → the English one and its subgroup, of all emoji."""
    import pyarrow.parquet as pq

    found: dict[str, tuple[str, str]] = {}
    for file in shards("emoji", "emoji"):
        table = pq.read_table(file, columns=["caption_en", "caption_es", "subgroup"]).to_pydict()
        for english, spanish, subgroup in zip(*table.values(), strict=True):
            for caption in (english, spanish):
                if caption and english and subgroup:
                    found.setdefault(caption.casefold(), (english, subgroup))
    return found
