"""A picture's code, decoded under other words: what inversion is to a family that encodes."""

from __future__ import annotations

import torch
from torch import Tensor

from lienzo.core import Conditions, Encodes, Family, Streams, require
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN

DRAWS = 64  # of styles, for a mean


@torch.no_grad()
def recoded(family: Family, x: Tensor, was: Conditions, said: Conditions) -> Tensor:
    """Return the pictures of codes that were found under some words and are decoded under others, (B, C, H, W).

    A code holds what the words did not say. A style GAN hears words before its styles, not after: there the styles
    that are close to x (an optimisation) are moved by the difference of the mean styles under either words.

    Args:
        family: that encodes, or one over codes whose inner family does.
        x: (B, C, H, W) in [-1, 1].
        was: what x shows, B rows.
        said: what it shall show, B rows.

    Raises:
        CapabilityError: for another family.
    """
    outer = family if isinstance(family, Latent) else None
    inner = family if outer is None else outer.inner
    coder = require(inner, Encodes)
    code = coder.encode(x if outer is None else outer.encode(x), was)
    if isinstance(inner, StyleGAN):
        code = code + _moved(inner, was, said)
    y = coder.decode(code, said)
    return (y if outer is None else outer.decode(y)).clamp(-1, 1)


def _moved(family: StyleGAN, was: Conditions, said: Conditions) -> Tensor:
    """Return the difference of mean styles (B, L, D): those of the words said, less those of what was."""

    def mean(conditions: Conditions, row: int) -> Tensor:
        rows = conditions.rows(torch.full((DRAWS,), row))
        return family.styles(rows, streams=Streams(0, range(DRAWS), name="styles")).mean(0)

    return torch.stack([mean(said, row) - mean(was, row) for row in range(said.count)])
