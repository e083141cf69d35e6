r"""Random numbers, one counter-based stream a sample.

The same (seed, index) gives the same numbers whatever the batch size, the number of processes, or where a resumed run
stood: nothing is drawn from a generator that samples share. Number n of a stream is a hash of the stream's key and n,
so that all rows are computed at once, on any device; and nothing but integer arithmetic, one table and correctly
rounded sums is used, so that the numbers are the same bit for bit on a CPU and on a GPU.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # SplitMix64's constants
LEVELS = 1 << 16  # of the table of normal quantiles
CACHE = 1 << 16  # words hashed at once on a CPU: what its cache holds


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

    "Fast Splittable Pseudorandom Number Generators" (Steele, Lea & Flood, 2014): SplitMix64, whose n-th output is a
    hash of start + n γ.

    >>> several, single = Streams(7, [0, 1, 2]), Streams(7, [2])
    >>> bool((several.normal(4)[2] == single.normal(4)[0]).all())
    True
    """

    def __init__(
        self, seed: int, indices: Sequence[int], *, name: str = "", device: torch.device | str = "cpu"
    ) -> None:
        self.seed, self.indices, self.name, self.device = seed, tuple(indices), name, torch.device(device)
        self._used = 0  # words that every row has drawn
        self._keys: Tensor | None = None

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
        """Draw standard normal numbers, (B, *shape) float32.

        Each is (q(i) + q(j)) / √2 of two 16-bit numbers, q the quantiles of N(0, 1): no logarithm or cosine, whose last
        bits depend on the machine. Its tails end at 5.9; its distribution function is within 2e-5 of the normal one.
        """
        count = math.prod(shape)
        drawn = torch.empty(len(self), -(-count // 2), 2, device=self.device)
        for words, place in self._words(drawn.shape[1]):
            halves = [words.bitwise_right_shift(16 * part).bitwise_and_(LEVELS - 1) for part in range(4)]
            q = _quantiles(self.device)
            for number in range(2):
                either = torch.take(q, halves[2 * number]).add_(torch.take(q, halves[2 * number + 1]))
                torch.mul(either, math.sqrt(0.5), out=drawn[place][..., number])
        return drawn.flatten(1)[:, :count].reshape(len(self), *shape)

    def uniform(self, *shape: int) -> Tensor:
        """Draw uniform numbers in [0, 1), (B, *shape) float32."""
        bits = self._bits(math.prod(shape), 24)
        return bits.float().mul_(2.0**-24).reshape(len(self), *shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Draw integers in [0, high), (B, *shape) int64; `high` at most 2^31."""
        bits = self._bits(math.prod(shape), 32)
        return bits.mul_(high).bitwise_right_shift_(32).reshape(len(self), *shape)

    def _bits(self, count: int, width: int) -> Tensor:
        """Return the upper `width` bits of the next `count` words of each row, (B, count) int64."""
        bits = torch.empty(len(self), count, dtype=torch.int64, device=self.device)
        for words, place in self._words(count):
            torch.bitwise_and(words.bitwise_right_shift_(64 - width), (1 << width) - 1, out=bits[place])
        return bits

    def _words(self, count: int) -> Iterator[tuple[Tensor, slice]]:
        """Yield the next `count` words of some rows, (b, count) int64, and which rows these are."""
        if self._keys is None:
            rows = torch.tensor(self.indices, dtype=torch.int64, device=self.device)
            self._keys = _mixed(_mixed(rows.mul_(_signed(GOLDEN))).add_(derive_seed(self.seed, self.name)))
        numbers = torch.arange(self._used + 1, self._used + 1 + count, device=self.device).mul_(_signed(GOLDEN))
        self._used += count
        at_once = max(1, CACHE // max(count, 1)) if self.device.type == "cpu" else max(len(self), 1)
        for start in range(0, len(self), at_once):
            place = slice(start, min(start + at_once, len(self)))
            yield _mixed(self._keys[place, None] + numbers), place


def _mixed(z: Tensor) -> Tensor:
    """Hash 64-bit words in place: SplitMix64's finalizer. int64 multiplication wraps; shifts are made logical."""
    for shift, factor in ((30, FIRST), (27, SECOND)):
        z.bitwise_xor_(z.bitwise_right_shift(shift).bitwise_and_((1 << (64 - shift)) - 1)).mul_(_signed(factor))
    return z.bitwise_xor_(z.bitwise_right_shift(31).bitwise_and_((1 << 33) - 1))


def _signed(word: int) -> int:
    return word - (1 << 64) if word >= 1 << 63 else word


@functools.cache
def _quantiles(device: torch.device) -> Tensor:
    """Return the quantiles of N(0, 1) at (i + ½) / 2^16, scaled to variance 1, float32."""
    q = torch.special.ndtri((torch.arange(LEVELS, dtype=torch.float64) + 0.5) / LEVELS)
    return (q / q.square().mean().sqrt()).float().to(device)
