"""Planes that are made when they are first asked for, and kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lienzo.data.dataset import Bytes


class Lazy:
    """(N, C, S, S) uint8 planes, each row made at most once.

    Args:
        shape: (N, C, S, S).
        make: gives the planes of a row, (C, S, S), or something that spreads to it.
    """

    def __init__(self, shape: tuple[int, int, int, int], make: Callable[[int], Bytes]) -> None:
        self.shape: tuple[int, ...] = shape
        self._make = make
        self._planes: Bytes = np.empty(shape, np.uint8)  # pages are taken only when they are written
        self._done = np.zeros(shape[0], bool)

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        for row in rows[~self._done[rows]].tolist():
            self.one(row)
        return self._planes[rows]

    def one(self, row: int) -> Bytes:
        """Return the planes of one row, (C, S, S); not to be written on."""
        if not self._done[row]:
            self._planes[row] = self._make(row)
            self._done[row] = True
        return self._planes[row]
