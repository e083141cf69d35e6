"""Distances between two sets of features in blocks of rows: memory grows with N, never with N²."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

ENTRIES = 1 << 23  # distances that are held at once: 64 MiB


def blocks(a: Tensor, b: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield some rows of a (N, D), and their Euclidean distances from all of b (M, D), (n, M) float64.

    |u − v|² = |u|² + |v|² − 2 u·v, about the mean of b and in double precision: what rounding leaves of a distance
    that is nought is made nought.
    """
    middle = b.double().mean(0)
    u, v = a.double() - middle, b.double() - middle
    squares = v.square().sum(1)
    rows = max(1, ENTRIES // max(len(b), 1))
    for start in range(0, len(a), rows):
        part = u[start : start + rows]
        own = part.square().sum(1, keepdim=True)
        square = torch.addmm(own + squares, part, v.T, alpha=-2)
        square[square < 1e-13 * (own + squares)] = 0
        yield slice(start, start + len(part)), square.sqrt_()


def nearest(a: Tensor, b: Tensor) -> Tensor:
    """Return the distance of each row of a (N, D) from the nearest of b, (N,)."""
    return torch.cat([distances.amin(1) for _, distances in blocks(a, b)])


def radii(a: Tensor, k: int) -> Tensor:
    """Return the distance of each row of a (N, D) from its k-th nearest neighbour in a, itself not counted, (N,).

    Raises:
        ValueError: for fewer than k + 1 rows.
    """
    if len(a) <= k:
        raise ValueError(f"{len(a)} rows have no {k} neighbours each")
    found: list[Tensor] = []
    for rows, distances in blocks(a, a):
        distances[torch.arange(len(distances)), torch.arange(len(a))[rows]] = torch.inf
        found.append(distances.topk(k, dim=1, largest=False).values[:, -1])
    return torch.cat(found)
