"""Transparent pictures → pictures on paper: white, nearly black, or of any colour."""

from __future__ import annotations

import torch
from torch import Tensor

from lienzo.core.errors import ConfigurationError
from lienzo.data.dataset import BACKGROUNDS

WHITE, DARK, COLOUR = range(len(BACKGROUNDS))
MIXED_WHITE, MIXED_DARK = 1 / 2, 1 / 8  # shares of a mixed background; the rest is coloured
NEAR_BLACK = 0.1  # the brightest channel of a dark background, of 1
CHOICES = (*BACKGROUNDS, "mixed")


def check_background(name: str) -> str:
    """Return `name`, or say which backgrounds there are.

    Raises:
        ConfigurationError: for any other name.
    """
    if name not in CHOICES:
        raise ConfigurationError(f"no background {name!r}", hint=f"one of {', '.join(CHOICES)}")
    return name


def papers(name: str, draws: Tensor) -> tuple[list[str], Tensor]:
    """Choose a background for each row.

    Args:
        name: "white", "dark", "colour", or "mixed": white for half of the rows, dark for an eighth, else coloured.
        draws: (B, 4) in [0, 1), from the rows' own streams.

    Returns:
        What each is called, and its colour (B, 3) in [0, 1].
    """
    if name == "mixed":
        which = (draws[:, 0] >= MIXED_WHITE).long() + (draws[:, 0] >= MIXED_WHITE + MIXED_DARK).long()
    else:
        which = torch.full((len(draws),), BACKGROUNDS.index(name))
    colour = draws[:, 1:4]
    colour = torch.where((which == WHITE)[:, None], torch.ones(()), colour)
    colour = torch.where((which == DARK)[:, None], colour * NEAR_BLACK, colour)
    return [BACKGROUNDS[w] for w in which.tolist()], colour


def laid(planes: Tensor, paper: Tensor) -> Tensor:
    """Lay pictures on paper: x = a·rgb + (1 − a)·paper.

    Args:
        planes: (B, 4, H, W) uint8, RGBA.
        paper: (B, 3) in [0, 1].

    Returns:
        (B, 3, H, W) in [-1, 1].
    """
    below = (paper * 2 - 1)[:, :, None, None]
    alpha = torch.div(planes[:, 3:], 255)
    return torch.div(planes[:, :3], 127.5).sub_(1 + below).mul_(alpha).add_(below)


def opaque(planes: Tensor) -> Tensor:
    """(B, C, H, W) uint8 → [-1, 1]."""
    return torch.div(planes, 127.5).sub_(1)
