"""Texts that were read before: as numbers of words, so that a million captions cost little more than their letters."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lienzo.conditions.words import Word, WordTable

MANY = 1_000_000  # texts that are kept


@functools.cache
def words() -> WordTable:
    """Return the table that ships, read once."""
    return WordTable.load()


class Memory:
    """Turns texts into vectors of words, and remembers which words each text has.

    Args:
        length: L, how many words of a text are heard.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._forget()

    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return vectors (B, L, W), zero after a text's end, and their mask (B, L)."""
        if len(self._rows) > MANY:  # a stream of captions must not fill the memory
            self._forget()
        for text in texts:
            if text not in self._rows:
                self._learn(text)
        numbers = self._numbers[[self._rows[text] for text in texts]]
        vectors = torch.from_numpy(self._vectors[numbers])
        return vectors, torch.from_numpy(numbers > 0)

    def _forget(self) -> None:
        self._rows: dict[str, int] = {}
        self._numbers: NDArray[np.int32] = np.zeros((0, self.length), np.int32)  # of each text's words
        self._places: dict[Word, int] = {}
        self._vectors: NDArray[np.float32] = np.zeros((1, words().dimension), np.float32)  # number 0 is no word

    def _learn(self, text: str) -> None:
        row = self._rows[text] = len(self._rows)
        self._numbers = _with_room(self._numbers, row)
        for place, word in enumerate(words().spoken(text, self.length)):
            if word not in self._places:
                number = self._places[word] = 1 + len(self._places)
                self._vectors = _with_room(self._vectors, number)
                self._vectors[number] = words().heard(word)
            self._numbers[row, place] = self._places[word]


def _with_room(array: NDArray[Any], row: int) -> NDArray[Any]:
    """Return an array that has this row: itself, or one of twice the length."""
    if row < len(array):
        return array
    return np.concatenate([array, np.zeros((max(64, len(array)), *array.shape[1:]), array.dtype)])
