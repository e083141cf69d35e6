r"""Lower bounds of log p(x) = log ∫ p(x | z) p(z) dz from codes drawn from q(z | x).

    E log w ≤ E log (1/K) Σ_k w_k ≤ log p(x),    w = p(x | z) p(z) / q(z | x),

the first the evidence bound ("Auto-Encoding Variational Bayes", Kingma & Welling, 2014), the second that of
"Importance Weighted Autoencoders" (Burda, Grosse & Salakhutdinov, 2016), which rises with K to log p(x).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def kl_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, e^log_variance) ‖ N(0, 1)) of every value."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)


def log_normal(z: Tensor, mean: Tensor | float = 0.0, log_variance: Tensor | float = 0.0) -> Tensor:
    """Return log N(z; mean, e^log_variance) of every value."""
    log_variance = torch.as_tensor(log_variance, dtype=z.dtype, device=z.device)
    return -0.5 * ((z - mean) ** 2 * (-log_variance).exp() + log_variance + math.log(2 * math.pi))


def importance(log_weight: Callable[[], Tensor], samples: int) -> Tensor:
    """Return log (1/K) Σ_k w_k, (B,), of K weights drawn one after another, so that memory does not grow with K.

    Args:
        log_weight: draws log w, (B,), anew with every call.
        samples: K.
    """
    total = log_weight()
    for _ in range(samples - 1):
        total = torch.logaddexp(total, log_weight())
    return total - math.log(samples)


class WarmUp(nn.Module):
    """The share of β that counts by now: images seen in training over `images`, at most 1.

    A family is not told how many images it has seen, so they are counted in a buffer, saved with the state. Every
    process of several counts its own share, so that the rise then takes as many times as many images.

    Args:
        images: over which the share rises from zero; 0 for 1 at once, and no buffer.

    >>> warm = WarmUp(8)
    >>> [float(warm(4)) for _ in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images
        if images:
            self.register_buffer("seen", torch.zeros(()))

    def forward(self, count: int) -> Tensor | float:
        """Return the share before these `count` images; in training, count them."""
        if not self.images:
            return 1.0
        seen = self.get_buffer("seen")
        share = seen / self.images  # a new tensor: what is added below does not change it
        if self.training:
            seen.add_(count).clamp_(max=self.images)
        return share
