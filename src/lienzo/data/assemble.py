"""Pictures and what is said of them → a batch: background, choice of text, flip, parsing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, Conditions, ConfigurationError, Streams
from lienzo.data.background import check_background, laid, opaque, papers
from lienzo.data.dataset import Bytes, Column

Voice = Callable[[str, float], str]
DRAWS = 6  # numbers of a row: which background, its colour (3), which text, flip


class Assembler:
    """Makes batches. Whatever it chooses for a row comes from the row's own stream.

    Args:
        bus: whose conditions are told what the columns of the same names say.
        seed: of the streams.
        background: of transparent pictures; see `Loader`.
        flip: probability of mirroring; see `Loader`.
        voice: says a caption in other words, by a number in [0, 1); None: as it is.

    Raises:
        ConfigurationError: for a background or a probability that cannot be.
    """

    def __init__(self, bus: Bus, seed: int, background: str, flip: float, voice: Voice | None = None) -> None:
        if not 0 <= flip <= 1:
            raise ConfigurationError(f"flip {flip} is no probability", hint="a number from 0 to 1")
        self.bus, self.seed, self.flip, self.voice = bus, seed, flip, voice
        self.background = check_background(background)

    def batch(
        self, pictures: Bytes, columns: Mapping[str, Column], values: Callable[[str], list[Any]], first: int
    ) -> Batch:
        """Make one batch.

        Args:
            pictures: (B, H, W, C) uint8.
            columns: what is known.
            values: gives a column's values, B of them.
            first: how many pictures were seen before the first row.
        """
        count = len(pictures)
        streams = Streams(self.seed, range(first, first + count))
        drawn = pictures.shape[3] == 4 or self.flip > 0 or any(self._kind(n, columns) == "text" for n in self.bus.names)
        draws = streams.child("data").uniform(DRAWS) if drawn else torch.zeros(count, DRAWS)
        mirrored = draws[:, 5] < self.flip
        x, told = self._on_paper(pictures, draws)
        if self.flip > 0:
            x[mirrored] = x[mirrored].flip(-1)
        said: dict[str, Sequence[Any]] = {}
        for name in self.bus.names:
            if name == "background" and told is not None:
                said[name] = told
            elif name in columns:
                chosen = self._chosen(values(name), columns[name].kind, draws, mirrored)
                if columns[name].kind == "text":
                    chosen = spoken(chosen, self.voice, streams)
                said[name] = chosen
        conditions: Conditions = self.bus.parse(said, count)
        return Batch(x, conditions, streams)

    def _kind(self, name: str, columns: Mapping[str, Column]) -> str:
        return columns[name].kind if name in columns else ""

    def _on_paper(self, pictures: Bytes, draws: Tensor) -> tuple[Tensor, list[str] | None]:
        planes = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))  # no copy if ordered so
        if planes.shape[1] != 4:
            return opaque(planes), None
        told, paper = papers(self.background, draws[:, :4])
        return laid(planes, paper), told

    def _chosen(self, values: list[Any], kind: str, draws: Tensor, mirrored: Tensor) -> list[Any]:
        if kind == "text":
            return [one_of(texts, draw) for texts, draw in zip(values, draws[:, 4].tolist(), strict=True)]
        if kind in ("map", "image") and self.flip > 0:
            pairs = zip(values, mirrored.tolist(), strict=True)
            return [np.ascontiguousarray(v[:, ::-1]) if flipped and v is not None else v for v, flipped in pairs]
        return values


def spoken(texts: list[Any], voice: Voice | None, streams: Streams) -> list[Any]:
    """Say texts in other words, each by a number of its row's stream; as they are where there is no voice."""
    if voice is None:
        return texts
    seeds = streams.child("words").uniform().tolist()
    return [voice(text, seed) if text else text for text, seed in zip(texts, seeds, strict=True)]


def one_of(texts: Sequence[str] | None, draw: float) -> str | None:
    """Choose one of several texts by a number in [0, 1); None if there is none."""
    return texts[int(draw * len(texts))] if texts else None


def share_of(position: int, batch_size: int, rank: int, world: int) -> tuple[int, int]:
    """Return where this process's part of a batch begins and ends, in pictures seen by all."""
    return position + rank * batch_size // world, position + (rank + 1) * batch_size // world


def check_share(batch_size: int, rank: int, world: int) -> None:
    """Check that every process gets a part.

    Raises:
        ConfigurationError: if one does not, or does not exist.
    """
    if not 0 <= rank < world or batch_size < world:
        raise ConfigurationError(
            f"batch_size {batch_size} over {world} processes, this one numbered {rank}",
            hint="at least one picture for each process, which are numbered from 0",
        )
