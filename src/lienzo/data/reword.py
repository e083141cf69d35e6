"""Captions said in other words, so that a model hears words that no caption has as what they come nearest to."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.conditions.words import WordTable
from lienzo.core.errors import ConfigurationError
from lienzo.data.dataset import Dataset

NEAR = 0.62  # cosine from which one word may stand for another
MOST = 100  # words that may stand for one
OF_PEOPLE = 0.8  # the same for words that name people: what a table of words holds near them is often an insult
PEOPLE = frozenset({
    "woman", "man", "girl", "boy", "person", "child", "baby", "wife", "husband", "mother", "father", "skin",
    "mujer", "hombre", "niña", "niño", "chica", "chico", "persona", "bebé", "madre", "padre", "piel",
})  # fmt: skip
CONTENT = 0.25  # weight from which a word says what a picture shows; lighter ones ("with", "of") stay
WAYS = 8  # in which a caption may be said: few enough for each to be read only once in a long run
MANY = 1_000_000  # captions that are kept
CHUNK = 4096
OPENERS: dict[str, tuple[str, ...]] = {
    "en": ("a", "a", "an", "the", "one", "a cute", "a little", "a nice", "a big", "a drawing of a", "a picture of the"),
    "es": ("un", "una", "el", "la", "un bonito", "una pequeña", "un gran", "un dibujo de", "una imagen del"),
}
CLOSERS: dict[str, tuple[str, ...]] = {
    "en": ("smiling", "jumping", "looking happy", "outdoors", "in the morning", "all alone", "while running"),
    "es": ("feliz", "saltando", "sonriendo", "por la mañana", "al aire libre", "mientras corre"),
}


class Reworder:
    """Says captions with neighbours of their words.

    Every word of the table for which a caption's word is the nearest of all captions' words may stand for it: what
    nobody drew (a beagle) is then learnt as the nearest thing that somebody did (a dog), and not as a mixture of all
    that lies around. Openers ("a cute …") and closers ("… while running") are heard as what they are: not the thing.

    Args:
        captions: all that may be said of the pictures.
        share: probability with which each word of a caption is replaced; openers come as often, closers a third as
            often.
        table: of words; by default the one that ships.
    """

    def __init__(self, captions: Iterable[str], share: float, table: WordTable | None = None) -> None:
        self.share, self.table = share, table or WordTable.load()
        self._known: dict[tuple[str, int], str] = {}
        self.others = stand_ins({word for text in captions for word in self.table.split(text)}, self.table)

    def __call__(self, text: str, seed: float) -> str:
        """Return the caption in one of `WAYS` ways, chosen by a seed in [0, 1)."""
        way = int(seed * WAYS)
        if (text, way) not in self._known:
            if len(self._known) > MANY:
                self._known.clear()
            self._known[text, way] = self._said(text, way)
        return self._known[text, way]

    def _said(self, text: str, way: int) -> str:
        rng = random.Random(f"{way} {text}")
        words = self.table.split(text)
        language = self.table.language(words) or "en"
        said = [rng.choice(self.others[w]) if w in self.others and rng.random() < self.share else w for w in words]
        if said == words and rng.random() < 0.5:
            return text
        if rng.random() < self.share and (not said or said[0] not in ("a", "an", "un", "una")):
            said = [rng.choice(OPENERS[language]), *said]
        if rng.random() < self.share / 3:
            said = [*said, rng.choice(CLOSERS[language])]
        return " ".join(said)


def stand_ins(words: set[str], table: WordTable) -> dict[str, list[str]]:
    """Return for each word that says something the words of the table that lie nearer to it than to any other."""
    known = sorted(word for word in words if (row := table.lookup(word)) is not None and table.weights[row] >= CONTENT)
    if not known:
        return {}
    theirs = np.stack([table.vector(word) for word in known])
    nearest = [_nearest(theirs, table, range(s, min(s + CHUNK, len(table)))) for s in range(0, len(table), CHUNK)]
    place, cosine = np.concatenate([p for p, _ in nearest]), np.concatenate([c for _, c in nearest])
    found: dict[str, list[str]] = {}
    for row in np.argsort(-cosine, kind="stable").tolist():
        if cosine[row] < NEAR:
            break
        word, own = table.words[row], known[int(place[row])]
        near = word not in words and (own not in PEOPLE or cosine[row] >= OF_PEOPLE)
        if near and len(found.setdefault(own, [])) < MOST and table.weights[row] >= CONTENT:
            found[own].append(word)
    return {word: others for word, others in found.items() if others}


def _nearest(theirs: NDArray[np.float32], table: WordTable, rows: range) -> tuple[NDArray[Any], NDArray[Any]]:
    cosines = table.rows(rows) @ theirs.T
    best = cosines.argmax(1)
    return best, cosines[np.arange(len(rows)), best]


def voice_of(dataset: Dataset, share: float) -> Reworder | None:
    """Return what says a set's captions in other words; None for a share of 0 or a set without captions.

    Raises:
        ConfigurationError: for a share that is no probability.
    """
    if not 0 <= share <= 1:
        raise ConfigurationError(f"reword {share} is no probability", hint="a number from 0 to 1")
    told = [name for name, column in dataset.columns.items() if column.kind == "text"] if share else []
    if not told:
        return None
    every = range(len(dataset))
    return Reworder({text for name in told for texts in dataset.values(name, every) for text in texts or ()}, share)
