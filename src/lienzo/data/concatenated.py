"""Several sets one after the other, as one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.core.errors import DataError
from lienzo.data.cache import key_of
from lienzo.data.dataset import Bytes, Column, Dataset

REPEATED = re.compile(r"(?P<name>.*\S)\s*\*\s*(?P<times>\d+)")


class Concatenated(Dataset):
    """The rows of all parts, one part after the other; a part may be there several times.

    The columns are those of all parts together. A part says None in a column that it does not have, and the classes of
    a label are the first part's, followed by what the others add.

    Args:
        parts: each with how many times it counts.

    Raises:
        DataError: for no part, a part that is repeated less than once, shapes that differ, or columns of one name that
            say different things.
    """

    def __init__(self, parts: Sequence[tuple[Dataset, int]]) -> None:
        if not parts or any(times < 1 for _, times in parts):
            raise DataError("a set of parts of which one is missing", hint="parts that are repeated at least once")
        self.parts = [part for part, _ in parts]
        self.name = " + ".join(part.name if times == 1 else f"{part.name}*{times}" for part, times in parts)
        self.shape = _shape(self.parts)
        self.columns = _columns([part.columns for part in self.parts], self.name)
        self.asides = {
            name: column for name, column in _columns([part.asides for part in self.parts], self.name).items()
            if name not in self.columns
        }  # fmt: skip
        self.licence = " AND ".join(_unique([each for part in self.parts for each in part.licence.split(" AND ")]))
        self.citation = "; ".join(_unique([part.citation for part in self.parts]))
        self.fingerprint = key_of("concatenated", [(part.fingerprint, len(part), times) for part, times in parts])
        natives = [part.native or part.shape[0] for part in self.parts]
        self.native = int(np.median(np.repeat(natives, [len(part) * times for part, times in parts])))
        self._part = np.repeat(np.arange(len(parts)), [len(part) * times for part, times in parts])
        self._row = np.concatenate([np.tile(np.arange(len(part)), times) for part, times in parts])

    def __len__(self) -> int:
        return len(self._row)

    def pictures(self, indices: Sequence[int] | NDArray[np.int64]) -> Bytes:
        """Return pictures (B, H, W, C) uint8."""
        asked = np.asarray(indices, np.int64)
        height, width, channels = self.shape
        planes = np.empty((len(asked), channels, height, width), np.uint8)
        for number, places, rows in self._by_part(asked):
            planes[places] = self.parts[number].pictures(rows).transpose(0, 3, 1, 2)
        return planes.transpose(0, 2, 3, 1)

    def values(self, column: str, indices: Sequence[int] | NDArray[np.int64]) -> list[Any]:
        """Return what a column says, one value a row."""
        if column not in self.columns and column not in self.asides:
            raise KeyError(f"{self.name} has no column {column!r}; it has {', '.join(self.columns) or 'none'}")
        asked = np.asarray(indices, np.int64)
        found: list[Any] = [None] * len(asked)
        for number, places, rows in self._by_part(asked):
            if column in self.parts[number].columns or column in self.parts[number].asides:
                for place, value in zip(places.tolist(), self.parts[number].values(column, rows), strict=True):
                    found[place] = value
        return found

    def _by_part(self, asked: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Return for each part that is asked: its number, the places in the answer, and its own rows."""
        owner, rows = self._part[asked], self._row[asked]
        numbers = np.unique(owner).tolist()
        return [(number, np.flatnonzero(owner == number), rows[owner == number]) for number in numbers]


def parts_of(spec: str) -> list[tuple[str, int]]:
    """Read a specification of several parts; none if it names just one source, or a path that exists.

    >>> parts_of("emoji*3 + scenes")
    [('emoji', 3), ('scenes', 1)]
    >>> parts_of("emoji"), parts_of("./c++/pictures")
    ([], [])
    """
    texts = re.split(r"\s+\+\s+", spec.strip()) if re.search(r"\s\+\s", spec) else spec.split("+")
    found = [REPEATED.fullmatch(text.strip()) for text in texts]
    one = len(texts) == 1 and found[0] is None
    if one or not all(text.strip() for text in texts) or Path(spec).expanduser().exists():
        return []
    pairs = zip(texts, found, strict=True)
    return [(match["name"], int(match["times"])) if match else (text.strip(), 1) for text, match in pairs]


def _shape(parts: Sequence[Dataset]) -> tuple[int, int, int]:
    shape = parts[0].shape
    for part in parts[1:]:
        if part.shape != shape:
            one, other = (" × ".join(map(str, each.shape)) for each in (parts[0], part))
            hint = "parts of one size that are all transparent or all opaque; channels=1 makes all of them grey"
            raise DataError(f"{parts[0].name} has pictures of {one}, but {part.name} of {other}", hint=hint)
    return shape


def _columns(parts: Sequence[Mapping[str, Column]], whole: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for part in parts:
        for name, column in part.items():
            known = columns.get(name, column)
            if replace(known, classes=()) != replace(column, classes=()):
                raise DataError(
                    f"the column {name!r} is not of one kind in all parts", hint=f"other parts than those of {whole}"
                )
            columns[name] = replace(known, classes=tuple(dict.fromkeys(known.classes + column.classes)))
    return columns


def _unique(texts: Sequence[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
