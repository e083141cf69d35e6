r"""Solvers: from noise to data along a grid of times, a few lines each.

With x₀ = D(x, t) and ε = (x − α x₀)/σ the probability-flow ODE is dx = x₀ dα + ε dσ, whatever the schedule. A solver
sees a denoiser D, the state x, the knots (t, α, σ) of its grid and, where it is random, one stream a row; it yields
(x, x₀) after each step: the new state, and the estimate of the picture that the step used. A grid that ends without
noise (σ = 0) ends on x₀.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from lienzo.core import Streams
from lienzo.sampling.schedule import Denoiser, Knot

Steps = Iterator[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Solver:
    """A solver's steps and what is known of it.

    Attributes:
        run: (denoise, x, knots, streams) → the steps.
        order: p, where the error after a fixed time falls as steps^−p: of the path for an ODE, of the first two moments
            for an SDE; None where it is not a discretisation of one.
        stochastic: whether it draws noise after the start.
    """

    run: Callable[[Denoiser, Tensor, Sequence[Knot], Streams], Steps]
    order: int | None
    stochastic: bool = False


def noise_of(x: Tensor, x_0: Tensor, k: Knot) -> Tensor:
    """Return ε = (x − α x₀)/σ."""
    return (x - k.alpha * x_0) / k.sigma


def ddim(denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams, eta: float = 0.0) -> Steps:
    r"""x' = α' x₀ + √(σ'² − s²) ε + s z, with s = η σ' √(1 − (α σ'/α' σ)²).

    η = 0 is DDIM, which is Euler's method on dx = x₀ dα + ε dσ; η = 1 is DDPM's ancestral sampling, the exact posterior
    q(x' | x, x₀). "Denoising Diffusion Implicit Models" (Song, 2021), eq. 12 and 16.
    """
    for a, b in pairwise(knots):
        x_0 = denoise(x, a.t)
        s = eta * b.sigma * math.sqrt(max(0.0, 1 - (a.alpha * b.sigma / (b.alpha * a.sigma)) ** 2)) if eta else 0.0
        if b.sigma == 0:
            x = x_0
        else:
            x = b.alpha * x_0 + math.sqrt(b.sigma**2 - s**2) * noise_of(x, x_0, a)
        if s:
            x = x + s * _normal(streams, x)
        yield x, x_0


def ancestral(denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams) -> Steps:
    r"""x' ~ q(x' | x, x₀). "Denoising Diffusion Probabilistic Models" (Ho, 2020), eq. 6-7 at any two levels."""
    return ddim(denoise, x, knots, streams, eta=1.0)


def heun(denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams) -> Steps:
    r"""x' = x + ½ (x₀ + x̃₀) Δα + ½ (ε + ε̃) Δσ, the tilde at an Euler step's end: the trapezoid rule, order 2.

    The last step to σ = 0 is Euler's. "Elucidating the Design Space of Diffusion-Based Generative Models" (Karras,
    2022), algorithm 1, in a form that is also regular where α = 0.
    """
    for a, b in pairwise(knots):
        x_0 = denoise(x, a.t)
        if b.sigma == 0:
            x = x_0
        else:
            e = noise_of(x, x_0, a)
            euler = b.alpha * x_0 + b.sigma * e
            y_0 = denoise(euler, b.t)
            x = x + (b.alpha - a.alpha) / 2 * (x_0 + y_0) + (b.sigma - a.sigma) / 2 * (e + noise_of(euler, y_0, b))
        yield x, x_0


def dpm_2m(denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams) -> Steps:
    r"""x' = (σ'/σ) x + (α' − α σ'/σ) (x₀ + (h/2h₋) (x₀ − x₀₋)), h = Δλ, minus: the step before. Order 2.

    "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models" (Lu, 2022), algorithm 2. The first
    step, and any beside a λ that is infinite (σ = 0 or α = 0), is DDIM's.
    """
    before, h_before = x, math.inf
    for a, b in pairwise(knots):
        x_0, h = denoise(x, a.t), _lam(b) - _lam(a)
        d = _extrapolated(x_0, before, h, h_before)
        x = b.sigma / a.sigma * x + (b.alpha - a.alpha * b.sigma / a.sigma) * d if b.sigma else x_0
        before, h_before = x_0, h
        yield x, x_0


def sde_dpm_2m(denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams) -> Steps:
    r"""x' = (σ'/σ) e^{−h} x + α' (1 − e^{−2h}) (x₀ + (h/2h₋) (x₀ − x₀₋)) + σ' √(1 − e^{−2h}) z.

    SDE-DPM-Solver++(2M) of "DPM-Solver++" (Lu, 2022); of order 2 in the moments of Gaussian data.
    """
    before, h_before = x, math.inf
    for a, b in pairwise(knots):
        x_0, h = denoise(x, a.t), _lam(b) - _lam(a)
        d = _extrapolated(x_0, before, h, h_before)
        gone = -math.expm1(-2 * h)
        if b.sigma == 0:
            x = x_0
        else:
            x = b.sigma / a.sigma * math.exp(-h) * x + b.alpha * gone * d
            x = x + b.sigma * math.sqrt(gone) * _normal(streams, x)
        before, h_before = x_0, h
        yield x, x_0


def langevin(
    denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams, repeats: int = 20, rate: float = 0.2
) -> Steps:
    r"""At each level `repeats` times x ← x + ½ r σ² ∇log p_t(x) + √r σ z, then on to the next with x/α kept.

    "Generative Modeling by Estimating Gradients of the Data Distribution" (Song & Ermon, 2019), algorithm 1 with
    r = ε/σ_L²; the last step lands on x₀ ("Adversarial Score Matching and Improved Sampling for Image Generation",
    Jolicoeur-Martineau, 2021).

    `repeats` is T, the number of moves at each level; `rate` is r, the step size as a fraction of σ².
    """
    for a, b in pairwise(knots):
        for _ in range(repeats):
            e = noise_of(x, denoise(x, a.t), a)  # the score is −ε/σ
            x = x - rate * a.sigma / 2 * e + math.sqrt(rate) * a.sigma * _normal(streams, x)
        x_0 = denoise(x, a.t)
        x = x_0 if b.sigma == 0 else x * (b.alpha / a.alpha if a.alpha else b.sigma / a.sigma)
        yield x, x_0


def _lam(k: Knot) -> float:
    if k.alpha == 0 or k.sigma == 0:
        return math.inf if k.alpha else -math.inf
    return math.log(k.alpha / k.sigma)


def _extrapolated(x_0: Tensor, before: Tensor, h: float, h_before: float) -> Tensor:
    """Return x₀ at the middle of the step, from the last two estimates."""
    if not (math.isfinite(h) and math.isfinite(h_before)) or h_before == 0:
        return x_0
    return x_0 + h / (2 * h_before) * (x_0 - before)


def _normal(streams: Streams, x: Tensor) -> Tensor:
    return streams.normal(*x.shape[1:]).to(x)


SOLVERS: dict[str, Solver] = {
    "euler": Solver(ddim, order=1),
    "ddim": Solver(ddim, order=1),
    "ancestral": Solver(ancestral, order=1, stochastic=True),
    "heun": Solver(heun, order=2),
    "dpm++2m": Solver(dpm_2m, order=2),
    "sde-dpm++2m": Solver(sde_dpm_2m, order=2, stochastic=True),
    "langevin": Solver(langevin, order=None, stochastic=True),
}
