"""What is said to a pipeline: a text as its letters, pictures at the size that is drawn. The pipeline encodes both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lienzo.conditions import Bus, MapCondition
from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.image import as_numbers, as_pil
from lienzo.conditions.reading import map_read
from lienzo.core import ConditionError, Said
from lienzo.pretrained.kinds import Kind


class PromptCondition(Condition):
    """A text that a pipeline reads itself: its UTF-8 bytes, zeros behind them."""

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn texts into bytes, (B, L) uint8."""
        wrong = next((v for v in values if v is not None and not isinstance(v, str)), None)
        if wrong is not None:
            raise ConditionError(f"a text is words, got {type(wrong).__name__}", hint='"a house in the snow"')
        texts = [(v or "").replace("\0", " ").encode() for v in values]
        rows = torch.zeros(len(texts), max(map(len, texts), default=0), dtype=torch.uint8)
        for row, text in zip(rows, texts, strict=True):
            row[: len(text)] = torch.tensor(list(text), dtype=torch.uint8)
        return Said((rows,), torch.tensor([v is not None for v in values], dtype=torch.bool))

    def sizes(self, vector: int, token: int) -> Sizes:
        """No channel: no network of ours hears it."""
        return Sizes()

    def prepare(self, vector: int, token: int) -> None:
        """It has no parameters."""

    def encode(self, said: Said) -> Channels:
        """Return no channels: the pipeline encodes the text."""
        return Channels()


class PictureCondition(MapCondition):
    """A picture, a mask (white may change) or a map that a pipeline hears, at the size of what it draws.

    Args:
        shape: (C, H, W), C = 1 for a mask.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__("mask" if shape[0] == 1 else "picture", max(shape[1:]), shape[0])
        self.shape = shape

    def prepare(self, vector: int, token: int) -> None:
        """It has no parameters."""

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn pictures (files, PIL, arrays, tensors) into (B, C, H, W) in [-1, 1]."""
        pictures = [torch.zeros(self.shape) if value is None else self._sized(value) for value in values]
        return Said((torch.stack(pictures),), torch.tensor([value is not None for value in values], dtype=torch.bool))

    def encode(self, said: Said) -> Channels:
        """Return no channels: the pipeline encodes the picture."""
        return Channels()

    def _sized(self, value: Any) -> Tensor:
        channels, high, wide = self.shape
        if isinstance(value, Tensor):
            if value.shape != self.shape:
                raise ConditionError(f"expected a picture of shape {self.shape}, got {tuple(value.shape)}")
            return value.float().cpu()
        kernel = Image.Resampling.LANCZOS if channels > 1 else Image.Resampling.NEAREST
        image = map_read(as_pil(value), self.map_kind, channels).resize((wide, high), kernel)
        pixels = np.array(image, np.uint8).reshape(high, wide, channels)
        return as_numbers(torch.from_numpy(pixels).permute(2, 0, 1))


def bus_of(kind: Kind, words: bool, shape: tuple[int, int, int]) -> Bus:
    """Return what may be said to a pipeline that draws pictures of `shape`."""
    pictures: dict[str, Condition] = {
        name: PictureCondition((1 if name == "mask" else 3, *shape[1:])) for name in kind.hears
    }
    return Bus({**({"text": PromptCondition()} if words else {}), **pictures}, vector=1, token=1)


def texts_of(said: Said | None, count: int) -> list[str | None]:
    """Return the texts that `PromptCondition` parsed; None where a row says none."""
    if said is None:
        return [None] * count
    rows = zip(said.values[0].cpu(), said.present.tolist(), strict=True)
    return [bytes(row.tolist()).rstrip(b"\0").decode() if there else None for row, there in rows]
