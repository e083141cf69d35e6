r"""Prediction targets: what a network is asked for, and the exact conversions to and from the picture x.

Given the state x_t = α x + σ ε, each target F is affine in x, F = k x + b x_t, so that it is a pair of coefficients:

    target          F                                k                      b
    data            x                                1                      0
    noise           ε                                −α/σ                   1/σ
    velocity        α' x + σ' ε                      α' − σ' α/σ            σ'/σ
    score           ∇ log p(x_t | x) = −ε/σ          α/σ²                   −1/σ²
    scaled-score    σ ∇ log p(x_t | x) = −ε          α/σ                    −1/σ
    preconditioned  (x − c_skip x_t) / c_out         1/c_out                −c_skip/c_out
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lienzo.sampling.schedule import Schedule


@dataclass(frozen=True)
class Level:
    """α, σ, dα/dt and dσ/dt at some times, each (B, 1, …), and the standard deviation σ_d of the data."""

    alpha: Tensor
    sigma: Tensor
    alpha_dot: Tensor
    sigma_dot: Tensor
    sigma_data: float = 0.5

    @classmethod
    def of(cls, schedule: Schedule, t: Tensor, ndim: int, sigma_data: float = 0.5) -> Level:
        """Take the schedule at times t (B,), shaped to multiply tensors of `ndim` axes."""
        t = t.view(-1, *[1] * (ndim - 1))
        return cls(schedule.alpha(t), schedule.sigma(t), schedule.alpha_dot(t), schedule.sigma_dot(t), sigma_data)

    @property
    def scale(self) -> Tensor:
        """The standard deviation of x_t, √(α² σ_d² + σ²): what a network's input is divided by."""
        return (self.alpha.square() * self.sigma_data**2 + self.sigma.square()).sqrt()


@dataclass(frozen=True)
class Target:
    """A target F of a network, converted exactly both ways.

    Attributes:
        to_data: (F, x_t, level) → x.
        from_data: (x, x_t, level) → F.
        direct: (x, ε, x_t, level) → F without a division by a σ that may vanish: what a loss compares with.
        gain, power: |dF/dx| at fixed x_t is gain(level) / σ^power.
    """

    to_data: Callable[[Tensor, Tensor, Level], Tensor]
    from_data: Callable[[Tensor, Tensor, Level], Tensor]
    direct: Callable[[Tensor, Tensor, Tensor, Level], Tensor]
    gain: Callable[[Level], Tensor]
    power: int


def _skip(at: Level) -> Tensor:
    """c_skip of Karras (2022, table 1) for x_t with any α: σ_d² α / (α² σ_d² + σ²)."""
    return at.sigma_data**2 * at.alpha / at.scale.square()


def _out(at: Level) -> Tensor:
    """c_out of Karras (2022, table 1) for x_t with any α: σ σ_d / √(α² σ_d² + σ²)."""
    return at.sigma * at.sigma_data / at.scale


def _cross(at: Level) -> Tensor:
    """σ α' − α σ', the determinant of (x, ε) → (x_t, velocity); positive."""
    return at.sigma * at.alpha_dot - at.alpha * at.sigma_dot


def _some_signal(at: Level) -> Tensor:
    """α, kept above 0.001: without signal a noise says nothing of x."""
    return at.alpha.clamp(min=1e-3)


_data = Target(
    to_data=lambda f, x_t, at: f,
    from_data=lambda x, x_t, at: x,
    direct=lambda x, e, x_t, at: x,
    gain=lambda at: torch.ones_like(at.alpha),
    power=0,
)
_noise = Target(
    to_data=lambda f, x_t, at: (x_t - at.sigma * f) / _some_signal(at),
    from_data=lambda x, x_t, at: (x_t - at.alpha * x) / at.sigma,
    direct=lambda x, e, x_t, at: e,
    gain=_some_signal,
    power=1,
)
_velocity = Target(
    to_data=lambda f, x_t, at: (at.sigma * f - at.sigma_dot * x_t) / _cross(at),
    from_data=lambda x, x_t, at: (_cross(at) * x + at.sigma_dot * x_t) / at.sigma,
    direct=lambda x, e, x_t, at: at.alpha_dot * x + at.sigma_dot * e,
    gain=_cross,
    power=1,
)
_score = Target(
    to_data=lambda f, x_t, at: (x_t + at.sigma.square() * f) / _some_signal(at),
    from_data=lambda x, x_t, at: (at.alpha * x - x_t) / at.sigma.square(),
    direct=lambda x, e, x_t, at: -e / at.sigma,
    gain=_some_signal,
    power=2,
)
_scaled_score = Target(
    to_data=lambda f, x_t, at: (x_t + at.sigma * f) / _some_signal(at),
    from_data=lambda x, x_t, at: (at.alpha * x - x_t) / at.sigma,
    direct=lambda x, e, x_t, at: -e,
    gain=_some_signal,
    power=1,
)
_preconditioned = Target(
    to_data=lambda f, x_t, at: _skip(at) * x_t + _out(at) * f,
    from_data=lambda x, x_t, at: (x - _skip(at) * x_t) / _out(at),
    # (x − c_skip x_t)/c_out with x_t = α x + σ ε, after σ is cancelled: (σ x − α σ_d² ε) / (σ_d √(α² σ_d² + σ²))
    direct=lambda x, e, x_t, at: (at.sigma * x - at.alpha * at.sigma_data**2 * e) / (at.sigma_data * at.scale),
    gain=lambda at: at.scale / at.sigma_data,
    power=1,
)

# "scaled-score" is technique 3 of "Improved Techniques for Training Score-Based Generative Models" (Song & Ermon,
# 2020); "preconditioned" is eq. 7 of "Elucidating the Design Space of Diffusion-Based Generative Models" (Karras,
# 2022).
TARGETS: dict[str, Target] = {
    "data": _data,
    "noise": _noise,
    "velocity": _velocity,
    "score": _score,
    "scaled-score": _scaled_score,
    "preconditioned": _preconditioned,
}
