r"""From 8-bit pictures to continuous ones: x = k/127.5 − 1 → v = x + (u − ½)/127.5, u in (0, 1) by value.

With q(u | x), E_q [log p(v) − log q(u | x)] − D log 127.5 ≤ log P(k). "Uniform" has q = 1 ("A note on the evaluation
of generative models", Theis, 2016); "variational" learns q as a flow ("Flow++", Ho et al., 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.networks.bijections import log_normal
from lienzo.networks.coupling import Glow

LEVELS = 127.5  # steps of 8 bits a unit of x


def filled(x: Tensor, u: Tensor) -> Tensor:
    """Return v = x + (u − ½)/127.5, x first rounded to 8 bits, u in [0, 1]."""
    return (((x + 1) * LEVELS).round().clamp(0, 255) + u - 0.5) / LEVELS - 1


class Dequantizer(nn.Module):
    """q(u | x): u = sigmoid(f(ε; x)), f a coupling flow of one level that hears the picture as a map.

    Args:
        shape: (C, H, W).
        width: channels of the coupling networks.
        depth: steps.
        bound: of the log-scales.
    """

    def __init__(self, shape: tuple[int, int, int], width: int = 32, depth: int = 2, bound: float = 2.0) -> None:
        super().__init__()
        self.flow = Glow(shape, Sizes(maps=4 * shape[0]), width, depth, 1, 1, bound)

    def forward(self, x: Tensor, noise: Tensor, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return u (B, C, H, W) in (0, 1) and log q(u | x), (B,), from ε ~ N(0, I)."""
        y, change = self.flow(noise, Channels(maps=F.pixel_unshuffle(x, 2)), measure)
        slope = F.logsigmoid(y) + F.logsigmoid(-y)
        return torch.sigmoid(y), log_normal(noise) - change - slope.flatten(1).sum(1)

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the networks that do the work."""
        return self.flow.fusible()
