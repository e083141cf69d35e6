"""Tars that are too many to decode beforehand: read forward, split over nodes and workers, decoded ahead."""

from __future__ import annotations

import importlib
import itertools
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import IterableDataset

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, ConfigurationError, DataError, derive_seed
from lienzo.data.assemble import Assembler, check_share, share_of
from lienzo.data.columns import classes_of, is_text, label_of, map_kind, read_columns, strings
from lienzo.data.dataset import BACKGROUNDS, Column
from lienzo.data.pixels import Ask, Pixels
from lienzo.data.planes import recoloured
from lienzo.data.records import Record
from lienzo.data.tars import Tars, expand, sample_record
from lienzo.data.workers import SECONDS, Outcome, Workers

PEEK = 1000  # samples by which columns are known
ENOUGH = 200  # samples after which a share of bad ones means something
BUFFER = 1000  # samples that are shuffled among one another


class TarStream(IterableDataset[Record]):
    """One epoch of undecoded samples: this node's and, in a `DataLoader`, this worker's part of the shards.

    Args:
        files: the shards.
        seed, epoch: give the order of shards, and of samples within a buffer.
        rank, world: this node's number, and how many there are; by default what the environment says.
        buffer: how many samples are shuffled among one another; 1 keeps the order of the shards.
    """

    def __init__(
        self, files: list[Path], *, seed: int = 0, epoch: int = 0, rank: int | None = None, world: int | None = None,
        buffer: int = BUFFER,
    ) -> None:  # fmt: skip
        super().__init__()
        self.files, self.seed, self.epoch = files, seed, epoch
        self.rank, self.world, self.buffer = rank, world, buffer

    def __iter__(self) -> Iterator[Record]:
        wds: Any = webdataset()
        rank, world, worker, workers = wds.utils.pytorch_worker_info()
        rank, world = (self.rank or 0, self.world) if self.world is not None else (rank, world)
        shards = list(self.files)
        random.Random(derive_seed(self.seed, "shards", self.epoch)).shuffle(shards)  # the same on every node
        mine = [{"url": str(file.resolve())} for file in shards[rank::world][worker::workers]]
        if not mine:
            raise DataError(
                f"{len(shards)} shards cannot be split over {world} nodes of {workers} workers",
                hint="fewer workers, or tars that are cut smaller",
            )
        samples: Iterator[dict[str, Any]] = wds.tarfile_samples(iter(mine), handler=wds.warn_and_continue)
        order = random.Random(derive_seed(self.seed, "samples", self.epoch, rank, worker))
        return shuffled(map(_record, samples), self.buffer, order)


