r"""Likelihood by the probability-flow ODE from the last level of noise on, and a normal decoder for what is below it.

    log p(x) ≥ E_ε [log p(z) + log p(x | z) − log q(z | x)],    z = αx + σε at the last knot, q = N(αx, σ²),
    p(x | z) = N(x̂(z), diag v),    v = (σ²/α) diag ∂x̂/∂z,
    log p(z) = log p(z_start) − ∫ (tr ∂x̂/∂z dα + tr ∂ε/∂z dσ),    tr ∂ε/∂z = (D − α tr ∂x̂/∂z)/σ,

x̂ the denoiser, D the number of values. The flow: "Score-Based Generative Modeling through Stochastic Differential
Equations" (Song, 2021), eq. 39. The decoder's variance is the posterior's, exact for the perfect denoiser: "Estimating
High Order Gradients of the Data Distribution by Denoising" (Meng, 2021). Traces and diagonals: s ⊙ Jᵀ s, s = ±1, after
"FFJORD: Free-form Continuous Dynamics for Scalable Reversible Generative Models" (Grathwohl, 2019). An estimate, with
the errors of the network, of these directions and of the steps.
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
    denoise: Denoiser, x: Tensor, knots: Sequence[Knot], streams: Streams, sigma_data: float = 0.5, probes: int = 8
) -> Tensor:
    """Return an estimate of log p(x), (B,) in nats: of the bound above, with one ε.

    Args:
        denoise: the estimate of x, differentiable in its input.
        x: (B, …) pictures.
        knots: from noise to data; the last one, where the decoder takes over, still has noise (σ > 0).
        streams: B rows, for ε and the signs.
        sigma_data: σ_d, which with α and σ of the first knot makes the normal distribution there.
        probes: directions that the decoder's variances are estimated with.
    """
    last, count = knots[-1], math.prod(x.shape[1:])
    noise = streams.child("noise").normal(*x.shape[1:]).to(x)
    z = last.alpha * x + last.sigma * noise
    prior = _log_prob_flow(denoise, z, knots, streams, sigma_data)
    encoder = -noise.double().square().flatten(1).sum(1) / 2 - count * math.log(last.sigma * math.sqrt(2 * math.pi))
    return (prior + _log_prob_decoder(denoise, x, z, last, streams, probes) - encoder).to(x.dtype)


def _log_prob_flow(
    denoise: Denoiser, state: Tensor, knots: Sequence[Knot], streams: Streams, sigma_data: float
) -> Tensor:
    """Return log p of states at the last knot, by Heun's method from there to noise."""
    count = math.prod(state.shape[1:])
    z, log_p = _signs(streams, state), torch.zeros(len(state), dtype=torch.float64, device=state.device)
    for a, b in pairwise(reversed(knots)):
        x_0, pulled = _with_slope(denoise, state, a, z)
        e = noise_of(state, x_0, a)
        euler = b.alpha * x_0 + b.sigma * e
        y_0, y_pulled = _with_slope(denoise, euler, b, z)
        trace, y_trace = pulled.flatten(1).sum(1), y_pulled.flatten(1).sum(1)
        d_alpha, d_sigma = b.alpha - a.alpha, b.sigma - a.sigma
        state = state + d_alpha / 2 * (x_0 + y_0) + d_sigma / 2 * (e + noise_of(euler, y_0, b))
        traces = (count - a.alpha * trace) / a.sigma + (count - b.alpha * y_trace) / b.sigma
        log_p = log_p + d_alpha / 2 * (trace + y_trace) + d_sigma / 2 * traces
    variance = (knots[0].alpha * sigma_data) ** 2 + knots[0].sigma ** 2
    square = state.double().square().flatten(1).sum(1)
    return log_p - square / (2 * variance) - count / 2 * math.log(2 * math.pi * variance)


def _log_prob_decoder(denoise: Denoiser, x: Tensor, z: Tensor, k: Knot, streams: Streams, probes: int) -> Tensor:
    """Return log N(x; x̂(z), diag v); no variance is less than a twentieth of the picture's mean one."""
    slope, x_0 = torch.zeros_like(x, dtype=torch.float64), x
    for number in range(probes):
        x_0, pulled = _with_slope(denoise, z, k, _signs(streams.child(f"probe-{number}"), z))
        slope = slope + pulled / probes
    variance = slope * (k.sigma**2 / k.alpha)
    mean = variance.flatten(1).mean(1).clamp(min=1e-4 * (k.sigma / k.alpha) ** 2)
    variance = torch.maximum(variance, mean.view(-1, *[1] * (x.ndim - 1)) / 20)
    terms = (x - x_0).double().square() / variance + (2 * math.pi * variance).log()
    return -terms.flatten(1).sum(1) / 2


def _signs(streams: Streams, like: Tensor) -> Tensor:
    return streams.integers(2, *like.shape[1:]).to(like) * 2 - 1


def _with_slope(denoise: Denoiser, x: Tensor, k: Knot, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return x̂ and z ⊙ (∂x̂/∂x)ᵀ z, float64: in the mean over z, the Jacobian's diagonal."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        x_0 = denoise(x, k.t)
        (pulled,) = torch.autograd.grad(x_0, x, z)
    return x_0.detach(), pulled.double() * z
