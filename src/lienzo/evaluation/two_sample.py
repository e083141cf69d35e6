"""Can a classifier tell drawn pictures from real ones?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lienzo.evaluation.small import trained

HIDDEN = 32
Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class TwoSample:
    """What a classifier achieves on pictures that it did not learn from.

    Attributes:
        accuracy: ½ if it cannot tell, 1 if it always can.
        low, high: of the 95 % interval.
        tested: how many pictures.
    """

    accuracy: float
    low: float
    high: float
    tested: int


def two_sample_test(real: Tensor, drawn: Tensor, *, seed: int = 0) -> TwoSample:
    """Train a small classifier (one layer of 32 between) on half of each set, and test it on the other halves.

    "Revisiting Classifier Two-Sample Tests" (Lopez-Paz & Oquab, 2017), section 3.

    Args:
        real: features (N, D).
        drawn: features (M, D); both are cut to equal length, so that a guess is right half of the time.
        seed: of the halves and of the classifier.
    """
    count = min(len(real), len(drawn))
    generator = torch.Generator().manual_seed(seed)
    x = torch.cat([f[torch.randperm(len(f), generator=generator)[:count]].float() for f in (real, drawn)])
    labels = (torch.arange(2 * count) >= count).long()
    learnt = torch.arange(2 * count) % count < count // 2
    logits = trained(x[learnt], labels[learnt], 2, hidden=HIDDEN, seed=seed)
    right = logits(x[~learnt]).argmax(1) == labels[~learnt]
    accuracy = float(right.double().mean())
    return TwoSample(accuracy, *wilson(accuracy, len(right)), len(right))


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a binomial share.

    "Probable Inference, the Law of Succession, and Statistical Inference" (Wilson, 1927).

    >>> [round(end, 3) for end in wilson(0.5, 100)]
    [0.404, 0.596]
    """
    weight = Z**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * math.sqrt(share * (1 - share) / count + weight / (4 * count))
    return middle - half, middle + half
