"""Tars that are too many to decode beforehand: read forward, split over nodes and workers, decoded ahead."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, ConfigurationError, DataError
from lienzo.data.assemble import Assembler, check_share, share_of
from lienzo.data.columns import classes_of, map_kind, read_columns
from lienzo.data.dataset import BACKGROUNDS, Column
from lienzo.data.heard import Ears, Tell
from lienzo.data.pixels import Ask, Pixels
from lienzo.data.planes import recoloured
from lienzo.data.records import Record
from lienzo.data.reword import voice_of
from lienzo.data.sample import Sampled
from lienzo.data.tars import Tars, expand
from lienzo.data.tarstream import BUFFER, TarStream, webdataset
from lienzo.data.workers import SECONDS, Workers

PEEK = 1000  # samples by which columns are known
ENOUGH = 200  # samples after which a share of bad ones means something
LONG = 10_000  # samples that are not skipped without a word


def _unheard(sentence: str) -> None:
    return


@dataclass(frozen=True)
class Aside:
    """What becomes of what a stream holds and nobody can use.

    Attributes:
        share: of samples that may be damaged before this is an error.
        file: that lists damaged samples, if one is wanted.
        tell: hears of classes that the bus does not know, and of long waits.
    """

    share: float = 0.2
    file: Path | None = None
    tell: Tell = field(default_factory=lambda: _unheard)


ASIDE = Aside()


class StreamLoader:
    """Batches from tars; to begin at another position than the next, the stream starts anew and skips undecoded.

    A damaged sample's place is taken by the next good one, so that positions do not depend on what was damaged.

    Attributes:
        good, bad: samples that were decoded, and that could not be.
        ears: hears what they say, and counts what it does not know.

    Args:
        shards: "a-{000..010}.tar", "a-*.tar", the files; or a sample of them, which tells what is known of the columns
            and which samples are asked for: without it, all are, and columns are what their names tell.
        bus: whose conditions are told what the samples say.
        ask: size, policy and channels; by default the sample's, or 64 pixels, cropped, in colour.
        batch_size, seed, rank, world, background, flip: as in `Loader`. Every process reads shards of its own.
        reword: as in `Loader`, by the words of the sample's captions.
        aside: what becomes of what cannot be used.
        buffer: how many samples are shuffled among one another.

    Raises:
        ConfigurationError: for sizes or names that cannot be.
        DataError: if a shard is missing, there are fewer shards than processes, or `webdataset` is not installed.
    """

    def __init__(
        self, shards: str | list[Path] | Sampled, bus: Bus, *, batch_size: int, ask: Ask | None = None, seed: int = 0,
        rank: int = 0, world: int = 1, background: str = "mixed", flip: float = 0.0, reword: float = 0.0,
        aside: Aside = ASIDE, buffer: int = BUFFER,
    ) -> None:  # fmt: skip
        check_share(batch_size, rank, world)
        webdataset()
        sample = shards if isinstance(shards, Sampled) else None
        self.files = shards.shards if isinstance(shards, Sampled) else _files(shards)
        if len(self.files) < world:
            raise DataError(f"{len(self.files)} shards for {world} processes", hint="tars that are cut smaller")
        self.bus, self.batch_size, self.seed, self.rank, self.world = bus, batch_size, seed, rank, world
        self.aside, self.buffer, self.good, self.bad = aside, buffer, 0, 0
        self.columns = (
            {**sample.asides, **sample.columns} if sample is not None else {name: _column(name) for name in bus.names}
        )
        self.ears = Ears(bus, self.columns, sample.texts if sample is not None else (), aside.tell)
        self._keeps: Callable[[Record], bool] = sample.keeps if sample is not None else _all
        self._ask = ask or (Ask(64) if sample is None else sample.ask)
        self._assembler = Assembler(bus, seed, background, flip, None if sample is None else voice_of(sample, reword))
        self._workers = Workers(seconds=SECONDS)
        self._position, self._listed = -1, set[str]()
        self._lengths = list[int]()  # of the epochs that were read to their ends, in this process's samples
        self._samples: Iterator[tuple[Pixels, dict[str, Any]]] = iter(())

    def batch_at(self, position: int) -> Batch:
        """Return this process's part of the batch that begins after `position` pictures.

        Args:
            position: a multiple of the batch size. Positions in their order cost nothing more; any other one, as after
                a way back to an earlier state, costs reading the samples before it, but for whole epochs that this
                loader has read already.

        Raises:
            ConfigurationError: for a position that is no multiple of the batch size.
            DataError: if too many samples are damaged.
        """
        if position % self.batch_size or position < 0:
            hint = f"multiples of {self.batch_size}"
            raise ConfigurationError(f"a stream cannot give position {position}", hint=hint)
        first, stop = share_of(position, self.batch_size, self.rank, self.world)
        share = share_of(0, self.batch_size, self.rank, self.world)
        if position != self._position + self.batch_size or self._position < 0:
            self._samples = self._from(position // self.batch_size * (share[1] - share[0]))
        self._position = position
        rows = list(itertools.islice(self._samples, stop - first))
        pictures = np.stack([pixels for pixels, _ in rows])
        return self._assembler.batch(pictures, self.columns, lambda name: [row.get(name) for _, row in rows], first)

    def close(self) -> None:
        """End the decoding processes, and say how often the bus did not know what it was told."""
        self._workers.close()
        for sentence in self.ears.summary():
            self.aside.tell(sentence)

    def _from(self, skipped: int) -> Iterator[tuple[Pixels, dict[str, Any]]]:
        """Decode for ever, from this process's sample number `skipped`."""
        if skipped >= LONG:
            self.aside.tell(f"going forward in the tars: {skipped:,} samples are read and not decoded")
        missing = 1
        for record, found, maps in self._workers.decode(self._records(skipped), self._ask, ahead=self.batch_size):
            if found.pixels is None:
                self._set_aside(record, found.reason, found.detail)
                missing += 1
                continue
            self.good += 1
            pixels = recoloured(found.pixels, 1 if self._ask.channels == 1 else 4)
            said = self.ears.said((record, found, maps))
            yield from itertools.repeat((pixels, said), missing)
            missing = 1

    def _records(self, skipped: int) -> Iterator[Record]:
        for epoch in itertools.count():
            known = self._lengths[epoch] if epoch < len(self._lengths) else None
            if known is not None and skipped >= known:
                skipped -= known
                continue
            length, parts = 0, {"rank": self.rank, "world": self.world, "buffer": self.buffer}
            for record in filter(self._keeps, TarStream(self.files, seed=self.seed, epoch=epoch, **parts)):
                length += 1
                if length > skipped:
                    yield record
            if not length:
                what = f"no sample that is asked for in the shards of process {self.rank}"
                raise DataError(what, hint="lienzo data check SHARD.tar")
            skipped = max(skipped - length, 0)
            if known is None:
                self._lengths.append(length)

    def _set_aside(self, record: Record, reason: str, detail: str) -> None:
        self.bad += 1
        if self.aside.file is not None and record.key not in self._listed:
            self._listed.add(record.key)
            with self.aside.file.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"file": record.key, "reason": reason, "detail": detail}) + "\n")
        if self.good + self.bad >= ENOUGH and self.bad > self.aside.share * (self.good + self.bad):
            raise DataError(
                f"{self.bad} of {self.good + self.bad} samples are damaged, the last: {record.key}: {reason}",
                hint="lienzo data check SHARD.tar, or raise max_bad_share",
            )


def peek(shards: str | list[Path], count: int = PEEK) -> dict[str, Column]:
    """Tell the columns of tars from their first samples: what a bus for them is built from.

    Args:
        shards: as in `StreamLoader`.
        count: how many samples to read; a class that is not among them is not known.
    """
    files = _files(shards)
    records = list(itertools.islice(Tars(files, str(shards)).records(), count))
    said = read_columns([record.fields for record in records])
    columns = {name: Column("label", classes_of(values)) for name, values in said.labels.items()}
    columns |= {"text": Column("text")} if said.texts is not None else {}
    maps = {name for record in records for name in record.maps}
    columns |= {name: Column("map", map_kind=map_kind(name)) for name in sorted(maps)}
    return columns | {"background": Column("label", BACKGROUNDS)}


def _files(shards: str | list[Path]) -> list[Path]:
    return expand(shards) if isinstance(shards, str) else shards


def _all(record: Record) -> bool:
    return True


def _column(name: str) -> Column:
    return Column("text") if name == "text" else Column("label")
