"""Fidelity and diversity by neighbourhoods: precision and recall, density and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lienzo.evaluation.neighbours import blocks, radii


@dataclass(frozen=True)
class Manifold:
    """How two sets of features lie in each other, each in [0, 1] but for the density.

    Attributes:
        precision: share of the drawn that lie in a neighbourhood of some real one: fidelity.
        recall: share of the real that lie in a neighbourhood of some drawn one: diversity.
        density: in how many of the real neighbourhoods a drawn one lies, over k: about 1 if all is well.
        coverage: share of the real whose neighbourhood holds a drawn one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: Tensor, drawn: Tensor, *, k: int = 3, wide: int = 5) -> Manifold:
    r"""Return precision, recall, density and coverage of drawn features (M, D) among real ones (N, D).

    With B_k(x) the closed ball around x through its k-th neighbour in its own set, of real x_i and drawn y_j:

    precision = mean_j 1[y_j ∈ ∪ B_k(x_i)],    recall = mean_i 1[x_i ∈ ∪ B_k(y_j)],
    density = 1/(k M) Σ_ij 1[y_j ∈ B_k(x_i)],    coverage = mean_i 1[∃ j: y_j ∈ B_k(x_i)].

    "Improved Precision and Recall Metric for Assessing Generative Models" (Kynkäänniemi et al., 2019), eq. 1 and 2;
    "Reliable Fidelity and Diversity Metrics for Generative Models" (Naeem et al., 2020), eq. 3 and 4.

    Args:
        real: (N, D).
        drawn: (M, D).
        k: neighbours of precision and recall.
        wide: neighbours of density and coverage.
    """
    inner, outer, own = radii(real, k), radii(real, wide), radii(drawn, k)
    inside = torch.zeros(len(drawn), dtype=torch.bool)
    recalled, covered, balls = 0, 0, 0
    for rows, distances in blocks(real, drawn):
        inside |= (distances <= inner[rows, None]).any(0)
        recalled += int((distances <= own).any(1).sum())
        within = distances <= outer[rows, None]
        balls += int(within.sum())
        covered += int(within.any(1).sum())
    n, m = len(real), len(drawn)
    return Manifold(float(inside.double().mean()), recalled / n, balls / (wide * m), covered / n)
