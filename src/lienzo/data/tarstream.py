"""Undecoded samples of tars, read forward: one epoch, one node's and worker's part of the shards."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from lienzo.core import DataError, derive_seed
from lienzo.data.records import Record
from lienzo.data.tars import sample_record, split_of
from lienzo.data.telling import readable

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
        mine = [{"url": str(file.absolute())} for file in shards[rank::world][worker::workers]]
        if not mine:
            raise DataError(
                f"{len(shards)} shards cannot be split over {world} nodes of {workers} workers",
                hint="fewer workers, or tars that are cut smaller",
            )
        samples: Iterator[dict[str, Any]] = wds.tarfile_samples(iter(mine), handler=wds.warn_and_continue)
        order = random.Random(derive_seed(self.seed, "samples", self.epoch, rank, worker))
        return shuffled(map(partial(_record, self.files), samples), self.buffer, order)


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
        hint = "pip install 'lienzo[cluster]'; or data.stream=false, which decodes all of them beforehand"
        raise DataError("streaming tars needs 'webdataset'", hint=hint) from None


def _taken(held: list[Record], order: random.Random) -> Record:
    last = len(held) - 1
    place = order.randint(0, last)
    held[place], held[last] = held[last], held[place]
    return held.pop()


def _record(files: list[Path], sample: Mapping[str, Any]) -> Record:
    """Name a sample, and tell its split, as `Tars` does."""
    shard = Path(sample["__url__"])
    parts = {name: value for name, value in sample.items() if not name.startswith("__")}
    return sample_record(f"{shard.name}/{readable(sample['__key__'])}", parts, split_of(shard, files))
