"""Tars that are streamed: a sample of them, decoded beforehand, stands for all wherever a set has to be known."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from lienzo.core.errors import ConfigurationError
from lienzo.data.alike import place_of
from lienzo.data.builder import QUARANTINE, ROWS
from lienzo.data.built import Limits, decoded, read_table
from lienzo.data.cache import key_of
from lienzo.data.columns import label_of
from lienzo.data.dataset import Table, TableDataset
from lienzo.data.pixels import Ask
from lienzo.data.records import Record, Source
from lienzo.data.splits import Where, held_below, matching, rows_of, wanted_in
from lienzo.data.tars import Tars, head_of, records_of, split_of

log = logging.getLogger("lienzo.data")
STREAMED = 16 << 30  # bytes of tars beyond which they are streamed, unless somebody says otherwise
LEAST = 64  # samples that are taken of a tar, where it has as many
LOOKED = (4, 256)  # tars, and samples of each, by whose bytes all of them are counted


@dataclass(frozen=True)
class Keeps:
    """Tells of an undecoded sample whether it is asked for: what `rows_of` and `matching` tell of decoded ones.

    Attributes:
        wanted: splits.
        below: the place below which a key, in the place of a group of look-alikes, is held out.
        where: label → its classes; "" stands for unsaid.
    """

    wanted: tuple[str, ...]
    below: float
    where: Mapping[str, frozenset[str]]

    def __call__(self, record: Record) -> bool:
        split = record.split or "train"
        if split == "train" and place_of(record.key) < self.below:
            split = "validation"
        said = ((label_of(record.fields.get(name)) or "") in classes for name, classes in self.where.items())
        return self.admits(split) and all(said)

    def admits(self, split: str) -> bool:
        """Tell whether a split is asked for."""
        return split in self.wanted or "all" in self.wanted


class Heads(Source):
    """The first samples of tars that are spread evenly over all.

    Args:
        tars: all of them.
        count: how many samples.
    """

    kind = "tar sample"

    def __init__(self, tars: Tars, count: int) -> None:
        self.name, self.shards, self.count = tars.name, tars.files(), count
        self.each = max(math.ceil(count / len(self.shards)), LEAST)

    def files(self) -> list[Path]:
        """Return all tars, those that are looked into first."""
        return spread(self.shards, math.ceil(self.count / self.each))

    def root(self) -> Path:
        """Return the folder of the first tar."""
        return self.shards[0].parent

    def token(self) -> str:
        """Name the tars by size and time: they are too many to be read for it."""
        stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in self.shards]
        return key_of(self.kind, self.count, stamps)

    def records(self) -> Iterator[Record]:
        """Read the heads, until there are enough."""
        heads = (itertools.islice(records_of(file, split_of(file, self.shards)), self.each) for file in self.files())
        yield from itertools.islice(itertools.chain.from_iterable(heads), self.count)


class Sampled(TableDataset):
    """What stands for tars that are streamed: some of their pictures, with random access, and what is known of all.

    Attributes:
        ask: what becomes of a picture.
        keeps: tells of a sample of the stream whether it is one of those that were asked for. What this set holds out
            of the sample, it holds out of the stream.
        shards: the tars that may hold such samples.
        texts: fields that are captions.
    """

    def __init__(
        self, tars: Tars, table: Table, rows: Any, *, ask: Ask, keeps: Keeps, texts: Sequence[str], fingerprint: str,
        quarantine: Path,
    ) -> None:  # fmt: skip
        super().__init__(tars.name, table, rows, fingerprint=fingerprint, quarantine=quarantine)
        files = tars.files()
        self.ask, self.keeps, self.texts = ask, keeps, texts
        self.shards = [file for file in files if keeps.admits(split_of(file, files) or "train")] or files
        self.bytes = size_of(self.shards)

    @property
    def whole(self) -> int:
        """About how many pictures the stream has, by the bytes that the first ones take."""
        return max(self._counted, len(self))

    @cached_property
    def _counted(self) -> int:
        tars, samples = LOOKED
        heads = [head_of(file, samples) for file in spread(self.shards, tars)[:tars]]
        found, size = (sum(numbers) for numbers in zip(*heads, strict=True))
        share = len(self.rows) / len(self.table)
        return round(found * share * self.bytes / max(size, 1))

    @property
    def told(self) -> str:
        """How much it stands for."""
        much = f"{self.bytes / 2**30:,.1f} GiB" if self.bytes >= 2**30 else f"{self.bytes / 2**20:,.1f} MiB"
        return f"{len(self.shards):,} tar{'s' if len(self.shards) > 1 else ''}, {much}, about {self.whole:,} pictures"


def open_sampled(tars: Tars, ask: Ask, *, split: str, where: Where | None, limits: Limits) -> Sampled:
    """Decode a sample of tars, if the cache does not have it.

    Args:
        tars: all of them.
        ask: size, policy and channels.
        split: as in `open_source`, but what is held out is told by the samples' keys, which a stream knows undecoded.
        where: as in `open_source`.
        limits: how to read them.
    """
    import pyarrow.parquet as pq

    folder, meta = decoded(Heads(tars, limits.sample), ask, limits)
    table, said, _ = read_table(folder, meta)
    known: Any = pq.read_table(folder / ROWS, columns=["key", "content"])
    keys, contents = (known[name].to_pylist() for name in ("key", "content"))
    rows = rows_of(split, said, keys, tars.name)
    if where:
        rows = rows[matching(table, where, tars.name)[rows]]
    classes = {n: frozenset([asked] if isinstance(asked, str) else asked) for n, asked in (where or {}).items()}
    keeps = Keeps(tuple(wanted_in(split)), held_below(said, keys), classes)
    chosen = key_of([(file.name, file.stat().st_size) for file in tars.files()], contents, split, dict(where or {}))
    return Sampled(tars, table, rows, ask=ask, keeps=keeps, texts=meta["spoken"], fingerprint=chosen,
                   quarantine=folder / QUARANTINE)  # fmt: skip


def streamed(source: Source, asked: bool | None) -> Tars | None:
    """Return the tars that are streamed: if it is asked for, and if nothing is said, where they exceed `STREAMED`.

    Raises:
        ConfigurationError: if it is asked of a source that is no tars.
    """
    if not isinstance(source, Tars):
        if asked:
            raise unstreamable(source.name)
        return None
    size = size_of(source.files())
    if asked is None and size > STREAMED:
        _warn(
            f"{source.name}: {size / 2**30:,.1f} GiB of tars are more than the {STREAMED / 2**30:,.1f} that are "
            "decoded beforehand: a sample of them is, and training streams them (data.stream = false: all)"
        )
    return source if (size > STREAMED if asked is None else asked) else None


def unstreamable(name: str) -> ConfigurationError:
    """Return the error for a source that is to be streamed and cannot be."""
    hint = "tars such as 'a-{000..010}.tar', or leave data.stream out"
    return ConfigurationError(f"{name} cannot be streamed: it is no set of tars", hint=hint)


def size_of(files: Sequence[Path]) -> int:
    """Return the bytes that files have together."""
    return sum(file.stat().st_size for file in files)


def spread(shards: Sequence[Path], enough: int) -> list[Path]:
    """Return shards, those first that are spread evenly over all; one of each split that names tell among them."""
    named = {split_of(shard, shards): number for number, shard in reversed(list(enumerate(shards)))}
    enough = min(max(enough, 1), len(shards))
    evenly = [number * len(shards) // enough for number in range(enough)]
    return [shards[number] for number in dict.fromkeys([*named.values(), *evenly, *range(len(shards))])]


@cache
def _warn(sentence: str) -> None:
    """Say something once."""
    log.warning(sentence)
