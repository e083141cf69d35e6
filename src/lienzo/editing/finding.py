"""Where in a picture words are, by a small network that has learnt it from scenes: `lienzo edit --keep "the house"`.

It reads words by the table that ships (`lienzo.conditions.words`), so that "casa" and "cottage" are found as "house"
is. `benchmarks/finder/train.py` makes it. What it does not find, a model that draws may still guess (`guessing`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.memory import Memory, words
from lienzo.evaluation.devices import exact
from lienzo.evaluation.shipped import config_of, folder_of, restored

NAME = "word-finder"
SIDE, LENGTH, HEADS = 64, 8, 4  # of pictures; words of a phrase that are heard; of the attention
FOUND = 0.5  # of what is surest in a picture: from there on a pixel is meant
SUREST, LEAST = 20, 0.2  # which pixel tells that, from the surest on; at what least: below half of it nothing is found


class WordFinder(nn.Module):
    """Referring segmentation: pixels of two grids, 16 × 16 and 8 × 8, hear words, then a finer look at the pixels.

    Args:
        width: channels of the first grid.
        deep: channels of the second, and of words; a multiple of 4.

    >>> finder = WordFinder(16, 16).eval()
    >>> finder(torch.zeros(2, 3, 64, 64), *finder.read(["the house", "a dog"])).shape
    torch.Size([2, 64, 64])
    """

    def __init__(self, width: int = 48, deep: int = 80) -> None:
        super().__init__()
        self.word = nn.Sequential(nn.Linear(words().dimension, deep), nn.GELU(), nn.Linear(deep, deep))
        self.fine = nn.Sequential(_layer(48, width), _layer(width, width), _layer(width, width))
        self.coarse = nn.Sequential(_layer(width, deep, 2), _layer(deep, deep))
        self.told = _Told(deep, deep)
        self.deeper = nn.Sequential(_layer(deep, deep), _layer(deep, deep))
        self.back = _layer(width + deep, width)
        self.told_again = _Told(width, deep)
        self.last = nn.Sequential(_layer(width, width), _layer(width, 64))
        self.near = _layer(64 // 4 + 12, 32)
        self.mask = nn.Conv2d(32, 4, 1)
        self._memory = Memory(LENGTH)

    def read(self, phrases: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the words of B phrases as vectors (B, L, W), and which there are, (B, L)."""
        return self._memory.read(phrases)

    def forward(self, x: Tensor, vectors: Tensor, there: Tensor) -> Tensor:
        """Return the logit of every pixel being meant, (B, 64, 64).

        Args:
            x: (B, 3, 64, 64) in [-1, 1].
            vectors: (B, L, W), see `read`.
            there: (B, L).
        """
        said = self.word(vectors)
        fine = self.fine(F.pixel_unshuffle(x, 4))
        coarse = self.deeper(self.told(self.coarse(fine), said, there))
        both = self.back(torch.cat([fine, F.interpolate(coarse, scale_factor=2.0, mode="nearest")], 1))
        both = self.last(self.told_again(both, said, there))
        near = self.near(torch.cat([F.pixel_shuffle(both, 2), F.pixel_unshuffle(x, 2)], 1))
        return F.pixel_shuffle(self.mask(near), 2).float()[:, 0]

    @torch.no_grad()
    def find(self, x: Tensor, phrases: Sequence[str], batch: int = 64) -> Tensor:
        """Return how surely every pixel is meant, beside the surest ones of its picture, (B, 1, H, W) on the CPU.

        Who asks for a thing says that it is there: what is seen faintly, for its name is new, is found all the same.

        Args:
            x: (B, C, H, W) in [-1, 1], of one or three channels.
            phrases: B of them.
            batch: at once.
        """
        device = next(self.parameters()).device
        small = F.interpolate(x.float(), (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        vectors, there = self.read(phrases)
        parts = zip(small.expand(-1, 3, -1, -1).split(batch), vectors.split(batch), there.split(batch), strict=True)
        with exact(device):
            found = [self(*(each.to(device) for each in part)).sigmoid().cpu() for part in parts]
        share = torch.cat(found)
        surest = share.flatten(1).topk(SUREST, 1).values[:, -1].clamp_min(LEAST)
        share = (share / surest[:, None, None]).clamp(max=1)[:, None]
        return F.interpolate(share, x.shape[2:], mode="bilinear", align_corners=False)


class _Told(nn.Module):
    """A grid hears words: each pixel those that concern it, all of them their mean as scale and shift.

    "FiLM: Visual Reasoning with a General Conditioning Layer" (Perez, 2018), and attention as in "Vision-Language
    Transformer and Query Generation for Referring Segmentation" (Ding, 2021).
    """

    def __init__(self, channels: int, deep: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, deep, 1)
        self.answer = nn.Conv2d(deep, channels, 1)
        self.film = nn.Linear(deep, 2 * channels)

    def forward(self, grid: Tensor, said: Tensor, there: Tensor) -> Tensor:
        share = there.to(said)[..., None]
        scale, shift = self.film((said * share).sum(1) / share.sum(1).clamp_min(1)).chunk(2, 1)
        asks = _heads(self.query(grid).flatten(2).transpose(1, 2))
        bias = torch.zeros(there.shape, dtype=asks.dtype, device=asks.device).masked_fill(~there, -1e4)
        keys = _heads(said).to(asks.dtype)
        heard = F.scaled_dot_product_attention(asks, keys, keys, attn_mask=bias[:, None, None])
        heard = heard.transpose(2, 3).flatten(1, 2).unflatten(2, grid.shape[2:])
        return grid * (1 + scale[..., None, None]) + shift[..., None, None] + self.answer(heard)


def _heads(tokens: Tensor) -> Tensor:
    """(B, N, D) → (B, heads, N, D / heads)."""
    return tokens.unflatten(2, (HEADS, -1)).transpose(1, 2)


def _layer(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.GELU())


@functools.lru_cache(maxsize=2)
def load_finder(folder: Path | None = None) -> WordFinder:
    """Return a finder, frozen: the one that ships, or one of a folder.

    Raises:
        CheckpointError: if there is none.
    """
    folder = folder_of(NAME) if folder is None else folder
    config = config_of(folder)
    return restored(WordFinder(config["width"], config["deep"]), folder)
