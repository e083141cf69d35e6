"""A thing on paper, cut out: what was mixed with the paper is mixed with the picture below."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lienzo.editing.cutting import laid_over, opacity, paper_of


def disc(radius: float, soft: float = 1.5) -> Tensor:
    """Return the opacity of a disc with a soft rim, (1, 1, 32, 32)."""
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    return ((radius - ((x - 15.5) ** 2 + (y - 15.5) ** 2).sqrt()) / soft + 0.5).clamp(0, 1)[None, None]


@pytest.mark.parametrize("paper", [1.0, -0.9])
def test_what_lay_on_paper_lies_on_the_picture(paper: float) -> None:
    red = torch.tensor([0.8, -0.7, -0.6]).view(1, 3, 1, 1)
    share, below = disc(10), torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    laid = laid_over(share * red + (1 - share) * paper, below)
    assert (laid - (share * red + (1 - share) * below)).abs().max() < 0.2  # where a faint rim is taken for paper
    assert (laid - (share * red + (1 - share) * below)).abs().mean() < 0.004
    outside = disc(13) == 0
    assert torch.equal(laid[outside.expand_as(laid)], below[outside.expand_as(below)])


def test_white_inside_of_a_thing_stays_and_white_at_the_edge_goes() -> None:
    ring = (disc(12) - disc(6)).clamp(0, 1)
    found = opacity(ring * -1.0 + (1 - ring), torch.ones(1, 1, 1, 1))
    assert found[0, 0, 15, 15] == 1
    assert found[0, 0, 0, 0] == 0
    half = torch.ones(1, 1, 8, 8)
    half[..., 4:] = -1
    assert opacity(half, torch.ones(1, 1, 1, 1))[0, 0, 3].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_the_paper_is_what_most_of_the_edge_is() -> None:
    x = torch.full((2, 3, 8, 8), 0.5)
    x[1] = -1
    x[:, :, 2:, 3] = 0.0  # a foot that stands on the edge
    assert paper_of(x)[:, 0, 0, 0].tolist() == [0.5, -1]
