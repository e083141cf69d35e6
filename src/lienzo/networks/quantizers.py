"""Continuous grids of codes → grids of numbers of a closed list, and back."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.core import ConfigurationError, Streams


class Quantizer(nn.Module, ABC):
    """A closed list of vectors, one of which stands for each place of a grid.

    Attributes:
        size: K, how many vectors there are.
        width: D, their length.
    """

    size: int
    width: int

    @abstractmethod
    def tokens(self, z: Tensor) -> Tensor:
        """Return the numbers (B, h, w) int64 in [0, K) of a raw grid z (B, D, h, w)."""

    @abstractmethod
    def vectors(self, tokens: Tensor) -> Tensor:
        """Return the vectors (B, D, h, w) of numbers (B, h, w)."""

    @abstractmethod
    def nearest(self, z: Tensor) -> Tensor:
        """Return the numbers (B, h, w) of the vectors nearest to z (B, D, h, w), a grid of vectors or almost so."""

    @abstractmethod
    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantize a raw grid z (B, D, h, w), with the gradient passed straight through.

        Returns:
            the vectors (B, D, h, w), with ∂/∂z as if they were z; the numbers (B, h, w); what z pays, a scalar.
        """

    def learn(self, z: Tensor, tokens: Tensor, streams: Streams) -> None:
        """Move the list towards what stood for it; a fixed list stays."""


class FiniteScalar(Quantizer):
    r"""Each of D numbers is bounded and rounded to one of L_d levels: q = round(b(z)), K = Π L_d vectors.

    b(z) = (L − 1)/2 · tanh(z + s) − o, with o = ½ for even L and b(0) = 0. No codebook is learnt, so none can die.

    "Finite Scalar Quantization: VQ-VAE Made Simple" (Mentzer, 2023).

    Args:
        levels: L_d, at least 2 each.

    >>> FiniteScalar((3, 2)).tokens(torch.tensor([0.0, 9.0]).view(1, 2, 1, 1))
    tensor([[[4]]])
    """

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        if not levels or min(levels) < 2:
            what = f"levels must be at least 2 each, got {tuple(levels)}"
            raise ConfigurationError(what, hint="levels = [8, 5, 5, 5]")
        self.size, self.width = math.prod(levels), len(levels)
        count = torch.tensor(levels, dtype=torch.float32).view(-1, 1, 1)
        steps = [math.prod(levels[:d]) for d in range(len(levels))]
        half, offset = (count - 1) * 1.001 / 2, (count % 2 == 0) * 0.5
        each = {"count": count, "unit": (count / 2).floor(), "reach": half, "offset": offset,
                "shift": (offset / half).atanh(), "steps": torch.tensor(steps).view(-1, 1, 1)}  # fmt: skip
        for name, value in each.items():
            self.register_buffer(name, value, persistent=False)

    def tokens(self, z: Tensor) -> Tensor:
        return self._numbers(self._bounded(z).round())

    def vectors(self, tokens: Tensor) -> Tensor:
        digits = tokens[:, None] // self.get_buffer("steps") % self.get_buffer("count").long()
        return digits / self.get_buffer("unit") - 1

    def nearest(self, z: Tensor) -> Tensor:
        return self._numbers((z * self.get_buffer("unit")).round())

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        bounded = self._bounded(z)
        rounded = bounded + (bounded.round() - bounded).detach()
        return rounded / self.get_buffer("unit"), self._numbers(rounded.detach().round()), z.new_zeros(())

    def _bounded(self, z: Tensor) -> Tensor:
        return (z + self.get_buffer("shift")).tanh() * self.get_buffer("reach") - self.get_buffer("offset")

    def _numbers(self, rounded: Tensor) -> Tensor:
        digits = (rounded + self.get_buffer("unit")).clamp_min(0).minimum(self.get_buffer("count") - 1)
        return (digits.long() * self.get_buffer("steps")).sum(1)


class Codebook(Quantizer):
    r"""The nearest of K learnt vectors e_k; each is a running mean of what it stood for.

    n_k ← γ n_k + (1 − γ) Σ 1[k],  m_k ← γ m_k + (1 − γ) Σ z 1[k],  e_k = m_k / n_k. z pays ‖z − sg(e)‖².
    A vector that stands for less than `dead` of its fair share is replaced by a place of the batch, which the batch's
    streams pick; at the start all are.

    "Neural Discrete Representation Learning" (van den Oord, 2017), its appendix on running means; revival as in
    "Jukebox" (Dhariwal, 2020).

    Args:
        size: K.
        width: D.
        decay: γ.
        dead: share of the mean use below which a vector is replaced.
    """

    def __init__(self, size: int, width: int, decay: float = 0.99, dead: float = 0.03) -> None:
        super().__init__()
        self.size, self.width, self.decay, self.dead = size, width, decay, dead
        self.register_buffer("book", torch.zeros(size, width))
        self.register_buffer("sums", torch.zeros(size, width))
        self.register_buffer("uses", torch.zeros(size))

    def tokens(self, z: Tensor) -> Tensor:
        return self.nearest(z)

    def vectors(self, tokens: Tensor) -> Tensor:
        return F.embedding(tokens, self.get_buffer("book")).movedim(-1, 1)

    def nearest(self, z: Tensor) -> Tensor:
        book, flat = self.get_buffer("book"), z.movedim(1, -1)
        with torch.autocast(z.device.type, enabled=False):
            distance = book.square().sum(1) - 2 * flat.float() @ book.T  # less ‖z‖², which is the same for all
        return distance.argmin(-1)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        tokens = self.nearest(z.detach())
        vectors = self.vectors(tokens)
        return z + (vectors - z).detach(), tokens, (z - vectors).square().mean()

    @torch.no_grad()
    def learn(self, z: Tensor, tokens: Tensor, streams: Streams) -> None:
        """Take one step of the running means on z (B, D, h, w), and revive the dead."""
        book, sums, uses = self.get_buffer("book"), self.get_buffer("sums"), self.get_buffer("uses")
        flat, numbers = z.detach().float().movedim(1, -1).flatten(0, -2), tokens.flatten()
        share = uses.new_zeros(uses.shape).index_add_(0, numbers, torch.ones_like(flat[:, 0]))
        uses.lerp_(share, 1 - self.decay)
        sums.lerp_(torch.zeros_like(sums).index_add_(0, numbers, flat), 1 - self.decay)
        fair = len(flat) / self.size
        dead = uses < self.dead * fair
        new = flat[self._places(z, streams)]
        uses.copy_(torch.where(dead, fair, uses))
        sums.copy_(torch.where(dead[:, None], new * fair, sums))
        book.copy_(sums / uses[:, None])

    def _places(self, z: Tensor, streams: Streams) -> Tensor:
        """Return a place of the batch for every vector, (K,): vector k takes one of row k mod B."""
        rows, places = len(z), z.shape[2] * z.shape[3]
        drawn = streams.child("revive").integers(places, -(-self.size // rows))  # (B, ⌈K/B⌉)
        first = torch.arange(rows, device=z.device)[:, None] * places
        return (drawn.to(z.device) + first).T.flatten()[: self.size]


def usage(tokens: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the share of the K vectors that occur in tokens, and the perplexity exp H of their frequencies."""
    p = torch.bincount(tokens.flatten(), minlength=size).float() / tokens.numel()
    return (p > 0).float().mean(), torch.special.entr(p).sum().exp()
