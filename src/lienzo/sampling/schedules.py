r"""The schedules: one frozen dataclass a row, each with its α(t), σ(t) and their derivatives in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lienzo.sampling.schedule import Schedule


@dataclass(frozen=True)
class VariancePreserving(Schedule):
    r"""The continuous form of DDPM's linear β: log α = −¼ s² (β₁ − β₀) − ½ s β₀ with s = 1 − t, and σ² = 1 − α².

    "Denoising Diffusion Probabilistic Models" (Ho, 2020); "Score-Based Generative Modeling through Stochastic
    Differential Equations" (Song, 2021), eq. 33.
    """

    beta_0: float = 0.1
    beta_1: float = 20.0
    t_max: ClassVar[float] = 1 - 1e-4

    def _log_alpha(self, t: Tensor) -> Tensor:
        s = 1 - t
        return -0.25 * s.square() * (self.beta_1 - self.beta_0) - 0.5 * s * self.beta_0

    def alpha(self, t: Tensor) -> Tensor:
        return self._log_alpha(t).exp()

    def sigma(self, t: Tensor) -> Tensor:
        return (-torch.expm1(2 * self._log_alpha(t))).sqrt()

    def alpha_dot(self, t: Tensor) -> Tensor:
        return 0.5 * self.alpha(t) * (self.beta_0 + (1 - t) * (self.beta_1 - self.beta_0))

    def sigma_dot(self, t: Tensor) -> Tensor:
        return -self.alpha(t) * self.alpha_dot(t) / self.sigma(t)

    def at(self, lam: Tensor) -> Tensor:
        c = torch.nn.functional.softplus(-2 * lam)  # −2 log α
        d = self.beta_1 - self.beta_0
        return 1 - 2 * c / (self.beta_0 + (self.beta_0**2 + 2 * d * c).sqrt())


@dataclass(frozen=True)
class Cosine(Schedule):
    r"""α = sin(π t/2), σ = cos(π t/2), without the small offset at the data's end.

    "Improved Denoising Diffusion Probabilistic Models" (Nichol & Dhariwal, 2021), eq. 17 with s = 0.
    """

    t_min: ClassVar[float] = 1e-3

    def alpha(self, t: Tensor) -> Tensor:
        return torch.sin(t * (math.pi / 2))

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sin((1 - t) * (math.pi / 2))  # exactly 0 at t = 1

    def alpha_dot(self, t: Tensor) -> Tensor:
        return self.sigma(t) * (math.pi / 2)

    def sigma_dot(self, t: Tensor) -> Tensor:
        return -self.alpha(t) * (math.pi / 2)

    def at(self, lam: Tensor) -> Tensor:
        return 1 - torch.atan(torch.exp(-lam)) * (2 / math.pi)


@dataclass(frozen=True)
class VarianceExploding(Schedule):
    r"""α = 1, σ = σ_max (σ_min/σ_max)^t: geometric noise levels.

    "Generative Modeling by Estimating Gradients of the Data Distribution" (Song & Ermon, 2019), section 4.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0
    spacing: ClassVar[str] = "time"

    def alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return self.sigma_max * torch.exp(t * math.log(self.sigma_min / self.sigma_max))

    def alpha_dot(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def sigma_dot(self, t: Tensor) -> Tensor:
        return self.sigma(t) * math.log(self.sigma_min / self.sigma_max)

    def at(self, lam: Tensor) -> Tensor:
        return (-lam - math.log(self.sigma_max)) / math.log(self.sigma_min / self.sigma_max)


@dataclass(frozen=True)
class EDM(Schedule):
    r"""α = 1, σ = (σ_max^{1/ρ} + t (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ.

    "Elucidating the Design Space of Diffusion-Based Generative Models" (Karras, 2022), eq. 5.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0
    spacing: ClassVar[str] = "time"

    def _root(self, t: Tensor) -> Tensor:
        a, b = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        return a + t * (b - a)

    def alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return self._root(t) ** self.rho

    def alpha_dot(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    def sigma_dot(self, t: Tensor) -> Tensor:
        a, b = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        return self.rho * (b - a) * self._root(t) ** (self.rho - 1)

    def at(self, lam: Tensor) -> Tensor:
        a, b = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        return (torch.exp(-lam / self.rho) - a) / (b - a)


@dataclass(frozen=True)
class Linear(Schedule):
    r"""α = t, σ = 1 − t: straight paths from noise to data.

    "Flow Matching for Generative Modeling" (Lipman, 2023), eq. 20 with σ_min = 0.
    """

    spacing: ClassVar[str] = "time"

    def alpha(self, t: Tensor) -> Tensor:
        return t

    def sigma(self, t: Tensor) -> Tensor:
        return 1 - t

    def alpha_dot(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma_dot(self, t: Tensor) -> Tensor:
        return -torch.ones_like(t)

    def at(self, lam: Tensor) -> Tensor:
        return torch.sigmoid(lam)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "variance-preserving": VariancePreserving,
    "cosine": Cosine,
    "variance-exploding": VarianceExploding,
    "edm": EDM,
    "linear": Linear,
}
