r"""What a normalising flow is made of: maps with an inverse and a log-determinant.

If z = f(x) with z ~ N(0, I), then log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x|.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from lienzo.conditions import Channels, Sizes

S = TypeVar("S")


class Bijection(nn.Module, ABC):
    """An invertible map of pictures to codes of the same shape, z = f(x; c).

    Attributes:
        stages: into how many parts the way back is cut.
    """

    stages: int = 1

    @abstractmethod
    def forward(self, x: Tensor, channels: Channels, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return z = f(x; c), (B, C, H, W), and log |det ∂f/∂x|, (B,).

        Args:
            x: (B, C, H, W).
            channels: what is heard.
            measure: set whatever is initialised from data by this batch.
        """

    @abstractmethod
    def undo(self, stage: int, z: Tensor, heard: Sequence[Channels], weights: Sequence[float] = ()) -> Tensor:
        """Go one part of the way back from z; after the last of the `stages` it is x.

        Args:
            stage: from 0, in the order of the way back.
            z: (B, C, H, W).
            heard: what each branch of guidance hears; one entry for none.
            weights: as in `mixed`.
        """

    def inverse(self, z: Tensor, heard: Sequence[Channels], weights: Sequence[float] = ()) -> Tensor:
        """Return x with f(x; c) = z."""
        for stage in range(self.stages):
            z = self.undo(stage, z, heard, weights)
        return z

    def fusible(self) -> Iterable[nn.Module]:
        """Return the networks that do the work."""
        return ()


def mixed(outputs: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return d₀ + Σ_j w_j (d_j − d_{j−1}), the guided output of branches that hear more and more."""
    total = outputs[0]
    for w, more, less in zip(weights, outputs[1:], outputs[:-1], strict=True):
        total = total + w * (more - less)
    return total


def shift_and_log_scale(raw: Tensor, bound: float, dim: int) -> tuple[Tensor, Tensor]:
    """Split raw outputs along `dim` into a shift μ and a log-scale s = b tanh(r / b), |s| < b, in float32 at least."""
    shift, s = raw.to(torch.promote_types(raw.dtype, torch.float32)).chunk(2, dim)
    return shift, bound * torch.tanh(s / bound)


def log_normal(z: Tensor) -> Tensor:
    """Return log N(z; 0, I), (B,)."""
    return -0.5 * (z.flatten(1).square().sum(1) + math.log(2 * math.pi) * z[0].numel())


class Listener(nn.Module):
    """One vector (B, D) of all that is said outside maps: the vector channel plus the mean of the words' tokens.

    Args:
        sizes: widths of the channels.
        width: D.
    """

    def __init__(self, sizes: Sizes, width: int) -> None:
        super().__init__()
        self.vector = nn.Linear(sizes.vector, width) if sizes.vector else None
        self.words = nn.Linear(sizes.token, width) if sizes.token else None

    def forward(self, channels: Channels) -> Tensor | None:
        """Return (B, D), or None where neither channel is heard."""
        parts: list[Tensor] = []
        if self.vector is not None and channels.vector is not None:
            parts.append(self.vector(channels.vector))
        if self.words is not None and channels.tokens is not None and channels.mask is not None:
            mask = channels.mask[:, :, None].to(channels.tokens.dtype)
            parts.append(self.words((channels.tokens * mask).sum(1) / mask.sum(1)))
        return torch.nn.functional.silu(torch.stack(parts).sum(0)) if parts else None
