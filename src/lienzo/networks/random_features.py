r"""Features of a network that was never trained: what is alike in them is alike in its edges and textures."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (16, 32, 64)


class RandomFeatures(nn.Module):
    r"""d(x, y) = mean over scales of ‖φ_l(x) − φ_l(y)‖² a place, φ_l at unit length over its channels.

    φ is a convolutional network with fixed orthogonal weights, halving the grid from scale to scale: no weights have to
    be fetched, none is in a checkpoint. That such features judge pictures by more than single pixels is found in "A
    Generic Perceptual Loss for Modeling Structured Output Dependencies" (Liu, 2021); the lengths are those of "The
    Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (Zhang, 2018).

    Args:
        channels: C of the pictures.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)  # the same features in every process and version of a model
        for number, (inside, outside) in enumerate(zip((channels, *WIDTHS[:-1]), WIDTHS, strict=True)):
            weight = torch.randn(outside, inside * 9, generator=generator)
            nn.init.orthogonal_(weight, gain=2**0.5, generator=generator)
            self.register_buffer(f"weight{number}", weight.view(outside, inside, 3, 3), persistent=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return d(x, y), (), of pictures (B, C, H, W)."""
        total = x.new_zeros(())
        for number in range(len(WIDTHS)):
            weight = self.get_buffer(f"weight{number}")
            x, y = (F.relu(F.conv2d(h.to(weight), weight, padding=1)) for h in (x, y))
            total = total + (_unit(x) - _unit(y)).square().sum(1).mean() / len(WIDTHS)
            x, y = (F.avg_pool2d(h, 2) if min(h.shape[2:]) > 1 else h for h in (x, y))
        return total


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True) + 1e-6).sqrt()
