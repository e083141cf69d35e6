"""`zuko`: its neural spline flow over the 784 values, told the class, after a logit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import zuko
from benchmarks.families.shared import dequantized, kept
from benchmarks.fashion.contest import CLASSES, Choice, Clock, fit
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

ALPHA = 0.05  # of the logit, as in the papers


class Nsf:
    """Of a choice, `width` is the hidden width of each transform's net, `depth` how many transforms."""

    CHOICES = tuple(
        Choice(batch, lr, width, depth)
        for batch, lr in ((128, 1e-3), (64, 1e-3), (128, 4e-4))
        for width, depth in ((512, 3), (1024, 3))
    )
    measures = "bits"

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        torch.manual_seed(0)
        self.model = zuko.flows.NSF(784, CLASSES, transforms=choice.depth, hidden_features=(choice.width,) * 2)
        self.parameters = sum(p.numel() for p in self.model.parameters())

    def _log_prob(self, pictures: Tensor, classes: Tensor) -> Tensor:
        """Log p of values on [0, 1] (B, 784) by way of their logits."""
        squeezed = ALPHA + (1 - 2 * ALPHA) * dequantized(pictures).flatten(1)
        logits = squeezed.logit()
        jacobian = math.log(1 - 2 * ALPHA) - squeezed.log() - (1 - squeezed).log()
        told = F.one_hot(classes, CLASSES).float()
        return self.model(told).log_prob(logits / 2) + (jacobian - math.log(2)).sum(1)  # splines act on [-5, 5]

    def train(self, x: Tensor, y: Tensor, clock: Clock, folder: Path) -> dict[str, Any]:
        def loss(pictures: Tensor, classes: Tensor) -> Tensor:
            return -self._log_prob(pictures, classes).mean() / 784

        told = fit(self.model, loss, lambda: None, x, y, clock, self.choice, betas=(0.9, 0.999))
        save_file(kept(self.model), folder / "weights.safetensors")
        return told

    def load(self, folder: Path) -> None:
        self.model.load_state_dict(load_file(folder / "weights.safetensors"))

    @torch.no_grad()
    def bits(self, x: Tensor, y: Tensor, seed: int) -> list[float]:
        """Bits/dim of each picture of x (N, 1, 28, 28) uint8, dequantized once."""
        torch.manual_seed(seed)
        found = self._log_prob(x.float() / 127.5 - 1, y)
        return (-found.double() / math.log(2) / 784 + 8).tolist()
