"""The noise levels that a pipeline's network was trained at, as schedules: time from noise (0) to data (1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from lienzo.core import ConfigurationError
from lienzo.sampling import Level, Schedule

STEPS = 1000  # of a flow's clock: the network hears 1000 σ
LEAST = 1e-8  # ᾱ of a table that ends in noise alone


class Tabulated(Schedule):
    r"""α = √ᾱ_n, σ = √(1 − ᾱ_n) by a table of n = 0 … N − 1; n = (1 − t) N − 1, log α/σ linear in between.

    Args:
        alphas: ᾱ_n, (N,), falling.

    "Denoising Diffusion Probabilistic Models" (Ho, 2020), eq. 4.
    """

    def __init__(self, alphas: Tensor) -> None:
        clean = alphas.double().cpu().clamp(LEAST, 1 - LEAST)
        self.rising = 0.5 * torch.logit(clean).flip(0)  # λ of t = 0, 1/N, … (N − 1)/N
        self.t_max = 1 - 1 / len(clean)  # type: ignore[misc]

    def clock(self, t: Tensor) -> Tensor:
        """Return n, what the network hears, for times t."""
        count = len(self.rising)
        return ((1 - t) * count - 1).clamp(0, count - 1)

    def lam(self, t: Tensor) -> Tensor:
        place, table = self._place(t), self.rising.to(t)
        low = place.floor().long().clamp(max=len(table) - 2)
        return table[low] + (place - low) * (table[low + 1] - table[low])

    def alpha(self, t: Tensor) -> Tensor:
        return torch.sigmoid(2 * self.lam(t)).sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sigmoid(-2 * self.lam(t)).sqrt()

    def alpha_dot(self, t: Tensor) -> Tensor:
        return self.alpha(t) * self.sigma(t).square() * self._slope(t)

    def sigma_dot(self, t: Tensor) -> Tensor:
        return -self.sigma(t) * self.alpha(t).square() * self._slope(t)

    def at(self, lam: Tensor) -> Tensor:
        table = self.rising.to(lam)
        above = torch.searchsorted(table, lam.contiguous()).clamp(1, len(table) - 1)
        share = ((lam - table[above - 1]) / (table[above] - table[above - 1])).clamp(0, 1)
        return (above - 1 + share) / len(table)

    def _place(self, t: Tensor) -> Tensor:
        return (t * len(self.rising)).clamp(0, len(self.rising) - 1)

    def _slope(self, t: Tensor) -> Tensor:
        table = self.rising.to(t)
        low = self._place(t).floor().long().clamp(max=len(table) - 2)
        return (table[low + 1] - table[low]) * len(table)


@dataclass(frozen=True)
class Shifted(Schedule):
    r"""α = 1 − σ, σ = s u / (1 + (s − 1) u) with u = 1 − t: straight paths, with more time at much noise for s > 1.

    "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis" (Esser, 2024), eq. 23.
    """

    shift: float = 1.0
    spacing: ClassVar[str] = "time"
    t_min: ClassVar[float] = 0.0

    def clock(self, t: Tensor) -> Tensor:
        """Return 1000 σ, what the network hears, for times t."""
        return STEPS * self.sigma(t)

    def alpha(self, t: Tensor) -> Tensor:
        return t / (1 + (self.shift - 1) * (1 - t))

    def sigma(self, t: Tensor) -> Tensor:
        return self.shift * (1 - t) / (1 + (self.shift - 1) * (1 - t))

    def alpha_dot(self, t: Tensor) -> Tensor:
        return self.shift / (1 + (self.shift - 1) * (1 - t)).square()

    def sigma_dot(self, t: Tensor) -> Tensor:
        return -self.alpha_dot(t)

    def at(self, lam: Tensor) -> Tensor:
        return torch.sigmoid(lam + math.log(self.shift))


def levels_of(scheduler: Any, flow: bool, tokens: int) -> Tabulated | Shifted:
    """Return the noise levels of a pipeline.

    Args:
        scheduler: its own.
        flow: whether its paths are straight.
        tokens: that its network sees of a picture: some shift their levels by it.

    Raises:
        ConfigurationError: for a scheduler without a table.
    """
    config: Mapping[str, Any] = scheduler.config
    if not flow:
        if getattr(scheduler, "alphas_cumprod", None) is None:
            name = type(scheduler).__name__
            raise ConfigurationError(f"{name} has no table of noise levels", hint="another scheduler of diffusers")
        return Tabulated(scheduler.alphas_cumprod)
    if not config.get("use_dynamic_shifting"):
        return Shifted(float(config.get("shift") or 1.0))
    few, many = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    least, most = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return Shifted(math.exp(least + (most - least) * (tokens - few) / (many - few)))


# What the network predicts → x from (F, x_t, level). Of a variance-preserving table v = α ε − σ x; of a flow ε − x.
PREDICTIONS: Mapping[str, Callable[[Tensor, Tensor, Level], Tensor]] = {
    "epsilon": lambda f, x_t, at: (x_t - at.sigma * f) / at.alpha,
    "v_prediction": lambda f, x_t, at: at.alpha * x_t - at.sigma * f,
    "sample": lambda f, x_t, at: f,
    "flow": lambda f, x_t, at: x_t - at.sigma * f,
}
