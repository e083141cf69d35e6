"""Distributions whose denoiser is known exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from lienzo.core import Streams
from lienzo.sampling import SCHEDULES, Denoiser, Schedule


@dataclass(frozen=True)
class Mixture:
    """Σ_k w_k N(m_k, diag s_k²) over vectors of D values, shaped (B, D, 1, 1); weights (K,), the others (K, D)."""

    weights: Tensor
    means: Tensor
    stds: Tensor

    def denoiser(self, schedule: Schedule) -> Denoiser:
        """E[x | x_t]: each component's own, weighed by how likely it made x_t."""

        def denoise(x: Tensor, t: float) -> Tensor:
            time = torch.tensor(t, dtype=torch.float64)
            a, sigma = schedule.alpha(time), schedule.sigma(time)
            state = x.double().flatten(1)[:, None]  # (B, 1, D)
            variance = (a * self.stds).square() + sigma**2  # (K, D)
            gap = state - a * self.means
            each = self.means + a * self.stds.square() / variance * gap
            log_p = self.weights.log() - 0.5 * (gap.square() / variance + variance.log()).sum(2)
            return (log_p.softmax(1)[:, :, None] * each).sum(1).to(x).view(x.shape)

        return denoise

    def at(self, schedule: Schedule, t: float) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (D,) of x_t; of one component."""
        time = torch.tensor(t, dtype=torch.float64)
        a, s = schedule.alpha(time), schedule.sigma(time)
        return a * self.means[0], ((a * self.stds[0]).square() + s**2).sqrt()


class Pulses(Streams):
    """Streams whose row i is 1 at its i-th draw and 0 at all others: they show what a solver does with each number."""

    def __init__(self, rows: int) -> None:
        super().__init__(0, range(rows))
        self.draws = 0

    def normal(self, *shape: int) -> Tensor:
        drawn = torch.zeros(len(self), *shape, dtype=torch.float64)
        drawn[self.draws] = 1
        self.draws += 1
        return drawn


class Together(Streams):
    """Streams that draw all rows from one generator: quick where thousands of rows are only counted."""

    def __init__(self, rows: int) -> None:
        super().__init__(0, range(rows))
        self._generator = torch.Generator().manual_seed(11)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(len(self), *shape, generator=self._generator, dtype=torch.float64)


def mixture(weights: Sequence[float], means: Sequence[Sequence[float]], stds: Sequence[Sequence[float]]) -> Mixture:
    return Mixture(*(torch.tensor(each, dtype=torch.float64) for each in (weights, means, stds)))


@pytest.fixture
def gaussian() -> Mixture:
    """One component, of two values with different spread."""
    return mixture([1.0], [[0.3, -0.2]], [[0.5, 0.1]])


@pytest.fixture
def three() -> Mixture:
    """Three components of unequal weight."""
    return mixture([0.5, 0.3, 0.2], [[0.6, 0.5], [-0.5, 0.4], [0.1, -0.7]], [[0.1, 0.2], [0.15, 0.1], [0.2, 0.05]])


@pytest.fixture
def together() -> type[Together]:
    return Together


@pytest.fixture
def pulses() -> type[Pulses]:
    return Pulses


@pytest.fixture(params=sorted(SCHEDULES))
def schedule(request: pytest.FixtureRequest) -> Schedule:
    return SCHEDULES[request.param]()
