"""A small classifier on features, trained in seconds: the same data give the same classifier."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

STEPS, RATE, DECAY = 200, 1e-2, 1e-3
ROWS = 1024  # of a step


def trained(x: Tensor, labels: Tensor, classes: int, *, hidden: int = 0, seed: int = 0) -> Callable[[Tensor], Tensor]:
    """Train a classifier, and return what gives its logits (M, classes) of features (M, D).

    Args:
        x: (N, D); brought to mean 0 and variance 1 by column.
        labels: (N,), from 0.
        classes: how many.
        hidden: width of a layer between; 0 is logistic regression.
        seed: of the weights and of the order.
    """
    generator = torch.Generator().manual_seed(seed)
    mean, scale = x.mean(0), x.std(0).clamp_min(1e-6)
    widths = [x.shape[1], hidden, classes] if hidden else [x.shape[1], classes]
    weights = [_weight(i, o, generator) for i, o in pairwise(widths)]
    biases = [torch.zeros(width, requires_grad=True) for width in widths[1:]]

    def logits(features: Tensor) -> Tensor:
        h = (features - mean) / scale
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            h = F.linear(F.gelu(h) if layer else h, weight, bias)
        return h

    optimiser = torch.optim.AdamW([*weights, *biases], RATE, weight_decay=DECAY)
    calm = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    with torch.enable_grad():
        for _ in range(STEPS):
            rows = torch.randint(len(x), (min(ROWS, len(x)),), generator=generator)
            optimiser.zero_grad()
            F.cross_entropy(logits(x[rows]), labels[rows]).backward()
            optimiser.step()
            calm.step()
    for parameter in (*weights, *biases):
        parameter.requires_grad_(False)
    return logits


def _weight(inside: int, outside: int, generator: torch.Generator) -> Tensor:
    return (torch.randn(outside, inside, generator=generator) / inside**0.5).requires_grad_()
