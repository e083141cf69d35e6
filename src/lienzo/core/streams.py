r"""Random numbers, one counter-based stream a sample.

The same (seed, index) gives the same numbers whatever the batch size, the number of processes, or where a resumed run
stood: nothing is drawn from a generator that samples share. Numbers are drawn on the CPU and moved, so that they are
also the same on every device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


def derive_seed(*parts: int | str) -> int:
    """Hash a path of names and numbers to a 63-bit seed.

    >>> derive_seed(0, 1) == derive_seed(0, 1), derive_seed(0, 1) == derive_seed(1, 0)
    (True, False)
    """
    text = "/".join(f"{type(part).__name__[0]}{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


class Streams:
    """Independent random streams for a batch of samples, one row each.

    Draws are sequential within a row. `child` gives streams that do not disturb their parent's, for parts of an
    algorithm that should not shift each other's numbers.

    Args:
        seed: what the user chose.
        indices: the number of each sample within that seed, length B.
        name: the path of children, part of the key.
        device: where the numbers are wanted.

    >>> several, single = Streams(7, [0, 1, 2]), Streams(7, [2])
    >>> bool((several.normal(4)[2] == single.normal(4)[0]).all())
    True
    """

    def __init__(
        self, seed: int, indices: Sequence[int], *, name: str = "", device: torch.device | str = "cpu"
    ) -> None:
        self.seed, self.indices, self.name, self.device = seed, tuple(indices), name, torch.device(device)
        self._generators = [torch.Generator().manual_seed(derive_seed(seed, index, name)) for index in self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[Streams]:
        return (Streams(self.seed, [i], name=self.name, device=self.device) for i in self.indices)

    def child(self, name: str | int) -> Streams:
        """Return fresh streams with the same rows under a name of their own."""
        return Streams(self.seed, self.indices, name=f"{self.name}/{name}", device=self.device)

    def to(self, device: torch.device | str) -> Streams:
        """Return fresh streams whose numbers land on `device`."""
        return Streams(self.seed, self.indices, name=self.name, device=device)

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal numbers, (B, *shape) float32."""
        return self._stack([torch.randn(shape, generator=g) for g in self._generators], shape)

    def uniform(self, *shape: int) -> Tensor:
        """Draw uniform numbers in [0, 1), (B, *shape) float32."""
        return self._stack([torch.rand(shape, generator=g) for g in self._generators], shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Draw integers in [0, high), (B, *shape) int64."""
        return self._stack([torch.randint(high, shape, generator=g) for g in self._generators], shape)

    def _stack(self, rows: list[Tensor], shape: tuple[int, ...]) -> Tensor:
        drawn = torch.stack(rows) if rows else torch.empty(0, *shape)
        return drawn.to(self.device)
