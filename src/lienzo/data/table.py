"""Parquet tables whose rows hold pictures: bytes, or Hugging Face's struct {bytes, path}."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lienzo.core.errors import DataError
from lienzo.data.records import SPLITS, Picture, Record, Source

PREFERRED = ("image", "picture", "img", "jpg", "png", "pixels")
ROWS = 64  # of a table that are held at a time


class Parquet(Source):
    """The rows of one or more Parquet files.

    Args:
        files: the files, in order.
        name: what the source is called.

    Raises:
        DataError: if a file is no Parquet or has no column with pictures.
    """

    kind = "table"

    def __init__(self, files: list[Path], name: str) -> None:
        self.name, self._files = name, files
        schema = _schema(files[0])
        pictures = [field.name for field in schema if _holds_pictures(field.type)]
        if not pictures:
            raise DataError(
                f"{files[0]} has no column with pictures (bytes, or a struct of bytes and path); it has "
                f"{', '.join(schema.names)}", hint="store the files' bytes in a column named 'image'",
            )  # fmt: skip
        self.picture = next((name for name in PREFERRED if name in pictures), pictures[0])
        self.maps = [name for name in pictures if name != self.picture]
        self.classes = class_names(schema.metadata)

    def files(self) -> list[Path]:
        """Return the Parquet files, and the pictures that rows name in the place of bytes."""
        named = {place for file in self._files for place in self._named_in(file)}
        return [*self._files, *sorted(named)]

    def root(self) -> Path:
        """Return the folder of the first file."""
        return self._files[0].parent

    def _named_in(self, file: Path) -> Iterator[Path]:
        """Find the files that rows name; the paths are read only where some row has no bytes."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            opened: Any = pq.ParquetFile(file)
            for column in (self.picture, *self.maps):
                if _without_bytes(opened.metadata, column):
                    for batch in opened.iter_batches(columns=[f"{column}.path"]):
                        cells = (row[column] or {} for row in batch.to_pylist())
                        places = (picture_of(cell.get("path"), file.parent) for cell in cells)
                        yield from (place for place in places if isinstance(place, Path) and place.is_file())
        except (OSError, pa.ArrowException):  # a damaged table: the records say so
            return

    def records(self) -> Iterator[Record]:
        """Read the rows in their order, a few at a time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for file in self._files:
            split = split_in(file.stem) if len(self._files) > 1 else ""
            try:
                opened: Any = pq.ParquetFile(file)
                rows = (row for batch in opened.iter_batches(ROWS) for row in batch.to_pylist())
                for number, row in enumerate(rows):
                    yield self._record(f"{file.name}#{number}", row, split, file.parent)
            except (OSError, pa.ArrowException) as error:
                yield Record(file.name, None, problem="unreadable table", detail=str(error)[:200])

    def _record(self, key: str, row: dict[str, Any], split: str, folder: Path) -> Record:
        maps = {name: place for name in self.maps if (place := picture_of(row.pop(name), folder)) is not None}
        picture = picture_of(row.pop(self.picture), folder)
        said = str(row.pop("split", "") or "").lower()
        fields = {name: named(value, self.classes.get(name)) for name, value in row.items()}
        problem = "" if picture is not None else "label without image"
        return Record(key, picture, fields, maps, SPLITS.get(said, split), problem)


def class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """Read the classes' names that the `datasets` library writes into a schema."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (KeyError, ValueError, AttributeError, TypeError):
        return {}


def named(value: Any, classes: list[str] | None) -> Any:
    """Turn a class number into its name, where the classes have names."""
    if classes is None or not isinstance(value, int):
        return value
    return classes[value] if 0 <= value < len(classes) else None


def picture_of(value: Any, folder: Path) -> Picture | None:
    """Find the picture in a cell: its bytes, or the file that it names inside `folder`."""
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not value:
        return None
    place = (folder / value).resolve()
    return place if place.is_relative_to(folder.resolve()) else None  # a table must not name files elsewhere


def _without_bytes(metadata: Any, column: str) -> bool:
    """Tell whether any row of a struct {bytes, path} may lack its bytes, by a table's statistics."""
    names = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    if not {f"{column}.bytes", f"{column}.path"} <= set(names):
        return False
    place = names.index(f"{column}.bytes")
    chunks = (metadata.row_group(i).column(place).statistics for i in range(metadata.num_row_groups))
    return any(each is None or not each.has_null_count or each.null_count for each in chunks)


def split_in(name: str) -> str:
    """Read the split in a file's name, as in train-00000-of-00004."""
    return SPLITS.get(name.replace("_", "-").split("-")[0].lower(), "")


def _schema(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{file} is not a Parquet file: {error}", hint="lienzo data check PATH") from None


def _holds_pictures(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
