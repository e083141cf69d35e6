"""The next batch, made in a thread while a GPU is at work on this one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from lienzo.core import Batch

BatchAt = Callable[[int], Batch]


class Ahead:
    """A `batch_at` that has the next batch ready, on the device.

    Batches stay a pure function of the position: another position than the one expected is made when it is asked for.
    All calls of the data run in one thread, which need not expect others.

    Args:
        batch_at: makes a batch, on the CPU.
        size: of a step, by which the next position is known.
        device: where batches go.
    """

    def __init__(self, batch_at: BatchAt, size: int, device: torch.device) -> None:
        self.batch_at, self.size, self.device = batch_at, size, device
        self._thread = ThreadPoolExecutor(1, "lienzo-ahead")
        self._next: tuple[int, Future[Batch]] | None = None

    def __call__(self, position: int) -> Batch:
        """Return the batch that begins after `position` pictures, and begin the one after it."""
        expected, coming = self._next or (-1, None)
        batch = (coming if coming is not None and expected == position else self._begin(position)).result()
        self._next = (position + self.size, self._begin(position + self.size))
        return batch

    def close(self) -> None:
        """Wait for what was begun, and end the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _begin(self, position: int) -> Future[Batch]:
        return self._thread.submit(lambda: self.batch_at(position).to(self.device))
