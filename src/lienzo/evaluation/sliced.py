"""Distances of pixels: of whole pictures, of their finest details, and of their noise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SLICES = 128
SIDE, PLACES = 7, 4  # of patches: pixels a side, and how many a picture


def wasserstein(a: Tensor, b: Tensor) -> Tensor:
    r"""Return the distance W₁ of columns a (N, P) and b (M, P), (P,).

    W₁ = ∫ |F⁻¹(u) − G⁻¹(u)| du: of sorted values if N = M, else of the inverses at the middles of max(N, M) steps.
    """
    count = max(len(a), len(b))
    u, v = (f.double().sort(0).values[_steps(len(f), count)] for f in (a, b))
    return (u - v).abs().mean(0)


def sliced_wasserstein(a: Tensor, b: Tensor) -> float:
    """Return the mean of W₁ over slices, of sets that `slices` has projected, (N, P) and (M, P).

    "Wasserstein Barycenter and Its Application to Texture Mixing" (Rabin et al., 2011), eq. 14, with W₁; of details, as
    in "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (Karras et al., 2018), section 5.
    """
    return float(wasserstein(a, b).mean())


def slices(x: Tensor, count: int = SLICES, seed: int = 0) -> Tensor:
    """Project rows x (N, D) on `count` random directions of unit length, (N, count): the same for every set."""
    directions = torch.randn(x.shape[1], count, generator=torch.Generator().manual_seed(seed))
    return x @ F.normalize(directions, dim=0)


def details(x: Tensor, seed: int = 0) -> Tensor:
    """Return patches (4 N, C · 7 · 7) at random places of what a 3 × 3 binomial blur takes away from x (N, C, H, W)."""
    channels = x.shape[1]
    kernel = torch.tensor([1.0, 2.0, 1.0]) / 4
    blur = (kernel[:, None] * kernel).repeat(channels, 1, 1, 1)
    fine = x - F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), blur, groups=channels)
    side, generator = min(SIDE, *x.shape[2:]), torch.Generator().manual_seed(seed)
    patches = fine.unfold(2, side, 1).unfold(3, side, 1)  # (N, C, H', W', 7, 7): a view, no copy
    down, across = (torch.randint(patches.shape[d], (len(x), PLACES), generator=generator) for d in (2, 3))
    picked = patches[torch.arange(len(x))[:, None], :, down, across]  # (N, 4, C, 7, 7)
    return picked.flatten(2).flatten(0, 1)


def noise_level(x: Tensor) -> Tensor:
    """Return how much noise lies on the flattest quarter of each of x (N, C, H, W) in [-1, 1], (N, 1), in levels.

    The lower quartile of |x ∗ L| / 6, L the difference of two Laplacians, which constant, sloping and bent areas leave
    at nought; "Fast Noise Variance Estimation" (Immerkær, 1996), with a quartile for the mean, which edges move less.
    """
    line = torch.tensor([1.0, -2.0, 1.0])
    kernel = (line[:, None] * line).repeat(x.shape[1], 1, 1, 1)
    found = F.conv2d(x * 127.5, kernel, groups=x.shape[1]).abs().flatten(1) / 6
    return found.kthvalue(max(1, found.shape[1] // 4), dim=1, keepdim=True).values


def _steps(length: int, count: int) -> Tensor:
    """Return which of `length` sorted values hold the middles of `count` equal steps."""
    return ((torch.arange(count, dtype=torch.float64) + 0.5) / count * length).long()
