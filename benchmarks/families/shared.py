"""What the peers share: 8-bit values with uniform noise one level wide, and weights as they are kept."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def dequantized(pictures: Tensor) -> Tensor:
    """Return (level + u) / 256 of pictures in [-1, 1]; log p of that plus 8 bits a value is that of the picture."""
    levels = ((pictures + 1) * 127.5).round()
    return (levels + torch.rand_like(levels)) / 256


def kept(model: nn.Module) -> dict[str, Tensor]:
    """Return a model's weights, none of which shares its memory with another."""
    return {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
