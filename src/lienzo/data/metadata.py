"""What `metadata.csv`, `.jsonl` and `.parquet` beside pictures say of them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienzo.data.telling import readable

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
SUFFIX = "file_name"


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        where: the file and the row, for reports.
        place: the picture that it is about; None where the row cannot be read.
        fields: the other columns.
        maps: further pictures, by the name that their column has before `_file_name`.
        problem, detail: why the row cannot be used.
    """

    where: str
    place: Path | None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maps: Mapping[str, Path] = field(default_factory=dict[str, Path])
    problem: str = ""
    detail: str = ""


def read_metadata(file: Path, key: str) -> Iterator[Row]:
    """Read a metadata file; what cannot be read becomes rows with a problem.

    Args:
        file: the metadata file; names in it are told from its folder.
        key: how reports name it.
    """
    read = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}[file.suffix.lower()]
    try:
        for number, content in read(file):
            yield _row(file.parent, f"{key}:{number}", content)
    except Exception as error:  # a damaged Parquet or a broken CSV
        yield Row(key, None, problem="unreadable metadata", detail=f"{type(error).__name__}: {error}"[:200])


def _row(folder: Path, where: str, content: dict[str, Any] | str) -> Row:
    if isinstance(content, str):
        return Row(where, None, problem="unreadable metadata", detail=content)
    places = {name: content.pop(name) for name in list(content) if name == SUFFIX or name.endswith(f"_{SUFFIX}")}
    name = places.pop(SUFFIX, None)
    if not isinstance(name, str) or not name:
        return Row(where, None, problem="unreadable metadata", detail=f"no {SUFFIX!r} in this row")
    maps = {column[: -len(SUFFIX) - 1]: _place(folder, str(other)) for column, other in places.items() if other}
    bad = any("\ufffd" in readable(text) for value in content.values() for text in _strings(value))
    return Row(where, _place(folder, name), content, maps, "unreadable caption" if bad else "")


def _place(folder: Path, name: str) -> Path:
    place = Path(os.path.normpath(folder / name))
    if "\\" in name and not place.exists():  # written on Windows
        return Path(os.path.normpath(folder / name.replace("\\", "/")))
    return place


def _strings(value: Any) -> list[str]:
    values: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    return [v for v in values if isinstance(v, str)]


def _csv(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    # Bytes that are no text become U+FFFD, which marks the row instead of losing the file.
    text = file.read_bytes().decode("utf-8-sig", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    for number, row in enumerate(reader, start=2):
        yield number, {name: _plain(value) for name, value in row.items() if name}


def _delimiter(text: str) -> str:
    """Return the sign that parts `file_name` from other columns: spreadsheets of many countries write ";"."""
    head = text.partition("\n")[0]
    return next((sign for sign in ",;\t" if SUFFIX in [name.strip(' "\r') for name in head.split(sign)]), ",")


def _plain(value: str | None) -> Any:
    """A CSV has no types: '' is nothing."""
    return value or None


def _jsonl(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(file.read_bytes().decode("utf-8-sig", errors="replace").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            content: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not JSON: {error}"
            continue
        yield number, content if isinstance(content, dict) else "not a JSON object"


def _parquet(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    import pyarrow.parquet as pq

    table: Any = pq.ParquetFile(file)
    number = 0
    for batch in table.iter_batches():
        for content in batch.to_pylist():
            number += 1
            yield number, content
