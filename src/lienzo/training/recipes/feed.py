"""What the loop is fed with: the pictures of a set, or those of tars as they come."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from lienzo.conditions import Bus
from lienzo.core import Batch, Conditions, Family, Said, Streams
from lienzo.data import Dataset, Loader, Sampled, StreamLoader
from lienzo.data.assemble import share_of
from lienzo.data.builder import QUARANTINE
from lienzo.data.stream import Aside
from lienzo.training.loop import BatchAt
from lienzo.training.recipes.parts import Data

NUMBERS = 1 << 24  # of pictures that the spread of codes is measured with


@contextmanager
def fed(
    dataset: Dataset, bus: Bus, data: Data, *, batch_size: int, seed: int, out: Path | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Generator[BatchAt]:  # fmt: skip
    """Give whole batches by position: of a set, or of the tars that it is a sample of.

    Of a stream, each process of a team reads shards of its own, and only its rows of a batch are filled.

    Args:
        dataset: the pictures, or a sample of them.
        bus: what is told of them.
        data: how they are shown.
        batch_size: of all processes together.
        seed: of order and choices.
        out: a folder for the list of a stream's damaged pictures; None: no list.
        tell: hears of classes that the bus does not know, and of long waits.
    """
    reword = data.reword if "text" in bus.names else 0.0
    if not isinstance(dataset, Sampled):
        yield Loader(dataset, bus, batch_size=batch_size, seed=seed, background=data.background, flip=data.flip,
                     reword=reword).batch_at  # fmt: skip
        return
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    listed = None if out is None else out / (f"{rank}-{QUARANTINE}" if rank else QUARANTINE)
    stream = StreamLoader(
        dataset, bus, batch_size=batch_size, seed=seed, rank=rank, world=world, background=data.background,
        flip=data.flip, reword=reword, aside=Aside(data.max_bad_share, listed, tell),
    )  # fmt: skip

    def batch_at(position: int) -> Batch:
        first = position - position % batch_size  # after a change of the batch's size, a position may lie in between
        return whole(stream.batch_at(first), first, batch_size, rank, world)

    try:
        yield batch_at
    finally:
        stream.close()


def whole(part: Batch, first: int, size: int, rank: int, world: int) -> Batch:
    """Return a batch of all processes in which one's rows lie where the loop takes them from, and the others are blank.

    Args:
        part: this process's rows.
        first: pictures seen before the batch.
        size: of the batch.
        rank: this process.
        world: how many there are.
    """
    if world == 1:
        return part
    start, _ = share_of(0, size, rank, world)

    def among(rows: Tensor) -> Tensor:
        blank = rows.new_zeros(size, *rows.shape[1:])
        blank[start : start + len(rows)] = rows
        return blank

    said = {n: Said(tuple(map(among, each.values)), among(each.present)) for n, each in part.conditions.items()}
    streams = Streams(part.streams.seed, range(first, first + size))
    return Batch(among(part.x), Conditions(said, count=size), streams)


def pictures_of(dataset: Dataset, data: Data, seed: int) -> Tensor:
    """Return pictures of a set, (B, C, H, W), as many as the spread of their codes is measured with."""
    count = min(len(dataset), max(64, NUMBERS // math.prod(dataset.shape)))
    loader = Loader(dataset, Bus({}), batch_size=count, seed=seed, background=data.background, flip=data.flip)
    return loader.batch_at(0).x


def device_of(family: Family) -> torch.device:
    """Return where a family's parameters are."""
    return next(family.parameters()).device
