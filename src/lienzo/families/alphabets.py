"""Pictures as sequences of numbers of a closed list: the levels of their pixels, or the tokens of a tokenizer."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.core import ConfigurationError
from lienzo.families.vector_quantized import VectorQuantized


class Alphabet(nn.Module, ABC):
    """How a picture is spelt.

    Attributes:
        vocabulary: K.
        grid: (h, w, c): c tokens at each of h × w places, in reading order; N = h·w·c.
    """

    vocabulary: int
    grid: tuple[int, int, int]

    @abstractmethod
    def tokens(self, x: Tensor) -> Tensor:
        """Return the tokens (B, N) int64 of x (B, C, H, W)."""

    @abstractmethod
    def pictures(self, tokens: Tensor) -> Tensor:
        """Return the pictures (B, C, H, W) of tokens (B, N)."""

    def known(self, mask: Tensor) -> Tensor:
        """Return which tokens (B, N) are given where the pixels of a mask (B, 1, H, W) are: those all of whose are."""
        rows, columns, each = self.grid
        share = F.adaptive_avg_pool2d(mask.float(), (rows, columns))
        return (share > 1 - 1e-6).flatten(1).repeat_interleave(each, 1)


class Levels(Alphabet):
    """Every channel of every pixel is a token: its 8-bit value, or which of `levels` equal parts of 0 … 255 it is in.

    >>> alphabet = Levels((1, 1, 3), 2)
    >>> alphabet.tokens(torch.tensor([[[[-1.0, 0.1, 1.0]]]]))
    tensor([[0, 1, 1]])
    """

    def __init__(self, shape: tuple[int, int, int], levels: int) -> None:
        super().__init__()
        if not 2 <= levels <= 256:
            raise ConfigurationError(f"8-bit values are told apart by 2 to 256 levels, got {levels}")
        self.shape, self.vocabulary, self.grid = shape, levels, (shape[1], shape[2], shape[0])

    def tokens(self, x: Tensor) -> Tensor:
        value = ((x + 1) * 127.5).round().long().clamp(0, 255)
        return (value * self.vocabulary // 256).permute(0, 2, 3, 1).flatten(1)

    def pictures(self, tokens: Tensor) -> Tensor:
        first, following = (-(-256 * t // self.vocabulary) for t in (tokens, tokens + 1))
        channels, height, columns = self.shape
        x = (first + following - 1) / 255 - 1  # the middle of its values
        return x.reshape(-1, height, columns, channels).permute(0, 3, 1, 2).contiguous()


class Coded(Alphabet):
    """The tokens of a trained tokenizer, which stays as it is."""

    def __init__(self, outer: VectorQuantized) -> None:
        super().__init__()
        self.outer = outer.requires_grad_(False).eval()
        self.vocabulary, self.grid = outer.vocabulary, (*outer.grid, 1)

    def train(self, mode: bool = True) -> Coded:
        """Stay in evaluation mode: a tokenizer is never trained here."""
        return super().train(False)

    @torch.no_grad()
    def tokens(self, x: Tensor) -> Tensor:
        return self.outer.tokens(x).flatten(1)

    @torch.no_grad()
    def pictures(self, tokens: Tensor) -> Tensor:
        return self.outer.from_tokens(tokens.unflatten(1, self.outer.grid)).float().clamp(-1, 1)
