"""Batches as a pure function of (seed, position), so that a resumed run sees what it would have seen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, ConfigurationError, DataError, derive_seed
from lienzo.data.assemble import Assembler, check_share, share_of
from lienzo.data.dataset import Dataset
from lienzo.data.reword import voice_of


class Loader:
    """Turns a dataset into batches.

    Every epoch is a permutation of its own, and batches run across the end of one into the next. All choices of a row
    (background, text, flip) come from its stream, whose index is the number of pictures seen before it: they depend on
    neither the batch size nor the number of processes.

    Args:
        dataset: the pictures.
        bus: whose conditions are told what the columns of the same names say.
        batch_size: of all processes together.
        seed: of order and choices.
        rank, world: this process, and how many there are; a batch is split into contiguous parts, in their order.
        background: for transparent pictures: "white", "dark", "colour", or "mixed" (half white, an eighth dark, the
            rest coloured, drawn anew at each sight). A condition named "background" is told which it was.
        flip: probability of mirroring a picture, with its maps, left to right.
        reword: probability with which a word of a caption is replaced by one that nothing else is nearer to; see
            `Reworder`.

    Raises:
        ConfigurationError: for sizes or names that cannot be.
        DataError: if the dataset is empty.
    """

    def __init__(
        self, dataset: Dataset, bus: Bus, *, batch_size: int, seed: int = 0, rank: int = 0, world: int = 1,
        background: str = "mixed", flip: float = 0.0, reword: float = 0.0,
    ) -> None:  # fmt: skip
        check_share(batch_size, rank, world)
        if not len(dataset):
            raise DataError(f"{dataset.name} is empty", hint="a source, a split and a 'where' that leave some pictures")
        self.dataset, self.bus, self.batch_size, self.seed = dataset, bus, batch_size, seed
        self.rank, self.world = rank, world
        self._assembler = Assembler(bus, seed, background, flip, voice_of(dataset, reword))
        self._orders: dict[int, NDArray[np.int64]] = {}

    @property
    def epoch_length(self) -> int:
        """How many pictures an epoch has."""
        return len(self.dataset)

    def batch_at(self, position: int) -> Batch:
        """Return this process's part of the batch that begins after `position` pictures.

        Args:
            position: pictures seen so far by all processes together.

        Returns:
            x (B, C, H, W) in [-1, 1] with C = 3 or 1, its conditions, and streams of the rows' numbers.

        Raises:
            ConfigurationError: for a negative position.
        """
        if position < 0:
            raise ConfigurationError(f"position {position}", hint="the number of pictures seen so far, from 0")
        first, stop = share_of(position, self.batch_size, self.rank, self.world)
        rows = self.rows_at(first, stop)
        data = self.dataset
        columns = {**data.asides, **data.columns}
        return self._assembler.batch(data.pictures(rows), columns, lambda name: data.values(name, rows), first)

    def rows_at(self, first: int, stop: int) -> NDArray[np.int64]:
        """Return the dataset's rows that are seen at positions first..stop, (stop - first,)."""
        count = len(self.dataset)
        parts: list[NDArray[np.int64]] = []
        while first < stop:
            epoch, start = divmod(first, count)
            end = min(count, start + stop - first)
            parts.append(self._order(epoch)[start:end])
            first += end - start
        return np.concatenate(parts)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if epoch not in self._orders:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "order", epoch))
            self._orders = {n: order for n, order in self._orders.items() if n == epoch - 1}  # a batch may need both
            self._orders[epoch] = torch.randperm(len(self.dataset), generator=generator).numpy()
        return self._orders[epoch]
