"""Word vectors: a table distilled from sentence encoders, in which English and Spanish words lie in one space.

The table gives every word a unit vector; a word that it does not hold is led back to one that it does (`morphology`),
split in two, or placed among the words that are spelled most like it, so that no word is lost. `tools/build_words.py`
makes the file; `benchmarks/words` measures it.

Sources: static words from a sentence encoder follow model2vec (Tulkens and van Dongen, 2024); the weights of a mean of
words are those of "A simple but tough-to-beat baseline for sentence embeddings" (Arora, 2017), eq. 3: a / (a + p(w)).
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch import Tensor

from lienzo.conditions import morphology

Language = Literal["en", "es"]
Vectors = NDArray[np.float32]
Word = tuple[str, Language | None]  # a word, and the language in which it is read
_BIT: dict[Language, int] = {"en": 1, "es": 2}
_UNSURE = 0.3  # the weight of a word that was only guessed


class WordTable:
    """Unit vectors of words, (N, D), packed four bits a number, with the languages and the weight of each word.

    >>> table = WordTable.load()
    >>> table.nearest("beagle", ["guide dog", "house", "cloud with snow"], count=1)[0][0]
    'guide dog'
    """

    def __init__(self, words: Sequence[str], codes: NDArray[np.uint8], levels: Vectors,
                 weights: NDArray[np.uint8], languages: NDArray[np.uint8]) -> None:  # fmt: skip
        self.words = list(words)
        self.codes, self.levels = codes, levels
        self.languages = languages.tolist()
        self.weights: list[float] = np.exp2(-weights.astype(np.float32) / 16).tolist()
        self.dimension = 2 * codes.shape[1]
        self._rows: dict[Language, dict[str, int]] = {
            language: {self.words[row]: row for row in np.flatnonzero(languages & bit).tolist()}
            for language, bit in _BIT.items()
        }
        self._guesses: dict[tuple[str, Language | None], tuple[Vectors, float]] = {}

    @classmethod
    def load(cls, path: Path | None = None) -> WordTable:
        """Read a table; without a path, the one that ships with lienzo."""
        if path is None:
            with resources.as_file(resources.files("lienzo") / "assets" / "words" / "words.safetensors") as shipped:
                return cls.load(shipped)
        held = load_file(path)
        words = zlib.decompress(held["words"].tobytes()).decode().split("\n")
        return cls(words, held["codes"], held["levels"], held["weights"], held["languages"])

    def __len__(self) -> int:
        return len(self.words)

    def split(self, text: str) -> list[str]:
        """The words of a text as the table knows them: a hyphenated word that it lacks becomes its parts.

        >>> WordTable.load().split("Two snow-white dogs")
        ['two', 'snow', 'white', 'dogs']
        """
        found: list[str] = []
        for word in morphology.split(text):
            whole = word.isalnum() or any(word in rows for rows in self._rows.values())
            found += [word] if whole else [part for part in word.replace("'", "-").split("-") if part]
        return found

    def language(self, words: Iterable[str]) -> Language | None:
        """The language that more of the words belong to, or None for a draw; a word of both has no vote.

        >>> table = WordTable.load()
        >>> table.language(["perro", "sin", "pelo"]), table.language(["red", "apple"])
        ('es', 'en')
        """
        votes = 0
        for word in words:
            english, spanish = (word in self._rows[language] for language in ("en", "es"))
            votes += english - spanish
        return "en" if votes > 0 else "es" if votes < 0 else None

    def lookup(self, word: str, language: Language | None = None) -> int | None:
        """The row of a word or of its base form; None where only a guess is possible.

        `language` decides where both have a word of this spelling and the table keeps them apart; unsaid, the more
        frequent one. Most of these (pie, red) share one row, between their meanings.

        >>> table = WordTable.load()
        >>> table.words[table.lookup("beagles")], table.lookup("xqzvw") is None
        ('beagle', True)
        """
        word = word.lower()
        exact = self._choose(morphology.number(word) or word, language)
        if exact is not None:
            return exact
        order: tuple[Language, ...] = ("es", "en") if language == "es" else ("en", "es")
        bare = [found for found in self._unaccented.get(morphology.plain(word), ()) if self._speaks(found, language)]
        if bare:
            return max(bare, key=lambda row: -self.weights[row])
        for spoken in order:
            for base in (morphology.english if spoken == "en" else morphology.spanish)(word):
                row = self._rows[spoken].get(base)
                if row is None:
                    row = next((r for r in self._unaccented.get(base, ()) if self._speaks(r, spoken)), None)
                if row is not None:
                    return row
        return None

    def knows(self, word: str, language: Language | None = None) -> bool:
        """Whether a word means something here: it, its base form, its two halves or a word spelt much like it is held.

        >>> table = WordTable.load()
        >>> table.knows("beagles"), table.knows("xqzvw")
        (True, False)
        """
        low = word.lower()
        return self.lookup(low, language) is not None or self._halves(low) is not None or bool(self._alike(low))

    def vector(self, word: str, language: Language | None = None) -> Vectors:
        """The unit vector (D,) of any word at all; the same word always has the same one."""
        return self._meaning(word.lower(), language)[0]

    def encode(self, texts: Sequence[str], length: int = 24) -> tuple[Tensor, Tensor]:
        """Vectors of the words of each text in order, (B, L, D) float32, zero after the end, and mask (B, L) bool.

        Here a vector has the length √D, so that its numbers have a variance of one, as a network likes them.

        >>> vectors, mask = WordTable.load().encode(["a red house", ""], length=4)
        >>> mask.tolist()
        [[True, True, True, False], [False, False, False, False]]
        """
        vectors = np.zeros((len(texts), length, self.dimension), dtype=np.float32)
        mask = np.zeros((len(texts), length), dtype=np.bool_)
        for row, text in enumerate(texts):
            for place, word in enumerate(self.spoken(text, length)):
                vectors[row, place] = self.heard(word)
                mask[row, place] = True
        return torch.from_numpy(vectors), torch.from_numpy(mask)

    def spoken(self, text: str, length: int) -> list[Word]:
        """The first words of a text, each with the language in which it is read."""
        words = self.split(text)[:length]
        language = self.language(words)
        return [(word, language) for word in words]

    def heard(self, word: Word) -> Vectors:
        """The vector (D,) of a word as networks hear it: √D long."""
        return self.dimension**0.5 * self._meaning(*word)[0]

    def pool(self, texts: Sequence[str]) -> Tensor:
        """Unit means of the words of each text (B, D), Σ w·v / |Σ w·v|, w = a / (a + p); zero where no word is."""
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            words = self.split(text)
            language = self.language(words)
            for word in words:
                vector, weight = self._meaning(word, language)
                sums[row] += weight * vector
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return torch.from_numpy(sums / np.maximum(lengths, 1e-12))

    def nearest(self, query: str, candidates: Sequence[str], count: int = 10) -> list[tuple[str, float]]:
        """The candidates nearest to a query with their cosines, best first; equal ones in the order given."""
        cosines = (self.pool(candidates) @ self.pool([query])[0]).tolist()
        order = sorted(range(len(candidates)), key=lambda place: -cosines[place])
        return [(candidates[place], cosines[place]) for place in order[:count]]

    def rows(self, rows: Sequence[int]) -> Vectors:
        """Unit vectors (n, D) of rows of the table."""
        packed = self.codes[np.asarray(rows, dtype=np.int64)]
        numbers = self.levels[np.stack([packed >> 4, packed & 15], axis=-1).reshape(len(packed), -1)]
        return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)

    def _speaks(self, row: int, language: Language | None) -> bool:
        return language is None or bool(self.languages[row] & _BIT[language])

    def _choose(self, word: str, language: Language | None) -> int | None:
        rows = [self._rows[spoken].get(word) for spoken in ("en", "es")]
        if language is not None and (said := rows[language == "es"]) is not None:
            return said
        return min((row for row in rows if row is not None), key=lambda row: self.weights[row], default=None)

    def _meaning(self, word: str, language: Language | None) -> tuple[Vectors, float]:
        """The vector and the weight of a word, remembered."""
        key = (word, language)
        if key not in self._guesses:
            row = self.lookup(word, language)
            if row is not None:
                self._guesses[key] = self.rows([row])[0], self.weights[row]
            else:
                self._guesses[key] = self._guess(word)
        return self._guesses[key]

    def _guess(self, word: str) -> tuple[Vectors, float]:
        """A word that no rule leads back: its two halves, else the words spelled most like it, else its own noise."""
        halves = self._halves(word)
        if halves is not None:
            return _unit(self.rows(halves).sum(axis=0)), max(self.weights[row] for row in halves)
        alike = self._alike(word)
        if alike:
            near = self.rows([row for row, _ in alike])
            return _unit(np.array([score**3 for _, score in alike], dtype=np.float32) @ near), _UNSURE
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(self.dimension)
        return _unit(noise.astype(np.float32)), _UNSURE / 10

    def _halves(self, word: str) -> tuple[int, int] | None:
        """Two words that make up this one, each of four letters or more, the shorter as long as possible."""
        english = self._rows["en"]
        for cut in sorted(range(4, len(word) - 3), key=lambda cut: abs(2 * cut - len(word))):
            if word[:cut] in english and word[cut:] in english:
                return english[word[:cut]], english[word[cut:]]
        return None

    def _alike(self, word: str, count: int = 4) -> list[tuple[int, float]]:
        """Rows of words that begin alike, with Dice's coefficient of their trigrams where it exceeds a half."""
        bare = morphology.plain(word)
        for kept in range(len(bare), 2, -1):
            low = bisect.bisect_left(self._sorted, (bare[:kept], -1))
            high = bisect.bisect_left(self._sorted, (bare[:kept] + "\uffff", -1))
            mine = morphology.trigrams(bare)
            scored = [(row, _dice(mine, morphology.trigrams(other))) for other, row in self._sorted[low:high]]
            best = sorted(((row, score) for row, score in scored if score > 0.5), key=lambda pair: -pair[1])[:count]
            if best:
                return best
        return []

    @functools.cached_property
    def _unaccented(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for bare, row in self._sorted:
            found.setdefault(bare, []).append(row)
        return found

    @functools.cached_property
    def _sorted(self) -> list[tuple[str, int]]:
        return sorted((word if word.isascii() else morphology.plain(word), row) for row, word in enumerate(self.words))


def _unit(vector: Vectors) -> Vectors:
    return vector / np.maximum(np.linalg.norm(vector), 1e-12)


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b))
