"""Words without a dictionary: how English and Spanish forms lead back to the forms that a table is likely to hold.

Rules only propose; whoever asks keeps the first proposal that it knows, so a wrong one costs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

NEGATIONS = frozenset([
    "no", "not", "without", "never", "none", "nor", "sin", "nunca", "ni", "nadie", "ningún", "ninguna", "jamás",
])  # fmt: skip

_TOKEN = re.compile(r"\d+(?:st|nd|rd|th)?(?![^\W\d_])|[^\W\d_]+(?:['-][^\W\d_]+)*|\d+")
_CONTRACTIONS = {"can't": ["can", "not"], "won't": ["will", "not"], "cannot": ["can", "not"]}
_PICTOGRAPHS, _COLOURED = 0x2300, 0x1F000  # where they begin, and where names mean colours
_FLAG_LETTERS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))  # two make a flag: one by one they mean nothing
_PRINTED = re.compile(r"\b(?:BLACK|WHITE|HEAVY|MEDIUM) ")
_CLITIC = re.compile(r"'(?:s|re|ll|ve|d|m)$")
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"}

# (ending, what replaces it), longest first within a family; the shortest stem that is left has three letters.
_ENGLISH = [
    ("ies", "y"), ("ied", "y"), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("iness", "y"),
    ("ves", "f"), ("ves", "fe"), ("men", "man"), ("sses", "ss"), ("es", "e"), ("es", ""), ("s", ""),
    ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("er", ""), ("er", "e"), ("est", ""), ("est", "e"),
    ("ly", ""), ("ness", ""), ("less", ""), ("ful", ""), ("ish", ""), ("like", ""), ("y", ""), ("y", "e"),
]  # fmt: skip
_DIMINUTIVES = [
    (f"{stem}{gender}{many}", end)
    for stem in ("it", "ill", "ot")
    for gender in "oa"
    for many in ("", "s")
    for end in (gender, "ao"["oa".index(gender)], "")
]
_NOUNS = [
    ("ces", "z"), ("s", ""), ("es", ""), ("as", "o"), ("a", "o"), ("os", "a"), ("o", "a"),
    ("ísimo", "o"), ("ísima", "o"), ("mente", ""), ("amente", "o"),
    ("cito", ""), ("cita", ""), ("ecito", "e"), ("ecita", "e"),
    *_DIMINUTIVES,
    ("quito", "co"), ("quita", "ca"), ("guito", "go"), ("azo", "o"), ("azo", "a"), ("azo", ""), ("ona", "ón"),
]  # fmt: skip
_AR = [
    "ando", "ado", "ada", "ados", "adas", "aba", "abas", "aban", "ábamos", "ó", "aron", "aste", "é", "o", "as", "a",
    "amos", "áis", "an", "e", "es", "emos", "en", "ara", "aran", "ase", "asen",
]  # fmt: skip
_ER = [
    "iendo", "ido", "ida", "idos", "idas", "ía", "ías", "ían", "íamos", "ió", "ieron", "iste", "í", "o", "es", "e",
    "emos", "éis", "en", "a", "as", "amos", "an", "iera", "ieran", "iese",
]  # fmt: skip
_FUTURE = ["é", "ás", "á", "emos", "éis", "án", "ía", "ías", "ían", "íamos"]
_PRONOUNS = ["me", "te", "se", "lo", "la", "los", "las", "le", "les", "nos"]
_SPELLINGS = [("qu", "c"), ("gu", "g"), ("c", "z"), ("ie", "e"), ("ue", "o"), ("j", "g"), ("y", "")]


def split(text: str) -> list[str]:
    """The words of a text, lower-case, in order; digits are words, pictographs are their names, other signs are not.

    >>> split("It's NOT a T-shirt, ¿vale?  1st"), split("a 🐶!")
    (['it', 'not', 'a', 't-shirt', 'vale', '1st'], ['a', 'dog', 'face'])
    """
    tidy = "".join(map(_spelt, unicodedata.normalize("NFC", text))).lower().replace("’", "'").replace("ʼ", "'")
    words: list[str] = []
    for token in _TOKEN.findall(tidy):
        if token in _CONTRACTIONS:
            words += _CONTRACTIONS[token]
        elif token.endswith("n't"):
            words += [token[:-3], "not"]
        else:
            words.append(_CLITIC.sub("", token))
    return words


def _spelt(sign: str) -> str:
    """A pictograph's name, or the sign itself. The oldest were named by how they are printed: ❤ is no black heart."""
    if ord(sign) < _PICTOGRAPHS or unicodedata.category(sign) != "So" or sign in _FLAG_LETTERS:
        return sign
    name = unicodedata.name(sign, "")
    return f" {_PRINTED.sub('', name) if ord(sign) < _COLOURED else name} "


def plain(word: str) -> str:
    """A word without its accents (the tilde of ñ goes too).

    >>> plain("pingüino"), plain("muñeca")
    ('pinguino', 'muneca')
    """
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))


def number(word: str) -> str | None:
    """The English name of a numeral, or None where the word has no digit.

    >>> number("3"), number("2nd"), number("57"), number("two")
    ('three', 'second', 'number', None)
    """
    if not word[:1].isdigit():
        return None
    if word in _ORDINALS:
        return _ORDINALS[word]
    return _NUMBERS[int(word)] if word.isdecimal() and int(word) < len(_NUMBERS) else "number"


def english(word: str) -> Iterator[str]:
    """Base forms that an English word may come from.

    >>> list(english("ponies"))[0], "run" in english("running"), "wolf" in english("wolves")
    ('pony', True, True)
    """
    for ending, other in _ENGLISH:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3 - (other != "") or (ending == "s" and word.endswith("ss")):
            continue
        yield stem + other
        if ending in ("ing", "ed", "er", "est", "y") and not other and len(stem) > 3 and stem[-1] == stem[-2]:
            yield stem[:-1]


def spanish(word: str) -> Iterator[str]:
    """Base forms that a Spanish word may come from: singular, masculine, infinitive, without diminutive or pronoun.

    >>> "pez" in spanish("peces"), "gato" in spanish("gatitas"), "comer" in spanish("comiendo")
    (True, True, True)
    """
    for ending, other in _NOUNS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3 - (len(other) > 0):
            yield stem + other
    for pronoun in _PRONOUNS:
        if word.endswith(pronoun) and word[: -len(pronoun)].endswith(("r", "ndo")):
            host = plain(word[: -len(pronoun)])
            yield host
            yield from _infinitives(host)
    yield from _infinitives(word)


def _infinitives(word: str) -> Iterator[str]:
    for ending in _FUTURE:
        if word.endswith(ending) and word[: -len(ending)].endswith("r"):
            yield word[: -len(ending)]
    for endings, classes in ((_AR, ("ar",)), (_ER, ("er", "ir"))):
        for ending in endings:
            stem = word.removesuffix(ending)
            if stem == word or len(stem) < 2:
                continue
            for infinitive in classes:
                yield stem + infinitive
                for written, base in _SPELLINGS:
                    if written in stem[-4:]:
                        start, _, rest = stem.rpartition(written)
                        yield start + base + rest + infinitive


def trigrams(word: str) -> frozenset[str]:
    """Letter triples of a word with its borders, accents ignored.

    >>> sorted(trigrams("Sol"))
    ['<so', 'ol>', 'sol']
    """
    bare = f"<{plain(word.lower())}>"
    return frozenset(bare[i : i + 3] for i in range(len(bare) - 2))
