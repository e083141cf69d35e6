"""`normflows`: the class-conditional Glow of its example, at this size: two levels, squeezed to 14 and 7 pixels."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import normflows as nf
import torch
from benchmarks.families.shared import dequantized, kept
from benchmarks.fashion.contest import CLASSES, Choice, Clock, fit
from safetensors.torch import load_file, save_file
from torch import Tensor


class Glow:
    """Of a choice, `width` is the hidden width of a coupling, `depth` how many blocks a level has."""

    CHOICES = tuple(
        Choice(batch, lr, width, depth)
        for batch, lr in ((64, 1e-3), (32, 1e-3), (64, 2e-3), (128, 1e-3))
        for width, depth in ((64, 8), (128, 8), (256, 16))
    )
    measures = "bits"

    def __init__(self, choice: Choice) -> None:
        self.choice, torch_seed = choice, 0
        torch.manual_seed(torch_seed)
        levels, bases, flows, merges = 2, list[Any](), list[Any](), list[Any]()
        for level in range(levels):
            channels = 2 ** (levels + 1 - level)
            blocks = [nf.flows.GlowBlock(channels, choice.width, split_mode="channel", scale=True)
                      for _ in range(choice.depth)]  # fmt: skip
            flows.append([*blocks, nf.flows.Squeeze()])
            side = 28 // 2 ** (levels - level)
            if level > 0:
                merges.append(nf.flows.Merge())
            shape = (channels // 2 if level > 0 else channels, side, side)
            bases.append(nf.distributions.ClassCondDiagGaussian(shape, CLASSES))
        self.model = nf.MultiscaleFlow(bases, flows, merges, transform=nf.transforms.Logit(0.05))
        self.parameters = sum(p.numel() for p in self.model.parameters())

    def train(self, x: Tensor, y: Tensor, clock: Clock, folder: Path) -> dict[str, Any]:
        def loss(pictures: Tensor, classes: Tensor) -> Tensor:
            return self.model.forward_kld(dequantized(pictures), classes) / pictures[0].numel()

        with torch.no_grad():  # its activation norms start from a batch
            loss(x[:256].float() / 127.5 - 1, y[:256])
        told = fit(self.model, loss, lambda: None, x, y, clock, self.choice, betas=(0.9, 0.999))
        save_file(kept(self.model), folder / "weights.safetensors")
        return told

    def load(self, folder: Path) -> None:
        state = load_file(folder / "weights.safetensors")
        self.model.load_state_dict(state)

    @torch.no_grad()
    def bits(self, x: Tensor, y: Tensor, seed: int) -> list[float]:
        """Bits/dim of each picture of x (N, 1, 28, 28) uint8, dequantized once."""
        self.model.eval()
        torch.manual_seed(seed)
        found = self.model.log_prob(dequantized(x.float() / 127.5 - 1), y)
        return (-found.double() / math.log(2) / x[0].numel() + 8).tolist()
