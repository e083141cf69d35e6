"""Distances between two sets of features, in double precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """What a Gaussian needs to know of a set of features.

    Attributes:
        mean: (D,) float64.
        covariance: (D, D) float64, with N − 1 in the denominator.
        count: N.
    """

    mean: Tensor
    covariance: Tensor
    count: int


def moments(features: Tensor) -> Moments:
    """Return the mean and the covariance of features (N, D), N ≥ 2.

    Raises:
        ValueError: for fewer rows, or another shape.
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"moments need features (N, D) with N at least 2, got {tuple(features.shape)}")
    f = features.detach().double()
    return Moments(f.mean(0), torch.cov(f.T).reshape(f.shape[1], f.shape[1]), len(f))


def frechet_distance(a: Moments, b: Moments) -> float:
    r"""Return the squared Fréchet distance between two Gaussians.

    d² = |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½): symmetric roots throughout, which `eigh` gives with real
    eigenvalues, where a root of Σ₁Σ₂ is not symmetric and gains an imaginary part from rounding.

    "The Fréchet distance between multivariate normal distributions" (Dowson & Landau, 1982), eq. 4; for pictures, "GANs
    Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (Heusel et al., 2017), eq. 6.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    between = root @ b.covariance @ root
    eigenvalues = torch.linalg.eigvalsh((between + between.T) / 2)
    cross = eigenvalues.clamp_min(0).sqrt().sum()
    return float((a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * cross)


def kernel_distance(a: Tensor, b: Tensor, *, size: int = 1000, subsets: int = 50, seed: int = 0) -> float:
    r"""Return the kernel distance (KID) of features a (N, D) and b (M, D): the mean over subsets of MMD².

    MMD² = E k(a, a') + E k(b, b') − 2 E k(a, b) with k(u, v) = (u·v / D + 1)³, each an unbiased estimate.

    "Demystifying MMD GANs" (Bińkowski et al., 2018), section 4.
    """
    size = min(size, len(a), len(b))
    generator = torch.Generator().manual_seed(seed)
    total = 0.0
    for _ in range(subsets):
        u, v = (f[torch.randperm(len(f), generator=generator)[:size]].double() for f in (a, b))
        total += float(_within(u) + _within(v) - 2 * _kernel(u, v).mean())
    return total / subsets


def _kernel(u: Tensor, v: Tensor) -> Tensor:
    return (u @ v.T / u.shape[1] + 1) ** 3


def _within(u: Tensor) -> Tensor:
    k, n = _kernel(u, u), len(u)
    return (k.sum() - k.trace()) / (n * (n - 1))
