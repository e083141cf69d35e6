"""Planes in files: the pictures and maps of a set, one after the other, as a memory map reads them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lienzo.data.columns import map_kind
from lienzo.data.decode import Decoded
from lienzo.data.pixels import Pixels

log = logging.getLogger("lienzo.data")
GREY = np.array([[0.299], [0.587], [0.114]], np.float32)  # ITU-R BT.601
SPARSE = 4  # times as many classes as values: then the values are no class numbers
BLOCK = 64 << 20  # bytes that are rewritten at a time


class MapFiles:
    """A file of planes for each map column; a row that has no map is zeros.

    Args:
        folder: receives `map-N.u8`.
        size: side of a map.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.present: dict[str, list[bool]] = {}
        self._files: dict[str, BinaryIO] = {}
        self._channels: dict[str, int] = {}
        self._values: dict[str, NDArray[np.int64]] = {}  # of each column: how often each of 256 occurs

    def add(self, row: int, maps: Mapping[str, Decoded]) -> None:
        """Write the maps of row number `row`; the first map of a column decides how many channels all have."""
        good = {name: found.pixels for name, found in maps.items() if found.pixels is not None}
        for name, pixels in good.items():
            if name not in self._files:
                self._channels[name], self.present[name] = pixels.shape[2], [False] * row
                self._files[name] = (self.folder / f"map-{len(self._files)}.u8").open("wb")
                self._files[name].write(bytes(row * self._bytes(name)))
        for name, file in self._files.items():
            pixels = good.get(name)
            self.present[name].append(pixels is not None)
            if pixels is None:
                file.write(bytes(self._bytes(name)))
            else:
                file.write(as_planes(recoloured(pixels, self._channels[name])))
                if map_kind(name) == "segmentation":
                    self._values[name] = self._values.get(name, 0) + np.bincount(pixels.ravel(), minlength=256)

    def close(self) -> dict[str, dict[str, Any]]:
        """Close the files and describe them: column → file, planes, kind and channels (classes of a segmentation)."""
        for file in self._files.values():
            file.close()
        return {name: self._about(number, name) for number, name in enumerate(self._files)}

    def _bytes(self, name: str) -> int:
        return self._channels[name] * self.size**2

    def _about(self, number: int, name: str) -> dict[str, Any]:
        planes, kind = self._channels[name], map_kind(name)
        if kind == "segmentation" and planes == 3:
            kind = "picture"  # colours are no class numbers
        channels = self._classes(name) if kind == "segmentation" else planes
        return {"file": f"map-{number}.u8", "planes": planes, "kind": kind, "channels": channels}

    def _classes(self, name: str) -> int:
        """Return how many classes a segmentation has, by its largest value; warn where most of them never occur."""
        there = np.flatnonzero(self._values[name])
        highest = int(there[-1])
        if highest + 1 > SPARSE * len(there):
            log.warning("the segmentation %r has %d values, the largest %d: it is heard as %d classes. Number classes "
                        "0, 1, 2 …, or call a column of black and white a mask",
                        name, len(there), highest, highest + 1)  # fmt: skip
        return highest + 1


def as_planes(pixels: Pixels) -> bytes:
    """(H, W, C) → the bytes of (C, H, W)."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()


def recoloured(pixels: Pixels, channels: int) -> Pixels:
    """(H, W, 1, 3 or 4) → (H, W, channels): grey by luma, opaque where there was no alpha."""
    had = pixels.shape[2]
    if had == channels:
        return pixels
    if channels == 1:
        return (pixels[:, :, :3].astype(np.float32) @ GREY).round().astype(np.uint8)
    pixels = np.repeat(pixels, 3, 2) if had == 1 else pixels
    return pixels[:, :, :3] if channels == 3 else np.concatenate([pixels, np.full_like(pixels[:, :, :1], 255)], 2)


def without_alpha(file: Path, size: int) -> int:
    """Drop the fourth plane of a file of pictures if it says nothing; return how many planes are left."""
    if not file.stat().st_size:
        return 3
    planes = np.memmap(file, np.uint8, "r").reshape(-1, 4, size * size)
    step = max(1, BLOCK // (4 * size * size))
    parts = [planes[start : start + step] for start in range(0, len(planes), step)]
    if any((part[:, 3] < 255).any() for part in parts):
        return 4
    other = file.with_suffix(".part")
    with other.open("wb") as out:
        for part in parts:
            out.write(np.ascontiguousarray(part[:, :3]).tobytes())
    other.replace(file)
    return 3
