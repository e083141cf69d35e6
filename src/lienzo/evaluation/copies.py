"""Pictures that are not new: copies of training pictures, and the same picture twice."""

from __future__ import annotations

from torch import Tensor

from lienzo.evaluation.neighbours import nearest, radii

RARE = 0.01  # of real pictures are so near: the floor of both shares
HELD = 100  # held-out pictures at least: of fewer the nearest 1 % is less than one


def copied(drawn: Tensor, training: Tensor, held: Tensor) -> float:
    """Return the share of drawn features that lie as near to training ones as the nearest 1 % of held-out ones do.

    After "A Non-Parametric Test to Detect Data-Copying in Generative Models" (Meehan, Chaudhuri & Dasgupta, 2020),
    which compares the same two sets of distances by their ranks.

    Args:
        drawn: (N, D).
        training: (M, D).
        held: (K, D), real and not trained on.
    """
    limit = nearest(held, training).quantile(RARE)
    return float((nearest(drawn, training) <= limit).double().mean())


def repeated(drawn: Tensor, real: Tensor) -> float:
    """Return the share of drawn features with another one as near as the nearest 1 % of real ones have.

    Both are cut to equal length, since neighbours come nearer as there are more.
    """
    count = min(len(drawn), len(real))
    limit = radii(real[:count], 1).quantile(RARE)
    return float((radii(drawn[:count], 1) <= limit).double().mean())
