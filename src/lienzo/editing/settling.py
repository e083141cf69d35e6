"""What an edit hardly changed: it stays as it was, to the pixel.

A model that draws a picture anew under an instruction draws all of it a little differently, and its coder loses detail
everywhere. A place that changed by less than `least` was not meant. The mask is found after the drawing, from the
drawing itself: "DiffEdit: Diffusion-based semantic image editing with mask guidance" (Couairon, 2022) guesses its mask
before.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST = 0.15  # brings all but weather closer to what it should be, weather within 0.001: docs/editing.md
AROUND, SEAM, SIDE = 1.0, 0.7, 64  # standard deviations in pixels of a picture of that side


def settled(drawn: Tensor, still: Tensor, least: float = LEAST) -> Tensor:
    """Return what was drawn where it changed, and elsewhere what the model makes of the picture when nothing changes.

    Args:
        drawn: (B, C, H, W) in [-1, 1].
        still: (B, C, H, W), the picture as the model's coder gives it back; of a model over pixels, the picture.
        least: mean change around a place, as a share of the range, from which it counts; 0: everything does.

    >>> import torch
    >>> still = torch.zeros(1, 3, 64, 64)
    >>> drawn = still + 0.1
    >>> drawn[..., :32, :] = 1
    >>> [round(float(x), 1) for x in settled(drawn, still)[0, 0, ::21, 0]]
    [1.0, 1.0, 0.0, 0.0]
    """
    if not least:
        return drawn
    scale = max(drawn.shape[2:]) / SIDE
    change = (drawn - still).float().abs().mean(1, keepdim=True) / 2
    share = _blurred((_blurred(change, AROUND * scale) > least).float(), SEAM * scale)
    return still + share.to(drawn) * (drawn - still)


def _blurred(planes: Tensor, sigma: float) -> Tensor:
    """Return planes (B, 1, H, W) under a Gaussian, one direction after the other."""
    reach = math.ceil(3 * sigma)
    at = torch.arange(-reach, reach + 1).to(planes)
    kernel = (-at.square() / (2 * sigma**2)).exp()
    kernel = kernel / kernel.sum()
    for shape, pad in (((1, 1, 1, -1), (reach, reach, 0, 0)), ((1, 1, -1, 1), (0, 0, reach, reach))):
        planes = F.conv2d(F.pad(planes, pad, mode="replicate"), kernel.view(shape))
    return planes
