r"""Inversion: the noise from which a sampling ODE draws a given picture, and the way back.

The ODE dx = x₀ dα + ε dσ is solved by the implicit midpoint rule, which is symmetric: a step from a to b, taken from
b to a, is the same equation. So the way there and the way back are each other's inverse at any number of steps, up to
the tolerance to which the equation of each step is solved; an explicit rule's are not.

"Geometric Numerical Integration" (Hairer, Lubich & Wanner, 2006), chapter V; exact inversion by other means: "EDICT:
Exact Diffusion Inversion via Coupled Transformations" (Wallace, 2023); by implicit equations "On Exact Inversion of
DPM-Solvers" (Hong, 2024).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from lienzo.core import Conditions, Streams
from lienzo.editing.redrawing import Walk
from lienzo.editing.space import Space, knots_of
from lienzo.sampling import SOLVERS, Denoiser, Knot, Schedule

TOLERANCE, MOST = 1e-5, 40  # of a step's equation, relative; rounds of its solution


@torch.no_grad()
def midpoint(denoise: Denoiser, x: Tensor, knots: Sequence[Knot], schedule: Schedule) -> Tensor:
    r"""Solve x' = x + x₀ Δα + ε Δσ along the knots, x₀ and ε at ((x + x')/2, (t + t')/2), by fixed-point rounds.

    Each row stops by itself, so that it does not depend on the others.

    Args:
        denoise: D(x, t).
        x: (B, …), at the first knot.
        knots: in either direction.
        schedule: of D.
    """
    times = torch.tensor([(a.t + b.t) / 2 for a, b in pairwise(knots)], dtype=torch.float64)
    for (a, b), middle in zip(pairwise(knots), schedule.knots(times), strict=True):
        x = _step(denoise, x, a, b, middle)
    return x


def _step(denoise: Denoiser, x: Tensor, a: Knot, b: Knot, m: Knot) -> Tensor:
    y, open_ = x, torch.ones(len(x), *[1] * (x.ndim - 1), dtype=torch.bool, device=x.device)
    limit = TOLERANCE * x.square().flatten(1).mean(1).sqrt().clamp(min=1).view_as(open_)
    before = torch.zeros_like(x)
    for n in range(MOST):
        at = (x + y) / 2
        x_0 = denoise(at, m.t)
        new = x + (b.alpha - a.alpha) * x_0 + (b.sigma - a.sigma) * (at - m.alpha * x_0) / m.sigma
        gap = new - y
        y = torch.where(open_, y + (_damped(gap, before) if n else 1.0) * gap, y)
        before = gap
        open_ = open_ & (gap.square().flatten(1).mean(1).sqrt().view_as(open_) > limit)
        if not open_.any():
            break
    return y


def _damped(gap: Tensor, before: Tensor) -> Tensor:
    """Return how far to go along a gap, (B, 1, …): less where the last round turned it round or made it larger."""
    shape = (-1, *[1] * (gap.ndim - 1))
    ratio = ((gap * before).flatten(1).sum(1) / before.square().flatten(1).sum(1).clamp_min(1e-20)).view(shape)
    return torch.where(ratio < -0.3, 1 / (1 - ratio), torch.ones_like(ratio)).clamp(0.2, 1)


def inverted(space: Space, x: Tensor, conditions: Conditions, strength: float = 1.0, *, walk: Walk) -> Tensor:
    """Return the state at noise level `strength` from which `regenerated` draws x, (B, *space.shape).

    Args:
        space: of a family that denoises.
        x: (B, C, H, W) in [-1, 1].
        conditions: what x shows, B rows.
        strength: how far to go; 1 is pure noise.
        walk: steps; its guidance is not used.
    """
    knots = knots_of(space.schedule, walk.steps, strength)
    denoise = space.denoiser(conditions)
    return midpoint(denoise, space.enter(x), knots[::-1], space.schedule)


def regenerated(space: Space, noise: Tensor, conditions: Conditions, strength: float = 1.0, *, walk: Walk) -> Tensor:
    """Return the pictures (B, C, H, W) that are drawn from states of `inverted`, under these conditions.

    At guidance 1 by the midpoint rule, the inverse of `inverted`. Stronger guidance makes its equation have several
    solutions, or none: then by the walk's own solver, which draws nearly the same where the words are the same.
    """
    knots = knots_of(space.schedule, walk.steps, strength)
    denoise = space.denoiser(conditions, walk.guidance, walk.interval)
    if walk.exact:
        return space.leave(midpoint(denoise, noise, knots, space.schedule))
    steps = SOLVERS[walk.solver].run(denoise, noise, knots, Streams(0, range(len(noise))))
    return space.leave(deque(steps, maxlen=1)[0][0])
