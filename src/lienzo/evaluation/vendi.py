"""How many different pictures there are in effect."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def vendi_score(features: Tensor) -> float:
    r"""Return the Vendi score of features (N, D): between 1, if all are alike, and N.

    exp(−Σ λ_i log λ_i) with λ the eigenvalues of K/N, K_ij the cosine of rows i and j. K/N = X Xᵀ/N has the
    eigenvalues of Xᵀ X/N besides zeros, so that the smaller of the two is decomposed.

    "The Vendi Score: A Diversity Evaluation Metric for Machine Learning" (Friedman & Dieng, 2022), definition 3.1.
    """
    x = F.normalize(features.detach().double(), dim=1)
    gram = x.T @ x if len(x) > x.shape[1] else x @ x.T
    values = torch.linalg.eigvalsh(gram / len(x)).clamp_min(0)
    return float(torch.special.entr(values).sum().exp())
