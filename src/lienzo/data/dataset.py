"""What every source of pictures becomes: a finite set with random access, and columns of what is known of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Kind = Literal["label", "text", "image", "map"]
BACKGROUNDS = ("white", "dark", "colour")  # what a transparent picture may be laid on


@dataclass(frozen=True)
class Column:
    """What one column of a set says.

    Attributes:
        kind: how a condition hears it.
        classes: the names of a label, in the order of their numbers.
        map_kind: of a map: "segmentation", "depth", "pose", "edges", "mask" or "picture".
        channels: of a map; for segmentation the number of classes (its values are one channel of class numbers).
        before: whether a map shows what was there before an edit, for which the text asks.
    """

    kind: Kind
    classes: tuple[str, ...] = ()
    map_kind: str = ""
    channels: int = 0
    before: bool = False


class Dataset(ABC):
    """A finite set of pictures of one size.

    Attributes:
        name: of the source, as a person would say it.
        columns: what is known of the pictures, by name.
        asides: columns that `values` gives too, but that no condition hears of itself.
        shape: (H, W, C); C = 4 is RGBA, which the loader lays on a background.
        licence, citation: of the pictures; empty where nobody said.
        fingerprint: a hash of the content, for model cards.
        native: the side, about, that the pictures had before they were brought to `shape`; 0 where nobody knows, or
            where they are not resized.
    """

    name: str
    columns: Mapping[str, Column]
    shape: tuple[int, int, int]
    asides: Mapping[str, Column] = MappingProxyType({})
    licence: str = ""
    citation: str = ""
    fingerprint: str = ""
    native: int = 0

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures there are."""

    @property
    def whole(self) -> int:
        """About how many pictures it stands for: its own, or those of the tars that it is a sample of."""
        return len(self)

    @abstractmethod
    def pictures(self, indices: Sequence[int] | NDArray[np.int64]) -> Bytes:
        """Return pictures (B, H, W, C) uint8; their memory may be ordered by planes."""

    @abstractmethod
    def values(self, column: str, indices: Sequence[int] | NDArray[np.int64]) -> list[Any]:
        """Return what a column says, one value a row; None where it says nothing.

        A label gives its name, a text a list of candidates of which any one fits, a map (H, W, K) uint8.

        Raises:
            KeyError: if there is no such column.
        """


class Planes(Protocol):
    """(N, C, H, W) uint8 that can be picked by row: an array, a memory map, or pictures that are decoded when asked."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        ...

    def __getitem__(self, rows: NDArray[np.int64], /) -> Bytes: ...


@dataclass(frozen=True)
class Table:
    """All that is known of N pictures.

    Attributes:
        planes: (N, C, H, W) uint8. Planes, not pixels, so that a batch needs no transposition.
        labels: column → (codes (N,), -1 where unsaid; the classes).
        texts: column → candidates, one list a row.
        maps: column → (planes (N, K, H, W); which rows have one (N,); what it shows).
        native: as in `Dataset`.
    """

    planes: Planes
    labels: Mapping[str, tuple[NDArray[np.int64], tuple[str, ...]]]
    texts: Mapping[str, Sequence[Sequence[str]]]
    maps: Mapping[str, tuple[Planes, NDArray[np.bool_], Column]]
    native: int = 0

    def __len__(self) -> int:
        return int(self.planes.shape[0])


class TableDataset(Dataset):
    """Rows of a table.

    Args:
        name: of the source.
        table: where the rows lie.
        rows: which of them, (M,); all by default.
        licence, citation, fingerprint: as in `Dataset`.
        quarantine: the file that lists what was set aside, if anything was.
    """

    def __init__(
        self,
        name: str,
        table: Table,
        rows: NDArray[np.int64] | None = None,
        *,
        licence: str = "",
        citation: str = "",
        fingerprint: str = "",
        quarantine: Path | None = None,
    ) -> None:
        self.name, self.table, self.licence, self.citation = name, table, licence, citation
        self.fingerprint, self.quarantine, self.native = fingerprint, quarantine, table.native
        self.rows = np.arange(len(table)) if rows is None else rows
        _, channels, height, width = table.planes.shape
        self.shape = (height, width, channels)
        self.columns = _columns(table, channels == 4)

    def __len__(self) -> int:
        return len(self.rows)

    def pictures(self, indices: Sequence[int] | NDArray[np.int64]) -> Bytes:
        """Return pictures (B, H, W, C) uint8."""
        return self.table.planes[self._at(indices)].transpose(0, 2, 3, 1)

    def values(self, column: str, indices: Sequence[int] | NDArray[np.int64]) -> list[Any]:
        """Return what a column says, one value a row."""
        rows = self._at(indices)
        if column in self.table.labels:
            codes, classes = self.table.labels[column]
            return [classes[code] if code >= 0 else None for code in codes[rows].tolist()]
        if column in self.table.texts:
            texts = self.table.texts[column]
            return [list(texts[row]) or None for row in rows.tolist()]
        if column in self.table.maps:
            planes, present, _ = self.table.maps[column]
            pixels = planes[rows].transpose(0, 2, 3, 1)
            return [pixels[i] if there else None for i, there in enumerate(present[rows].tolist())]
        if column in self.columns:  # the background: drawn by the loader
            return [None] * len(rows)
        raise KeyError(f"{self.name} has no column {column!r}; it has {', '.join(self.columns) or 'none'}")

    def _at(self, indices: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        return self.rows[np.asarray(indices, np.int64)]


def _columns(table: Table, transparent: bool) -> dict[str, Column]:
    columns = {name: Column("label", classes) for name, (_, classes) in table.labels.items() if classes}
    columns |= {name: Column("text") for name in table.texts}
    columns |= {name: column for name, (_, _, column) in table.maps.items()}
    return columns | ({"background": Column("label", BACKGROUNDS)} if transparent else {})
