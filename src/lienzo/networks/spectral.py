r"""The largest singular values of a network's matrices and kernels, by power iteration."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

KERNELS = (nn.Conv2d, nn.Linear)
FIRST, EACH = 10, 2  # iterations at the first call and at those that follow


class Spectral(nn.Module):
    r"""Σ_l s_l, s_l = max ‖W_l v‖ over ‖v‖ = 1, W_l the weight of layer l as a matrix of a row an output.

    v_l is kept from call to call, so that few iterations follow it while W_l changes little. The gradient is that of
    uᵀ W v at fixed u and v. "NVAE: A Deep Hierarchical Variational Autoencoder" (Vahdat & Kautz, 2020), section 3.2.

    Args:
        weights: of the layers, as `kernels` lists them; only their sizes are read.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)  # of directions that the iterations forget
        for number, weight in enumerate(weights):
            v = torch.randn(weight[0].numel(), generator=generator)
            self.register_buffer(f"v{number}", v / v.norm())
        self.register_buffer("begun", torch.zeros(()))

    def forward(self, weights: Iterable[Tensor]) -> Tensor:
        """Return Σ s_l, (), of the weights as they are now; in training it remembers the directions."""
        count = EACH if bool(self.get_buffer("begun")) else FIRST
        total = list[Tensor]()
        for number, weight in enumerate(weights):
            kept, matrix = self.get_buffer(f"v{number}"), weight.flatten(1).float()
            with torch.autocast(weight.device.type, enabled=False):
                u, v = iterated(matrix.detach(), kept, count)
                total.append(u @ matrix @ v)
            if self.training:
                kept.copy_(v)
        if self.training:
            self.get_buffer("begun").fill_(1)
        return torch.stack(total).sum()


def iterated(matrix: Tensor, v: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the left and the right singular vector, about, after `count` iterations from v."""
    u = torch.nn.functional.normalize(matrix @ v, dim=0)
    for _ in range(count):
        v = torch.nn.functional.normalize(u @ matrix, dim=0)
        u = torch.nn.functional.normalize(matrix @ v, dim=0)
    return u, v


def kernels(network: nn.Module) -> list[Tensor]:
    """Return the weights of a network's convolutions and linear layers."""
    return [m.weight for m in network.modules() if isinstance(m, KERNELS)]
