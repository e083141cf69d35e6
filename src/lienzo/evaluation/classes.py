"""Labels: are they obeyed, which classes are missing, and can one learn the classes from drawn pictures?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lienzo.evaluation.small import trained

Told = dict[str, dict[str, float | None]]  # class → asked, found, recall


def accuracy_score(drawn: Tensor, labels: Tensor, real: Tensor, truth: Tensor, classes: int, *, seed: int = 0) -> float:
    """Return the classification accuracy score: learn classes from drawn features alone, test on real ones.

    The classifier is a logistic regression on the features, not a network on the pixels as in the paper: it is to be
    held against the same of real pictures. "Classification Accuracy Score for Conditional Generative Models" (Ravuri &
    Vinyals, 2019).

    Args:
        drawn: features (N, D).
        labels: what was asked for, (N,).
        real: features (M, D).
        truth: their labels, (M,).
        classes: how many.
        seed: of the classifier.
    """
    logits = trained(drawn.float(), labels, classes, seed=seed)
    return float((logits(real.float()).argmax(1) == truth).double().mean())


def by_class(found: Tensor, asked: Tensor, names: Sequence[str]) -> Told:
    """Return for every class the share of pictures asked for and found, and how many of the asked ones were found.

    A class that nobody asked for has no recall.

    >>> by_class(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), ["cat", "dog"])["dog"]["recall"]
    0.5
    """
    told: Told = {}
    for number, name in enumerate(names):
        mine = asked == number
        told[name] = {
            "asked": float(mine.double().mean()), "found": float((found == number).double().mean()),
            "recall": float((found[mine] == number).double().mean()) if bool(mine.any()) else None,
        }  # fmt: skip
    return told


def class_distance(found: Tensor, real: Tensor, classes: int) -> float:
    """Return the total variation ½ Σ |p − q| between the histograms of two sets of found classes, in [0, 1]."""
    p, q = (torch.bincount(each, minlength=classes).double() / len(each) for each in (found, real))
    return float((p - q).abs().sum() / 2)
