"""Distributions whose denoiser is known exactly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lienzo.sampling import Linear

MEAN = torch.tensor([0.2, -0.1, 0.4])
COVARIANCE = torch.tensor([[1.0, 0.8, 0.3], [0.8, 1.0, 0.5], [0.3, 0.5, 1.0]])
Denoise = Callable[[Tensor, float], Tensor]


@pytest.fixture
def conditional() -> Callable[[Tensor], tuple[float, float]]:
    """(1, 3, 1, 1) → the mean and the variance of the middle value given the two others."""

    def given(x: Tensor) -> tuple[float, float]:
        seen = [0, 2]
        gain = COVARIANCE[1, seen] @ torch.linalg.inv(COVARIANCE[seen][:, seen])
        mean = MEAN[1] + gain @ (x.flatten()[seen] - MEAN[seen])
        return float(mean), float(COVARIANCE[1, 1] - gain @ COVARIANCE[seen, 1])

    return given


@pytest.fixture
def gaussian() -> Denoise:
    """E[x | x_t] of N(MEAN, COVARIANCE) over three channels of one pixel, on the linear schedule."""

    def denoise(x: Tensor, t: float) -> Tensor:
        a, s = t, 1 - t
        gain = a * COVARIANCE @ torch.linalg.inv(a * a * COVARIANCE + s * s * torch.eye(3))
        mean = MEAN.view(1, 3, 1, 1)
        return mean + torch.einsum("ij,bjhw->bihw", gain.to(x), x - a * mean)

    return denoise


@pytest.fixture
def two_peaks() -> Denoise:
    """E[x | x_t] of ½ N(−1, 0.1²) + ½ N(1, 0.1²) in every value: far from linear."""
    schedule = Linear()

    def denoise(x: Tensor, t: float) -> Tensor:
        a = float(schedule.alpha(torch.tensor(t)))
        s = float(schedule.sigma(torch.tensor(t)))
        variance = (0.1 * a) ** 2 + s**2
        up = torch.sigmoid(2 * a * x / variance)
        means = [m + 0.01 * a / variance * (x - a * m) for m in (1.0, -1.0)]
        return up * means[0] + (1 - up) * means[1]

    return denoise
