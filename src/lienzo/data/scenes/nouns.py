"""Captions → noun phrases with articles, in English and in Spanish."""

from __future__ import annotations

import re
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMES = frozenset({"Santa Claus", "Mrs. Claus", "Mx Claus", "Papá Noel", "Mamá Noel", "Noel"})
THE = frozenset({"Tokyo tower", "Statue of Liberty", "Torre de Tokio", "Estatua de la Libertad"})
PREPOSITION = re.compile(r" (?:with|of|in|on|to|at|without|for|from|and|\w+ing) ")
PLURALS = frozenset({"people", "women", "men", "skis"})
MASS = frozenset({
    "bread", "cooked rice", "curry rice", "spaghetti", "popcorn", "bacon", "baguette bread", "butter", "salt", "garlic",
    "broccoli", "ice", "sake", "meat on bone", "poultry leg", "canned food", "tennis", "bowling", "badminton", "sushi",
    "ice hockey", "field hockey", "ping pong", "lacrosse", "horse racing", "shaved ice", "leafy green", "flatbread",
    "soap", "thread", "yarn", "american football", "rugby football",
})  # fmt: skip
"""English captions that take no article."""
MASCULINE = _words(
    "mapa panda koala planeta tranvía sofá día gorila guardia astronauta policía futbolista artista pijama puma papá "
    "ninja oficinista taxista problema tema pentagrama fantasma alienígena busca hada águila hacha ancla arpa ala ave "
    "ánfora área"
)
"""Nouns in -a that take "un" and "el"; some are feminine all the same (`ADJECTIVES`)."""
FEMININE = _words(
    "flor mano moto serpiente fuente llave nube noche torre leche sal mujer calle nave col raíz imagen radio nariz "
    "lombriz actriz señal catedral piel cruz luz red pared estación televisión construcción decoración "
    "orca foca nuez sartén cárcel pareja mamá carne espiral placa scooter furgoneta lente"
)
ADJECTIVES = frozenset({"hada", "águila", "hacha", "ancla", "arpa", "ala", "ave", "ánfora"})
ONE = _words(
    "autobús trolebús minibús microbús cactus paraguas salvavidas t-rex tenis marcapáginas bíceps jersey ciempiés "
    "rascacielos pintalabios cumpleaños paracaídas"
)
"""Spanish nouns in -s that are singular."""


@dataclass(frozen=True)
class Noun:
    """A thing, or several, as a sentence needs it.

    Attributes:
        en: with its article: "a dog".
        un, el: in Spanish with either article: "un perro", "el perro".
        ending: of an adjective that goes with it: "o", "a", "os" or "as".
    """

    en: str
    un: str
    el: str
    ending: str


def noun_of(english: str, spanish: str) -> Noun:
    """Give both captions of one thing their articles; without a Spanish one the Spanish fields are empty.

    >>> noun_of("house", "casa")
    Noun(en='a house', un='una casa', el='la casa', ending='a')
    >>> noun_of("man: red hair", "hombre: pelo pelirrojo").un
    'un hombre con pelo pelirrojo'
    """
    un, el, ending = _spanish(_joined(spanish, "con", "sin ")) if spanish else ("", "", "o")
    return Noun(_english(_joined(english, "with", "without ")), un, el, ending)


def together(nouns: list[Noun]) -> Noun:
    """Name several things in one phrase.

    >>> together([noun_of("dog", "perro"), noun_of("house", "casa")])
    Noun(en='a dog and a house', un='un perro y una casa', el='el perro y la casa', ending='os')
    """
    if len(nouns) == 1:
        return nouns[0]
    feminine = all(noun.ending in ("a", "as") for noun in nouns)
    un, el = ([each.un for each in nouns], [each.el for each in nouns])
    return Noun(_listed([n.en for n in nouns], "and"), _listed(un, "y"), _listed(el, "y"), "as" if feminine else "os")


def beside(near: Noun, far: Noun, words: tuple[str, str]) -> Noun:
    """Say that one thing is beside another.

    >>> beside(noun_of("dog", "perro"), noun_of("house", "casa"), ("next to", "junto a")).el
    'el perro junto a una casa'
    """
    tail = f"{words[1]} {far.un}"
    return Noun(f"{near.en} {words[0]} {far.en}", f"{near.un} {tail}", f"{near.el} {tail}", near.ending)


def _listed(parts: list[str], word: str) -> str:
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if all(parts) else ""


def _joined(caption: str, word: str, bare: str) -> str:
    """'man: red hair' → 'man with red hair'; which way someone faces is left out."""
    head, _, tail = (part.strip() for part in caption.partition(":"))
    if not tail or tail in ("facing right", "hacia la derecha") or "," in tail or "family" in head:
        return head
    if tail == "bald":
        return f"bald {head}"
    return f"{head} {tail}" if tail.startswith(bare) else f"{head} {word} {tail}"


def _english(caption: str) -> str:
    if caption in NAMES:
        return caption
    if caption in THE:
        return f"the {caption}"
    head = PREPOSITION.split(caption)[0]
    last = head.split()[-1].lower()
    plural = last in PLURALS or head.split()[0].lower() in PLURALS or re.search(r"[^suio]s$", last)
    if plural or caption in MASS:
        return caption
    vowel = caption[0].lower() in "aeio" or caption.startswith(("umb", "ups"))
    return f"{'an' if vowel and not caption.startswith(('ewe', 'one')) else 'a'} {caption}"


def _spanish(caption: str) -> tuple[str, str, str]:
    """Return the caption with "un" and with "el", and the ending of its adjectives."""
    words = caption.split()
    first = words[0].lower()
    if caption in NAMES:
        return caption, caption, "a" if first == "mamá" else "o"
    if first in ("dos", "tres"):
        return caption, f"las {caption}" if words[1].endswith("as") else f"los {caption}", "os"
    feminine = _feminine(first, words)
    several = first.endswith("s") and first not in ONE
    ending = ("a" if feminine or first in ADJECTIVES else "o") + ("s" if several else "")
    el = ("las" if several else "la") if feminine else ("los" if several else "el")
    un = ("unas" if several else "una") if feminine else ("unos" if several else "un")
    return f"{el if caption in THE else un} {caption}", f"{el} {caption}", ending


def _feminine(first: str, words: list[str]) -> bool:
    told = words[-1] if len(words) > 1 and words[-2] not in ("de", "y", "con") else ""
    if told in ("mujer", "hombre"):
        return told == "mujer" and first not in ADJECTIVES
    one = first.removesuffix("s") if first not in ONE else first
    if first in MASCULINE or one in MASCULINE:
        return False
    known = first in FEMININE or one in FEMININE or first.removesuffix("es") in FEMININE
    return known or one.endswith(("a", "ción", "sión", "dad", "tad", "umbre", "triz"))
