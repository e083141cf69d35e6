"""A user's source → a dataset on the memory maps of the cache."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.data.builder import PICTURES, QUARANTINE, ROWS, VERSION, build, refuse_too_many
from lienzo.data.cache import DONE, cache_root, content_key, key_of, once
from lienzo.data.columns import classes_of
from lienzo.data.dataset import Bytes, Column, Planes, Table, TableDataset
from lienzo.data.pixels import Ask
from lienzo.data.records import Source
from lienzo.data.splits import Where, matching, rows_of
from lienzo.data.workers import SECONDS

SAMPLE = 4096  # pictures of tars that are streamed
log = logging.getLogger("lienzo.data")


@dataclass(frozen=True)
class Limits:
    """How a source is read: everything but what becomes of a picture.

    Attributes:
        cache: folder; None for the usual one.
        max_bad_share: share of files that may be set aside.
        seconds: how long one picture may take.
        progress: show a bar.
        prepare: draw composed pictures beforehand.
        stream: read tars as they are needed, and decode no more than a sample of them beforehand; None: large ones.
        sample: how many pictures that is.
    """

    cache: Path | None = None
    max_bad_share: float = 0.2
    seconds: float = SECONDS
    progress: bool = False
    prepare: bool = False
    stream: bool | None = None
    sample: int = SAMPLE


def open_built(
    source: Source, ask: Ask, *, split: str = "train", where: Where | None = None, limits: Limits | None = None
) -> TableDataset:
    """Open a source, decoding it first if the cache does not have it at this size and policy.

    Args:
        source: what to read.
        ask: size, policy and channels.
        split: as in `open_source`.
        where: as in `open_source`.
        limits: how to read it.

    Raises:
        DataError: if too much of it cannot be used, or the split or a label does not exist.
    """
    folder, meta = decoded(source, ask, limits or Limits())
    table, said, groups = read_table(folder, meta)
    rows = rows_of(split, said, groups, source.name)
    if where:
        rows = rows[matching(table, where, source.name)[rows]]
    chosen = key_of(meta["fingerprint"], split, dict(where or {}))
    return TableDataset(source.name, table, rows, fingerprint=chosen, quarantine=folder / QUARANTINE)


def decoded(source: Source, ask: Ask, limits: Limits) -> tuple[Path, dict[str, Any]]:
    """Decode a source if the cache does not have it; return its folder there, and what `meta.json` says.

    Raises:
        DataError: if too much of it cannot be used.
    """
    root = cache_root(limits.cache)
    content = source.token() or content_key(root, source.files(), source.root())
    key = key_of(VERSION, content, source.kind, vars(ask))

    def fill(part: Path) -> None:
        build(source, part, ask, seconds=limits.seconds, progress=limits.progress, fingerprint=content)

    folder = once(root, key, fill)
    meta: dict[str, Any] = json.loads((folder / DONE).read_text("utf-8"))
    meta["name"] = source.name  # a copy of the set shares the cache under its own name
    refuse_too_many(meta, limits.max_bad_share, folder)
    _tell(meta, folder)
    return folder, meta


def read_table(folder: Path, meta: dict[str, Any]) -> tuple[Table, list[str], list[str]]:
    """Open what `build` wrote: the table, each row's split, and its group of look-alikes."""
    import pyarrow.parquet as pq

    rows: Any = pq.read_table(folder / ROWS)
    count, size = meta["count"], meta["size"]
    labels = {name: _coded(rows[f"label {name}"].to_pylist()) for name in meta["classes"]}
    texts: dict[str, Sequence[Sequence[str]]] = {"text": rows["text"].to_pylist()} if meta["text"] else {}
    maps = {
        name: (
            _mapped(folder / about["file"], (count, about["planes"], size, size)),
            np.array(rows[f"map {name}"].to_pylist(), bool),
            Column("map", map_kind=about["kind"], channels=about["channels"]),
        )
        for name, about in meta["maps"].items()
    }
    planes = _mapped(folder / PICTURES, (count, meta["planes"], size, size))
    table = Table(planes, labels, texts, maps, meta.get("native", 0))  # which caches of earlier releases do not say
    return table, rows["split"].to_pylist(), rows["group"].to_pylist()


def _coded(values: list[str | None]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    classes = classes_of(values)
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([-1 if v is None else numbers[v] for v in values], np.int64), classes


def _mapped(file: Path, shape: tuple[int, int, int, int]) -> Planes:
    mapped: Bytes = np.memmap(file, np.uint8, "r", shape=shape)
    return mapped.view(np.ndarray)  # the plain view: picking rows of a memmap object costs more


def _tell(meta: dict[str, Any], folder: Path) -> None:
    if meta["bad"]:
        reasons = ", ".join(f"{n} {reason}" for reason, n in meta["reasons"].items())
        log.warning("%s: %d pictures; %d set aside (%s), listed in %s",
                    meta["name"], meta["count"], meta["bad"], reasons, folder / QUARANTINE)  # fmt: skip
    if meta["converted"]:
        notes = ", ".join(f"{n} {note}" for note, n in meta["converted"].items())
        log.info("%s: %d pictures converted (%s)", meta["name"], meta["rows_converted"], notes)
