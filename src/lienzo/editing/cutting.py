"""A thing that was drawn on plain paper, cut out and laid over a picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ALIKE = 0.12  # of the range: what differs less from the paper, and is joined to it, is paper
RIM = 2  # pixels beside the paper that are a mixture of paper and thing


def laid_over(drawn: Tensor, below: Tensor) -> Tensor:
    r"""Return pictures with things laid over them: x = d + (1 − a)(b − p), d = a f + (1 − a) p.

    The colour f of the thing is nowhere needed: what the paper p gave to the rim is exchanged for the picture below.

    Args:
        drawn: d, (B, C, H, W) in [-1, 1], things on paper of one colour.
        below: b, (B, C, H, W) in [-1, 1].
    """
    paper = paper_of(drawn)
    return (drawn + (1 - opacity(drawn, paper)) * (below - paper)).clamp(-1, 1)


def paper_of(drawn: Tensor) -> Tensor:
    """Return the colour of the paper, (B, C, 1, 1): the median of the edge's pixels."""
    edge = torch.cat([drawn[:, :, 0], drawn[:, :, -1], drawn[:, :, :, 0], drawn[:, :, :, -1]], 2)
    return edge.median(2).values[:, :, None, None]


def opacity(drawn: Tensor, paper: Tensor) -> Tensor:
    """Return how opaque each pixel is, (B, 1, H, W): 0 on the paper, 1 in the thing, a share on its rim.

    Paper is what is like it and joined to the edge by such pixels: what is white inside of a thing stays. A pixel of
    the rim is as opaque as it differs from the paper, against the pixel around it that differs most.
    """
    far = (drawn - paper).abs().amax(1, keepdim=True) / 2
    like = (far < ALIKE).to(drawn.dtype)
    ground = torch.zeros_like(like)
    ground[:, :, [0, -1]], ground[:, :, :, [0, -1]] = like[:, :, [0, -1]], like[:, :, :, [0, -1]]
    while True:
        grown = _widest(ground, 1) * like
        if torch.equal(grown, ground):
            break
        ground = grown
    share = (far / _widest(far, RIM).clamp_min(ALIKE)).clamp(max=1)
    rim = _widest(ground, RIM)
    return (1 - ground) * (rim * share + 1 - rim)


def _widest(x: Tensor, reach: int) -> Tensor:
    return F.max_pool2d(x, 2 * reach + 1, 1, reach)
