r"""Likelihood by the probability-flow ODE: how densities change along dx = x₀ dα + ε dσ.

    log p(x) = log p(x_start) − ∫ (tr ∂x₀/∂x dα + tr ∂ε/∂x dσ),    tr ∂ε/∂x = (D − α tr ∂x₀/∂x)/σ,

D the number of values. "Score-Based Generative Modeling through Stochastic Differential Equations" (Song, 2021), eq.
39, with the trace estimated as zᵀ J z, z = ±1 ("FFJORD: Free-form Continuous Dynamics for Scalable Reversible
Generative Models", Grathwohl, 2019). An estimate, with the errors of the network, of the trace and of the steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from lienzo.core import Streams
from lienzo.sampling.schedule import Denoiser, Knot
from lienzo.sampling.solvers import noise_of


def log_prob_ode(
    denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams, sigma_data: float = 0.5
) -> Tensor:
    """Return log p(x), (B,) in nats, by Heun's method from data to noise.

    Args:
        denoise: the estimate of x, differentiable in its input.
        x: (B, …) pictures.
        knots: from noise to data; the last one still has noise (σ > 0), and x is taken as its state's mean.
        streams: B rows, for the signs z.
        sigma_data: σ_d, which with α and σ of the first knot makes the normal distribution there.
    """
    count = math.prod(x.shape[1:])
    z = streams.integers(2, *x.shape[1:]).to(x) * 2 - 1
    last = knots[-1]
    state = x * last.alpha
    log_p = torch.full((len(x),), count * math.log(last.alpha), dtype=torch.float64, device=x.device)
    for a, b in pairwise(reversed(knots)):
        x_0, trace = _with_trace(denoise, state, a, z)
        e = noise_of(state, x_0, a)
        euler = b.alpha * x_0 + b.sigma * e
        y_0, y_trace = _with_trace(denoise, euler, b, z)
        d_alpha, d_sigma = b.alpha - a.alpha, b.sigma - a.sigma
        state = state + d_alpha / 2 * (x_0 + y_0) + d_sigma / 2 * (e + noise_of(euler, y_0, b))
        traces = (count - a.alpha * trace) / a.sigma + (count - b.alpha * y_trace) / b.sigma
        log_p = log_p + d_alpha / 2 * (trace + y_trace) + d_sigma / 2 * traces
    variance = (knots[0].alpha * sigma_data) ** 2 + knots[0].sigma ** 2
    square = state.double().square().flatten(1).sum(1)
    return (log_p - square / (2 * variance) - count / 2 * math.log(2 * math.pi * variance)).to(x.dtype)


def _with_trace(denoise: Denoiser, x: Tensor, k: Knot, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return x₀ and zᵀ (∂x₀/∂x) z, (B,) float64."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        x_0 = denoise(x, k.t)
        (pulled,) = torch.autograd.grad(x_0, x, z)
    return x_0.detach(), (pulled.double() * z).flatten(1).sum(1)
