r"""Jumps: what a network that crosses many noise levels in one call is trained on.

With z_t = t x + (1 − t) ε and velocity v = x − ε, the average velocity over a jump of length h from t to t + h,

    u(z_t, t, h) = (1/h) ∫_t^{t+h} v(z_τ, τ) dτ,    so that    z_{t+h} = z_t + h u(z_t, t, h),

is v itself at h = 0. Every rule below says what u is at h > 0 in terms of u elsewhere; all see callables only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from lienzo.core import Streams
from lienzo.sampling.processes import Times
from lienzo.sampling.schedule import Schedule
from lienzo.sampling.schedules import Linear

Average = Callable[[Tensor, Tensor, Tensor], Tensor]  # (z_t, t (B,), h (B,)) → u
FINEST = 6  # shortcuts are 2^−k long, k from 0 to 5; half of the shortest is asked for as a velocity
LATEST = 0.95  # the last time at which a network is asked: what divides by 1 − t stays bounded


def wide(t: Tensor, z: Tensor) -> Tensor:
    """Shape times (B,) to multiply tensors like z."""
    return t.view(-1, *[1] * (z.ndim - 1))


def along_path(u: Average, z: Tensor, t: Tensor, h: Tensor, v: Tensor) -> Tensor:
    r"""Return du/dt = v·∂_z u + ∂_t u − ∂_h u, along the path through z with the end of the jump, t + h, held.

    One forward-mode product. Attention's fused kernel has no forward derivative, so its plain form is asked for; nor
    have bfloat16 convolutions one under autocast, so the arithmetic is that of z.
    """
    one = torch.ones_like(t)
    with torch.autocast(z.device.type, enabled=False), sdpa_kernel(SDPBackend.MATH):
        both: tuple[Tensor, ...] = torch.func.jvp(u, (z, t, h), (v, one, -one))
    return both[1]


def mean_flow(u: Average, z: Tensor, t: Tensor, h: Tensor, v: Tensor) -> Tensor:
    r"""Return v + h du/dt, which u(z, t, h) is equal to: the derivative by t of h u = z_{t+h} − z_t at t + h held.

    "Mean Flows for One-step Generative Modeling" (Geng, 2025), eq. 6; there t runs from data to noise.
    """
    return v + wide(h, z) * along_path(u, z, t, h, v)


def shortcut(u: Average, z: Tensor, t: Tensor, h: Tensor, v: Tensor) -> Tensor:
    r"""Return (u₁ + u₂)/2 of two jumps of half the length, one after the other; the shortest are asked at h = 0.

    "One Step Diffusion via Shortcut Models" (Frans, 2024), eq. 5.
    """
    half = h / 2
    said = torch.where(half < 1.5 * 2.0**-FINEST, torch.zeros_like(half), half)
    first = u(z, t, said)
    second = u(z + wide(half, z) * first, t + half, said)
    return (first + second) / 2


def any_jump(streams: Streams, times: Times) -> tuple[Tensor, Tensor]:
    """Draw the two ends of a jump from one distribution of times; return (t, h)."""
    first, second = (times(streams.child(end), Linear()).clamp(0, 1) for end in ("first", "second"))
    t = torch.minimum(first, second).clamp(max=LATEST)
    return t, torch.maximum(first, second) - t


def binary_jump(streams: Streams, times: Times) -> tuple[Tensor, Tensor]:
    """Draw h = 2^−k, k in 0 … FINEST − 1, and t among the multiples of h at which such a jump can start."""
    count = (2 ** streams.child("length").integers(FINEST)).float()
    return (streams.child("first").uniform() * count).floor() / count, 1 / count


def equal_jumps(steps: int) -> list[Fraction]:
    """Return the lengths of jumps from 0 to 1 that are all alike."""
    return [Fraction(1, steps)] * steps


def binary_jumps(steps: int) -> list[Fraction]:
    """Return the lengths of any number of jumps from 0 to 1 that `binary_jump` may all draw: 2^−k, at multiples of it.

    Of as many equal jumps as the largest power of two not above their number, the first are halved: a jump misses most
    where noise is most, and a trained model came nearer that way to what sixteen jumps draw than by halving the last.

    >>> [str(h) for h in binary_jumps(3)], [str(h) for h in binary_jumps(4)]
    (['1/4', '1/4', '1/2'], ['1/4', '1/4', '1/4', '1/4'])
    """
    whole = 2 ** (steps.bit_length() - 1)
    return [Fraction(1, 2 * whole)] * (2 * (steps - whole)) + [Fraction(1, whole)] * (2 * whole - steps)


@dataclass(frozen=True)
class Objective:
    """A row of the table.

    Attributes:
        target: what u at (z, t, h > 0) is compared with; no gradient flows through it.
        draw: (streams, times) → t and h of the jumps.
        times: the distribution of times, of velocities and (where `draw` asks) of the ends of jumps.
        adaptive: p of the weight (‖Δ‖² + c)^−p, which bounds what one row can do.
        most: the largest share of rows that may jump: targets that are calls alone need rows of h = 0 beside them.
        path: how many jumps → their lengths, from 0 to 1, such as were learnt.
        shortest: the least h that was learnt; a shorter jump follows the velocity, h = 0.
    """

    target: Callable[[Average, Tensor, Tensor, Tensor, Tensor], Tensor]
    draw: Callable[[Streams, Times], tuple[Tensor, Tensor]]
    times: str
    adaptive: float
    most: float = 1.0
    path: Callable[[int], list[Fraction]] = equal_jumps
    shortest: float = 0.0


OBJECTIVES: dict[str, Objective] = {
    "mean-flow": Objective(mean_flow, any_jump, "logit-normal 0.4 1.0", 1.0),
    "shortcut": Objective(shortcut, binary_jump, "uniform", 0.0, 0.5, binary_jumps, 2.0 ** (1 - FINEST)),
}


def jumping(indices: tuple[int, ...], share: float, device: torch.device) -> Tensor:
    """Return the rows that are trained on jumps, one in 1/share: evenly spread, so that every batch has as many."""
    every = math.floor(1 / share + 0.5)
    return torch.tensor([row for row, index in enumerate(indices) if index % every == 0], dtype=torch.long).to(device)


@torch.no_grad()
def straight_velocity(denoise: Callable[[Tensor, Tensor], Tensor], own: Schedule, z: Tensor, t: Tensor) -> Tensor:
    r"""Return v = (D(z_t) − z_t)/(1 − t), E[x − ε | z_t] on z_t = t x + (1 − t) ε, whatever the denoiser's schedule.

    The denoiser is asked at its own time of equal α/σ, with the state scaled to its own size there.

    Args:
        denoise: (x_t, t (B,)) → E[x | x_t], on the schedule `own`.
        own: the schedule of the denoiser.
        z: (B, C, H, W), states of the linear schedule.
        t: (B,), below 1.
    """
    if not isinstance(own, Linear):
        line, time = Linear(), t.double()
        mine = own.at(line.lam(time.clamp(min=1e-4))).clamp(own.t_min, own.t_max)
        ratio = torch.hypot(own.alpha(mine), own.sigma(mine)) / torch.hypot(line.alpha(time), line.sigma(time))
        return (denoise(z * wide(ratio, z).to(z), mine.to(t)) - z) / wide(1 - t, z)
    return (denoise(z, t) - z) / wide(1 - t, z)