class StreamLoader:
    """Batches from tars; to begin at another position than the next, the stream starts anew and skips undecoded.

    A damaged sample's place is taken by the next good one, so that positions do not depend on what was damaged.

    Args:
        shards: "a-{000..010}.tar", "a-*.tar", or the files.
        bus: whose conditions are told what the samples say.
        ask: size, policy and channels; by default 64 pixels, cropped, in colour.
        batch_size, seed, rank, world, background, flip: as in `Loader`. Every process reads shards of its own.
        max_bad_share: share of samples that may be damaged before this is an error.
        quarantine: a file that lists damaged samples, if one is wanted.
        buffer: how many samples are shuffled among one another.

    Raises:
        ConfigurationError: for sizes or names that cannot be.
        DataError: if a shard is missing, or there are fewer shards than processes.
    """

    def __init__(
        self, shards: str | list[Path], bus: Bus, *, batch_size: int, ask: Ask | None = None, seed: int = 0,
        rank: int = 0, world: int = 1, background: str = "mixed", flip: float = 0.0, max_bad_share: float = 0.2,
        quarantine: Path | None = None, buffer: int = BUFFER,
    ) -> None:  # fmt: skip
        check_share(batch_size, rank, world)
        self.files = expand(shards) if isinstance(shards, str) else shards
        if len(self.files) < world:
            raise DataError(f"{len(self.files)} shards for {world} processes", hint="tars that are cut smaller")
        self.bus, self.batch_size, self.seed, self.rank, self.world = bus, batch_size, seed, rank, world
        self.max_bad_share, self.quarantine, self.buffer = max_bad_share, quarantine, buffer
        self.good = self.bad = 0
        self._ask = ask or Ask(64)
        self._assembler = Assembler(bus, seed, background, flip)
        self._workers = Workers(seconds=SECONDS)
        self._position, self._listed = -1, set[str]()
        self._samples: Iterator[tuple[Pixels, dict[str, Any]]] = iter(())

    def batch_at(self, position: int) -> Batch:
        """Return this process's part of the batch that begins after `position` pictures.

        Args:
            position: a multiple of the batch size. Positions in their order cost nothing more; any other one, as after
                a way back to an earlier state, costs reading all samples before it.

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
        columns = {name: _column(name) for name in self.bus.names}
        return self._assembler.batch(pictures, columns, lambda name: [row.get(name) for _, row in rows], first)

    def close(self) -> None:
        """End the decoding processes."""
        self._workers.close()

    def _from(self, skipped: int) -> Iterator[tuple[Pixels, dict[str, Any]]]:
        """Decode for ever, from this process's sample number `skipped`."""
        records = itertools.islice(self._records(), skipped, None)
        missing = 1
        for record, found, maps in self._workers.decode(records, self._ask, ahead=self.batch_size):
            if found.pixels is None:
                self._set_aside(record, found.reason, found.detail)
                missing += 1
                continue
            self.good += 1
            pixels = recoloured(found.pixels, 1 if self._ask.channels == 1 else 4)
            said = said_of((record, found, maps), self.bus.names)
            yield from itertools.repeat((pixels, said), missing)
            missing = 1

    def _records(self) -> Iterator[Record]:
        for epoch in itertools.count():
            empty = True
            parts = {"rank": self.rank, "world": self.world, "buffer": self.buffer}
            for record in TarStream(self.files, seed=self.seed, epoch=epoch, **parts):
                empty = False
                yield record
            if empty:
                raise DataError(f"no sample in the shards of process {self.rank}", hint="lienzo data check SHARD.tar")

    def _set_aside(self, record: Record, reason: str, detail: str) -> None:
        self.bad += 1
        if self.quarantine is not None and record.key not in self._listed:
            self._listed.add(record.key)
            with self.quarantine.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"file": record.key, "reason": reason, "detail": detail}) + "\n")
        if self.good + self.bad >= ENOUGH and self.bad > self.max_bad_share * (self.good + self.bad):
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
    files = expand(shards) if isinstance(shards, str) else shards
    records = list(itertools.islice(Tars(files, str(shards)).records(), count))
    said = read_columns([record.fields for record in records])
    columns = {name: Column("label", classes_of(values)) for name, values in said.labels.items()}
    columns |= {"text": Column("text")} if said.texts is not None else {}
    maps = {name for record in records for name in record.maps}
    columns |= {name: Column("map", map_kind=map_kind(name)) for name in sorted(maps)}
    return columns | {"background": Column("label", BACKGROUNDS)}


def said_of(outcome: Outcome, names: list[str]) -> dict[str, Any]:
    """What one sample says to each condition: candidates of text, a map's pixels, or a label's name."""
    record, _, maps = outcome
    said: dict[str, Any] = {name: label_of(record.fields.get(name)) for name in names}
    if "text" in names:
        said["text"] = [t for name, value in record.fields.items() if is_text(name) for t in strings(value)]
    return said | {name: found.pixels for name, found in maps.items() if name in names}


def shuffled(records: Iterator[Record], buffer: int, order: random.Random) -> Iterator[Record]:
    """Shuffle a stream as far as a buffer reaches."""
    held: list[Record] = []
    for record in records:
        held.append(record)
        if len(held) >= buffer:
            yield _taken(held, order)
    while held:
        yield _taken(held, order)


def webdataset() -> Any:
    """Load `webdataset`.

    Raises:
        DataError: if it is not installed.
    """
    try:
        return importlib.import_module("webdataset")
    except ImportError:
        raise DataError("streaming tars needs 'webdataset'", hint="pip install webdataset") from None


def _taken(held: list[Record], order: random.Random) -> Record:
    last = len(held) - 1
    place = order.randint(0, last)
    held[place], held[last] = held[last], held[place]
    return held.pop()


def _record(sample: Mapping[str, Any]) -> Record:
    return sample_record(sample["__key__"], {name: v for name, v in sample.items() if not name.startswith("__")})


def _column(name: str) -> Column:
    return Column("text") if name == "text" else Column("label")
