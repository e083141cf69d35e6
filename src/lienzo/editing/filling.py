r"""Drawing what is missing of a picture whose part P z is known, P an orthogonal projection.

A mask is one: P z = m z. A known low-pass is one: P z = each block's mean. Three ways to make a denoiser hear what is
known, in one table:

    state      x_t ← x_t + P (α z + σ ε − x_t) after every step
               "RePaint" (Lugmayr, 2022), algorithm 1; with a low-pass "ILVR" (Choi, 2021)
    estimate   D ← D + P (z − D) within every step
               "Denoising Diffusion Null-Space Model" (Wang, 2023), algorithm 1
    moments    D ← D + V Pᵀ (P V Pᵀ + s²)⁻¹ P (z − D), V = Cov[x₀ | x_t] = (σ²/α) ∂D/∂x_t, by conjugate gradients:
               exact for Gaussian data; "Learning Diffusion Priors from Observations by Expectation Maximization"
               (Rozet, 2024), eq. 22-24

The first two hear how what is known bears on the rest through the network alone; going back and forth between noise
levels (`repeats`, `length`) lets them settle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lienzo.core import ConfigurationError, Streams
from lienzo.editing.settling import LEAST
from lienzo.editing.space import noised
from lienzo.sampling import Denoiser, Knot
from lienzo.sampling.solvers import noise_of

SOFT = 0.02  # s of "moments": how exactly it holds to what is known
FAINT = 0.05  # α below which x_t says too little of x for its second moment


@dataclass(frozen=True)
class Known:
    """What is known of a state.

    Attributes:
        project: P, an orthogonal projection.
        z: (B, C, H, W), of which P z counts.
    """

    project: Callable[[Tensor], Tensor]
    z: Tensor

    def put(self, x: Tensor) -> Tensor:
        """Return x with what is known in its place: x + P (z − x)."""
        return x + self.project(self.z - x)


@dataclass(frozen=True)
class Way:
    """How the known part is heard.

    Attributes:
        by: "state", "estimate" or "moments".
        repeats: how often each block of steps is gone; more than 1 goes back by noise in between.
        length: steps a block.
        rounds: of conjugate gradients.
        eta: how much of a step's noise is fresh: 1 is ancestral sampling, 0 the ODE.
        settle: of instructed pictures without a mask: what changed less than this stays (`settled`); 0: nothing.
    """

    by: str = "estimate"
    repeats: int = 1
    length: int = 1
    rounds: int = 2
    eta: float = 1.0
    settle: float = LEAST

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise ConfigurationError(f"no way {self.by!r} to fill a picture in", hint=f"one of {', '.join(BY)}")
        if min(self.repeats, self.length, self.rounds) < 1 or not 0 <= self.eta <= 1 or not 0 <= self.settle <= 1:
            raise ConfigurationError(f"{self}", hint="repeats, length and rounds from 1, eta and settle in [0, 1]")


def filled(
    denoise: Denoiser, x: Tensor, knots: Sequence[Knot], known: Known, streams: Streams, way: Way
) -> Iterator[Tensor]:
    """Yield the state after every step; the last one agrees with what is known.

    Args:
        denoise: D(x_t, t).
        x: (B, C, H, W), at the first knot.
        knots: to the data.
        known: P and z.
        streams: B rows.
        way: how.
    """
    heard = BY[way.by](denoise, known, way)
    for block in _blocks(knots, way.length):
        for repeat in range(way.repeats):
            if repeat:
                x = _back(x, block[-1], block[0], streams)
            for a, b in pairwise(block):
                x = _step(heard(x, a), x, a, b, streams, way.eta)
                if way.by == "state":
                    x = known.put(x) if b.sigma == 0 else x + known.project(
                        noised(known.z, _normal(streams, x), b) - x
                    )  # fmt: skip
                yield known.put(x) if b.sigma == 0 else x


def _step(x_0: Tensor, x: Tensor, a: Knot, b: Knot, streams: Streams, eta: float) -> Tensor:
    """Return x' from x₀ by DDIM's rule, `eta` of its noise fresh; see `lienzo.sampling.solvers.ddim`."""
    if b.sigma == 0:
        return x_0
    fresh = eta * b.sigma * max(0.0, 1 - (a.alpha * b.sigma / (b.alpha * a.sigma)) ** 2) ** 0.5
    moved = b.alpha * x_0 + (b.sigma**2 - fresh**2) ** 0.5 * noise_of(x, x_0, a)
    return moved + fresh * _normal(streams, x) if fresh else moved


def _back(x: Tensor, b: Knot, a: Knot, streams: Streams) -> Tensor:
    """Return x_a ~ q(x_a | x_b), back to more noise."""
    ratio = a.alpha / b.alpha
    return ratio * x + max(0.0, a.sigma**2 - (ratio * b.sigma) ** 2) ** 0.5 * _normal(streams, x)


def _blocks(knots: Sequence[Knot], length: int) -> Iterator[Sequence[Knot]]:
    for start in range(0, len(knots) - 1, length):
        yield knots[start : start + length + 1]


def _plain(denoise: Denoiser, known: Known, way: Way) -> Callable[[Tensor, Knot], Tensor]:
    return lambda x, k: denoise(x, k.t)


def _replaced(denoise: Denoiser, known: Known, way: Way) -> Callable[[Tensor, Knot], Tensor]:
    return lambda x, k: known.put(denoise(x, k.t))


def _informed(denoise: Denoiser, known: Known, way: Way) -> Callable[[Tensor, Knot], Tensor]:
    def heard(x: Tensor, k: Knot) -> Tensor:
        if k.alpha < FAINT:
            return denoise(x, k.t)
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            d = denoise(at, k.t)

        def covariance(v: Tensor) -> Tensor:
            (product,) = torch.autograd.grad(d, at, v, retain_graph=True)
            return product * (k.sigma**2 / k.alpha)

        def system(v: Tensor) -> Tensor:
            return SOFT**2 * v + known.project(covariance(v))

        gap = known.project(known.z - d.detach())
        return d.detach() + covariance(conjugate_gradients(system, gap, way.rounds))

    return heard


def conjugate_gradients(system: Callable[[Tensor], Tensor], b: Tensor, rounds: int) -> Tensor:
    """Return about A⁻¹ b, each row on its own, after some rounds from 0; A symmetric and positive.

    "Methods of Conjugate Gradients for Solving Linear Systems" (Hestenes & Stiefel, 1952). Where A is not positive
    along a direction, as a network's Jacobian may be, that row stops.
    """
    v, residual = torch.zeros_like(b), b
    direction, size = residual, _dot(residual, residual)
    for _ in range(rounds):
        pushed = system(direction)
        curve = _dot(direction, pushed)
        step = torch.where(curve > 1e-12, size / curve.clamp_min(1e-12), torch.zeros_like(size))
        v, residual = v + step * direction, residual - step * pushed
        fresh = _dot(residual, residual)
        direction, size = residual + fresh / size.clamp_min(1e-20) * direction, fresh
    return v


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).flatten(1).sum(1).view(-1, *[1] * (a.ndim - 1))


def _normal(streams: Streams, x: Tensor) -> Tensor:
    return streams.normal(*x.shape[1:]).to(x)


BY: dict[str, Callable[[Denoiser, Known, Way], Callable[[Tensor, Knot], Tensor]]] = {
    "state": _plain,
    "estimate": _replaced,
    "moments": _informed,
}
