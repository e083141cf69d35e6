"""WebDataset tars: the members that share a name up to the first dot are one sample."""

from __future__ import annotations

import contextlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lienzo.core.errors import DataError
from lienzo.data.records import SPLITS, Record, Source, is_image_name
from lienzo.data.table import split_in
from lienzo.data.telling import readable

LABELS = ("cls", "label")
TEXTS = ("txt", "text", "caption")
LARGEST_MEMBER = 1 << 30  # bytes


class Tars(Source):
    """The samples of tar files, read from one end to the other.

    Args:
        files: the shards, in order.
        name: what the source is called.
    """

    kind = "tar"

    def __init__(self, files: list[Path], name: str) -> None:
        self.name, self._files = name, files

    def files(self) -> list[Path]:
        """Return the shards."""
        return self._files

    def root(self) -> Path:
        """Return the folder of the first shard."""
        return self._files[0].parent

    def records(self) -> Iterator[Record]:
        """Read the samples in their order."""
        for file in self._files:
            yield from records_of(file, split_of(file, self._files))


def records_of(file: Path, split: str = "") -> Iterator[Record]:
    """Read the samples of one tar in their order; one that breaks off ends with a record that says so."""
    try:
        yield from (sample_record(f"{file.name}/{key}", parts, split) for key, parts in _samples(file))
    except (tarfile.TarError, OSError, EOFError) as error:
        yield Record(file.name, None, problem="unreadable tar", detail=str(error)[:200])


def split_of(file: Path, shards: Sequence[Path]) -> str:
    """Return the split that a shard's name tells, where there are several."""
    return split_in(file.stem) if len(shards) > 1 else ""


def head_of(file: Path, samples: int) -> tuple[int, int]:
    """Return how many samples begin a tar, counted up to so many, and the bytes that they take; their data is not read.

    Of a tar that is shorter, or that breaks off, these are all of its bytes.
    """
    keys = set[str]()
    with contextlib.suppress(tarfile.TarError, OSError, EOFError), tarfile.open(file) as tar:
        for member in tar:
            key, _ = _named(member)
            if len(keys) == samples and key and key not in keys:
                return samples, member.offset
            keys |= {key} if key else set()
    return len(keys), file.stat().st_size


def expand(spec: str) -> list[Path]:
    """Turn "a-{000..010}.tar", "a-*.tar" or one name into paths, in order.

    Raises:
        DataError: if a file is missing.
    """
    if Path(spec).is_file():  # a name may hold brackets
        return [Path(spec)]
    span = re.search(r"\{(\d+)\.\.(\d+)\}", spec)
    if span:
        first, last = span.groups()
        numbers = (f"{n:0{len(first)}d}" for n in range(int(first), int(last) + 1))
        return [path for n in numbers for path in expand(f"{spec[: span.start()]}{n}{spec[span.end() :]}")]
    named = Path(spec)
    paths = sorted(named.parent.glob(named.name)) if any(c in named.name for c in "*?[") else [named]
    missing = [str(path) for path in paths if not path.is_file()] or ([] if paths else [spec])
    if missing:
        hint = "a name such as 'shard-{000..010}.tar', counted as the files are"
        raise DataError(f"no such shard: {missing[0]}", hint=hint)
    return paths


def sample_record(key: str, parts: Mapping[str, bytes], split: str = "") -> Record:
    """Turn one sample (extension → bytes) into a record.

    A plain picture extension is the picture; "name.png" with a name before it is a map of that name.
    """
    pictures = [ext for ext in parts if "." not in ext and is_image_name(f"x.{ext}")]
    maps = {ext.rpartition(".")[0]: parts[ext] for ext in parts if "." in ext and is_image_name(ext)}
    fields: dict[str, Any] = {}
    try:
        fields = _fields(parts)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        return Record(key, None, problem="unreadable caption", detail=str(error)[:200])
    said = str(fields.pop("split", "")).lower()
    problem = "" if pictures else "label without image"
    return Record(key, parts[pictures[0]] if pictures else None, fields, maps, SPLITS.get(said, split), problem)


def _fields(parts: Mapping[str, bytes]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "json" in parts:
        content: Any = json.loads(parts["json"])
        fields |= content if isinstance(content, dict) else {}
    for column, extensions in (("label", LABELS), ("text", TEXTS)):
        for extension in extensions:
            if extension in parts:
                fields[column] = parts[extension].decode().strip()
    return fields


def _samples(file: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    current, parts = "", dict[str, bytes]()
    with tarfile.open(file) as tar:
        for member in tar:
            key, extension = _named(member)
            if not key:
                continue
            if key != current and parts:
                yield current, parts
                parts = {}
            opened = tar.extractfile(member)
            current, parts = key, parts | {extension: opened.read() if opened else b""}
    if parts:
        yield current, parts


def _named(member: tarfile.TarInfo) -> tuple[str, str]:
    """Return a member's sample and extension; both empty for what is no part of a sample."""
    folder, _, base = member.name.rpartition("/")
    stem, _, extension = base.partition(".")
    if not member.isfile() or not stem or member.size > LARGEST_MEMBER:
        return "", ""
    return readable(f"{folder}/{stem}" if folder else stem), extension.lower()
