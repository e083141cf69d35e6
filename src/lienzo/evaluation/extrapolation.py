"""The Fréchet distance that endless pictures would have."""

from __future__ import annotations

import torch
from torch import Tensor

from lienzo.evaluation.distances import frechet_distance, moments

POINTS, REPEATS = 8, 3
SPAN = 4  # the smallest sets have a quarter of the pictures
LEAST = 8  # pictures a dimension: below, the distance is not yet linear in 1/n


def extrapolated(a: Tensor, b: Tensor, *, seed: int = 0) -> float:
    r"""Return the limit of the Fréchet distance as n → ∞, from features a and b (N, D).

    A distance of n pictures is too large by about c/n: FD_n ≈ FD_∞ + c/n, a line in 1/n that is fitted to random
    parts of n pictures, 1/n evenly spaced from 1/N to 4/N. Both sets shrink together, so that neither's bias is left.

    "Effectively Unbiased FID and Inception Score and Where to Find Them" (Chong & Forsyth, 2020), section 4, which
    shrinks the drawn set alone.

    Raises:
        ValueError: for fewer than 8 D rows.
    """
    count = min(len(a), len(b))
    if count < LEAST * a.shape[1]:
        raise ValueError(f"{count} rows of {a.shape[1]} features: the line needs at least {LEAST * a.shape[1]}")
    generator = torch.Generator().manual_seed(seed)
    inverse = torch.linspace(1 / count, SPAN / count, POINTS, dtype=torch.float64)
    distances: list[float] = []
    for size in (1 / inverse).round().long().tolist():
        each = [_part(a, b, size, generator) for _ in range(REPEATS if size < count else 1)]
        distances.append(sum(each) / len(each))
    line = torch.stack([torch.ones_like(inverse), inverse], 1)
    found = torch.linalg.lstsq(line, torch.tensor(distances, dtype=torch.float64)[:, None]).solution
    return float(found[0, 0])


def _part(a: Tensor, b: Tensor, size: int, generator: torch.Generator) -> float:
    u, v = (f[torch.randperm(len(f), generator=generator)[:size]] for f in (a, b))
    return frechet_distance(moments(u), moments(v))
