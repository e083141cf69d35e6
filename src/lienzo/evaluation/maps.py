"""Is a map obeyed? The map that was asked for against the one that is found in the picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lienzo.data.edges import grown

Plane = NDArray[np.generic]
Points = NDArray[np.floating]


def overlap(asked: Plane, found: Plane) -> float:
    """Return the mean over classes of |A ∩ B| / |A ∪ B|, of the classes that either map has.

    What is found to be no class that could be asked for, −1, is none of them: it is missing where something was asked.

    "The Pascal Visual Object Classes Challenge" (Everingham et al., 2015), section 4.3.

    Args:
        asked: class numbers (H, W).
        found: class numbers (H, W).

    >>> overlap(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]])) == (1 / 2 + 2 / 3) / 2
    True
    """
    classes = [c for c in np.union1d(asked, found) if c >= 0]
    shares = [float(((asked == c) & (found == c)).sum() / ((asked == c) | (found == c)).sum()) for c in classes]
    return sum(shares) / len(shares)


def edge_score(asked: Plane, found: Plane, *, tolerance: int = 1) -> float:
    """Return 2 P R / (P + R) of two sets of lines, which may lie `tolerance` pixels from each other, corners included.

    P is the share of found lines that lie near asked ones, R that of asked lines near which one was found. "Learning to
    Detect Natural Image Boundaries Using Local Brightness, Color, and Texture Cues" (Martin et al., 2004), with the
    nearest line in the place of a one-to-one match.

    Args:
        asked: (H, W), true on a line.
        found: (H, W), true on a line.
        tolerance: in pixels.
    """
    a, b = asked.astype(bool), found.astype(bool)
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    precision, recall = float(grown(a, tolerance)[b].mean()), float(grown(b, tolerance)[a].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def rank_correlation(asked: Plane, found: Plane) -> float:
    """Return Spearman's ρ of two depths, the correlation of their ranks; equal values share their mean rank.

    "The Proof and Measurement of Association between Two Things" (Spearman, 1904).

    Args:
        asked: (H, W), any increasing scale.
        found: (H, W), any increasing scale that rises in the same direction.

    Returns:
        In [-1, 1]; NaN if either is flat, since nothing is before anything then.
    """
    a, b = (_ranks(each) for each in (asked, found))
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float((a**2).sum()) * float((b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else math.nan


def keypoints_found(asked: Points, found: Points, *, share: float = 0.1) -> float:
    """Return PCK: the share of joints that lie no farther from where they were asked for than `share` of the figure.

    The figure's size is the longer side of the box around its seen joints. Each asked figure is held against the found
    one that suits it best. "Articulated Human Detection with Flexible Mixtures of Parts" (Yang & Ramanan, 2013),
    section 5.

    Args:
        asked: (F, J, 3) or (J, 3): x, y and, above 0, that the joint is there.
        found: (G, J, 2 or 3) or (J, 2 or 3).
        share: of the figure's size.

    Returns:
        In [0, 1]; NaN if no joint was asked for.
    """
    wanted = asked.reshape(-1, *asked.shape[-2:])
    given = found.reshape(-1, *found.shape[-2:])
    right = joints = 0
    for figure in wanted:
        seen = figure[:, 2] > 0
        if not seen.any():
            continue
        places = figure[seen, :2]
        limit = share * float(np.ptp(places, axis=0).max())
        near = [int((np.linalg.norm(other[seen, :2] - places, axis=1) <= limit).sum()) for other in given]
        right, joints = right + max(near, default=0), joints + int(seen.sum())
    return right / joints if joints else math.nan


def kept(asked: Plane, drawn: Plane, where: Plane | None = None) -> float:
    """Return the root of the mean square by which a picture differs from what was to be kept, in levels of 255.

    Args:
        asked: (H, W, C) in 0 … 255.
        drawn: (H, W, C) in 0 … 255.
        where: (H, W), true where it was to be kept; None: everywhere.

    Returns:
        0 if all is as it was; NaN if nothing was to be kept.
    """
    square = (asked.astype(np.float64) - drawn.astype(np.float64)) ** 2
    square = square if where is None else square[where.astype(bool)]
    return math.sqrt(float(square.mean())) if square.size else math.nan


def _ranks(values: Plane) -> NDArray[np.float64]:
    """Return the rank of each value, from 0, equal ones the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[place.ravel()]
