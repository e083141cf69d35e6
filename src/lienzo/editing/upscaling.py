"""Twice the size: a picture drawn under the condition that its block means are the small picture's pixels."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import Conditions, Streams
from lienzo.editing.filling import Known, Way, filled
from lienzo.editing.redrawing import Walk
from lienzo.editing.space import Space, knots_of, noised
from lienzo.sampling import Denoiser

STRENGTH = 0.5  # how far the plainly enlarged picture is led back to noise


def small(x: Tensor) -> Tensor:
    """Return the means of 2 × 2 blocks."""
    return F.avg_pool2d(x, 2)


def blocks(x: Tensor) -> Tensor:
    """Return each pixel as a 2 × 2 block; `blocks(small(x))` is an orthogonal projection of x."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def agreeing(x: Tensor, low: Tensor) -> Tensor:
    """Return the picture nearest to x whose block means are `low`."""
    return x + blocks(low - small(x))


@torch.no_grad()
def upscaled(
    space: Space,
    low: Tensor,
    conditions: Conditions,
    strength: float = STRENGTH,
    *,
    streams: Streams,
    walk: Walk,
    way: Way,
) -> Tensor:
    """Return pictures (B, C, 2h, 2w), the size of the family's, whose block means are `low`.

    In a latent model the condition is laid on the pictures of the estimates, and what it changes is coded:
    D + E(x') − E(x), so that the coder's own error cancels.

    Args:
        space: of a family that denoises.
        low: (B, C, h, w) in [-1, 1].
        conditions: B rows.
        strength: where to begin from the plainly enlarged picture.
        streams: B rows.
        walk: steps and guidance.
        way: how a family over pixels hears the low-pass.
    """
    low = low.to(space.device)
    start = agreeing(F.interpolate(low, scale_factor=2, mode="bicubic", align_corners=False), low)
    z, knots = space.enter(start.clamp(-1, 1)), knots_of(space.schedule, walk.steps, strength)
    state = noised(z, streams.child("start").normal(*space.shape).to(z), knots[0])
    denoise, fill = space.denoiser(conditions, walk.guidance, walk.interval), streams.child("fill")
    if space.coder is None:
        known = Known(lambda v: blocks(small(v)), blocks(low))
        last = deque(filled(denoise, state, knots, known, fill, way), maxlen=1)[0]
    else:
        free = Known(torch.zeros_like, z)
        last = deque(
            filled(_through_pixels(space, denoise, low), state, knots, free, fill, Way(eta=way.eta)), maxlen=1
        )[0]
    return agreeing(space.leave(last), low).clamp(-1, 1)


def _through_pixels(space: Space, denoise: Denoiser, low: Tensor) -> Denoiser:
    def heard(x: Tensor, t: float) -> Tensor:
        z_0 = denoise(x, t)
        picture = space.leave(z_0)
        return z_0 + space.enter(agreeing(picture, low).clamp(-1, 1)) - space.enter(picture)

    return heard
