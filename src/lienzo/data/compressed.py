"""Pictures of the built-in sets: kept compressed, and decoded when they are first asked for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.core.errors import DataError
from lienzo.data.dataset import Bytes
from lienzo.data.pixels import LANCZOS, Ask, finished, fitted, laid_on, map_values

ASSETS = Path(__file__).parents[1] / "assets"


class Compressed:
    """(N, C, S, S) uint8 planes of pictures that this package brought along, so that they need no distrust.

    A set opens at once, and a picture is decoded at most once: the planes of those that were asked for stay.

    Args:
        encoded: the files' bytes; None for a row that has no picture (zeros).
        ask: size, policy and channels.
        mode: Pillow's mode of the planes: "RGBA", "RGB" or "L".
        spread: stretch each picture's values to 0 … 255, in whole steps: for an order, of which only the order counts.
    """

    def __init__(self, encoded: Sequence[bytes | None], ask: Ask, mode: str, *, spread: bool = False) -> None:
        self._encoded, self._ask, self._mode, self._spread = encoded, ask, mode, spread
        bands = Image.getmodebands(mode)
        self.shape: tuple[int, ...] = (len(encoded), bands, ask.size, ask.size)
        self._planes: Bytes = np.empty(self.shape, np.uint8)  # pages are taken only when they are written
        self._done = np.zeros(len(encoded), bool)

    @property
    def native(self) -> int:
        """The side that pictures had before they were brought to the size asked: the first one's, as all are alike."""
        first = next((data for data in self._encoded if data is not None), None)
        return 0 if first is None else min(Image.open(io.BytesIO(first)).size)

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        for row in set(rows[~self._done[rows]].tolist()):
            self._planes[row] = self._decoded(self._encoded[row])
            self._done[row] = True
        return self._planes[rows]

    def _decoded(self, data: bytes | None) -> Bytes:
        if data is None:
            return np.zeros(self.shape[1:], np.uint8)
        image = Image.open(io.BytesIO(data))
        if self._ask.over:
            array = finished(map_values(image, self._ask), self._ask)
            return (array * (255 // max(1, int(array.max()))) if self._spread else array).transpose(2, 0, 1)
        image = image.convert("RGBA")
        image = image if self._mode == "RGBA" else laid_on(image, 255).convert(self._mode)
        array = np.asarray(fitted(image, self._ask, LANCZOS, 255), np.uint8)
        return array.transpose(2, 0, 1) if array.ndim == 3 else array[None]


def shards(folder: str, spec: str) -> list[Path]:
    """Return the shards of a built-in set, one file a licence.

    Raises:
        DataError: if the package was installed without them.
    """
    files = sorted((ASSETS / folder).glob("*.parquet"))
    if not files:
        raise DataError(f"the set {spec!r} is missing from this installation", hint="reinstall lienzo")
    return files


def licence_of(file: Path) -> str:
    """Read the licence that a shard's name states: cc-by-4.0.parquet → CC-BY-4.0."""
    return {"mit": "MIT", "apache-2.0": "Apache-2.0"}.get(file.stem, file.stem.upper())
