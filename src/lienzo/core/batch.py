"""What families are fed: pictures, and what was said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from lienzo.core.streams import Streams


@dataclass(frozen=True)
class Said:
    """What a batch says for one condition: parsed values, and which rows say anything at all.

    Attributes:
        values: tensors with B rows each (a label's index; a text's word vectors and their mask; a map).
        present: (B,) bool; where it is False the values are ignored and the condition's null is heard.
    """

    values: tuple[Tensor, ...]
    present: Tensor

    def __len__(self) -> int:
        return int(self.present.shape[0])

    def rows(self, index: Tensor | slice) -> Said:
        """Return the rows that `index` picks."""
        return Said(tuple(v[index] for v in self.values), self.present[index])

    def dropped(self, keep: Tensor) -> Said:
        """Return the same, unsaid where `keep` (B,) is False."""
        return Said(self.values, self.present & keep)

    def to(self, device: torch.device | str) -> Said:
        """Return the same on another device."""
        return Said(tuple(v.to(device) for v in self.values), self.present.to(device))


class Conditions(Mapping[str, Said]):
    """What is said, by the condition's name; an immutable mapping whose entries share B rows.

    An empty mapping is a batch of B rows about which nothing is said.
    """

    def __init__(self, said: Mapping[str, Said] | None = None, *, count: int | None = None) -> None:
        self._said = dict(said or {})
        sizes = {len(s) for s in self._said.values()} | ({count} if count is not None else set())
        if len(sizes) > 1:
            raise ValueError(f"conditions of one batch must have the same number of rows, got {sorted(sizes)}")
        self.count = sizes.pop() if sizes else 0

    def __getitem__(self, name: str) -> Said:
        return self._said[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)

    def rows(self, index: Tensor | slice) -> Conditions:
        """Return the rows that `index` picks."""
        count = int(torch.arange(self.count)[index if isinstance(index, slice) else index.cpu()].shape[0])
        return Conditions({k: s.rows(index) for k, s in self.items()}, count=count)

    def repeat(self, times: int) -> Conditions:
        """Return every row `times` times, block after block."""
        return self.rows(torch.arange(self.count).repeat(times))

    def without(self, *names: str) -> Conditions:
        """Return the same with these conditions unsaid."""
        return Conditions(
            {k: s.dropped(torch.zeros_like(s.present)) if k in names else s for k, s in self.items()}, count=self.count
        )

    def to(self, device: torch.device | str) -> Conditions:
        """Return the same on another device."""
        return Conditions({k: s.to(device) for k, s in self.items()}, count=self.count)


@dataclass(frozen=True)
class Batch:
    """B pictures with what is said of them and the randomness that belongs to each.

    Attributes:
        x: (B, C, H, W) float32 in [-1, 1].
        conditions: parsed, B rows.
        streams: B rows; a family draws its training noise from these and from nothing else.
    """

    x: Tensor
    conditions: Conditions
    streams: Streams = field(repr=False)

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def rows(self, start: int, stop: int) -> Batch:
        """Return rows start..stop with fresh streams of the same keys (for accumulation in parts)."""
        s = self.streams
        part = Streams(s.seed, s.indices[start:stop], name=s.name, device=s.device)
        return replace(self, x=self.x[start:stop], conditions=self.conditions.rows(slice(start, stop)), streams=part)

    def to(self, device: torch.device | str) -> Batch:
        """Return the same on another device."""
        return Batch(self.x.to(device), self.conditions.to(device), self.streams.to(device))
