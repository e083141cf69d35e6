"""Inpainting: what a mask leaves open is drawn anew, in the company of what it keeps."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from lienzo.core import Conditions, Streams
from lienzo.editing.filling import Known, Way, filled
from lienzo.editing.redrawing import NONE, Walk, checked_strength
from lienzo.editing.space import Space, knots_of, noised


@torch.no_grad()
def inpainted(
    space: Space,
    x: Tensor,
    keep: Tensor,
    conditions: Conditions,
    strength: float = 1.0,
    *,
    streams: Streams,
    walk: Walk,
    way: Way,
) -> Tensor:
    """Return pictures whose states agree with those of x in every cell that lies within what is kept.

    In a latent model a cell is a code: where a pixel of it may change, it is drawn anew; the kept pixels themselves are
    put back by whoever composes the picture (`lienzo.editing.region`).

    Args:
        space: of a family that denoises.
        x: (B, C, H, W) in [-1, 1].
        keep: (B, 1, H, W), 1 where x is kept.
        conditions: B rows.
        strength: how far what may change is led back to noise; 1: it is not looked at.
        streams: B rows.
        walk: steps and guidance.
        way: how what is kept is heard.
    """
    z, mask = space.enter(x), space.cells(keep)
    if checked_strength(strength) < NONE:
        return space.leave(z)
    knots = knots_of(space.schedule, walk.steps, strength)
    known = Known(lambda v: mask * v, z)
    state = noised(z, streams.child("start").normal(*space.shape).to(z), knots[0])
    denoise = space.denoiser(conditions, walk.guidance, walk.interval)
    steps = filled(denoise, state, knots, known, streams.child("fill"), way)
    return space.leave(deque(steps, maxlen=1)[0])
