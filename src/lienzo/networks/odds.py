r"""A monotone map of single values with several bends: the log odds of a mixture of logistics.

y = log F(x) − log(1 − F(x)),  F(x) = Σ_k π_k σ((x − μ_k) e^(−s_k)).

With one component it is affine. "Flow++" (Ho et al., 2019), eqs. 13 to 15.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

HALVINGS = 26  # of an interval on the way back: float32 tells no more apart; Newton's step does the rest
PARTS = 3  # numbers a component: log π, μ, s
BOUND = 5.0  # of |s|
SPREAD = 1.5  # of the first means: equal components would learn the same


def first(components: int, values: int) -> Tensor:
    """Return the raw numbers to start from, (PARTS · K · values,): equal weights and scales, means side by side."""
    raw = torch.zeros(PARTS, components, values)
    raw[1] = torch.linspace(-SPREAD, SPREAD, components)[:, None]
    return raw.flatten()


def odds(x: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Return y and log ∂y/∂x, both (B, C, h, w), of x (B, C, h, w); raw is (B, PARTS · K · C, h, w)."""
    log_pi, mean, s = _parts(raw, x)
    z = (x[:, None] - mean) * torch.exp(-s)
    up, down = F.logsigmoid(z), F.logsigmoid(-z)
    below, above = torch.logsumexp(log_pi + up, 1), torch.logsumexp(log_pi + down, 1)
    density = torch.logsumexp(log_pi + up + down - s, 1)
    return below - above, density - below - above


def value(y: Tensor, raw: Tensor) -> Tensor:
    """Return x with these log odds.

    A quantile of a mixture lies between the least and the greatest of its components', μ_k + e^(s_k) y: that interval
    is halved. One step of Newton's after that has the derivatives by y and raw.
    """
    with torch.no_grad():
        x = _halved(y, *_parts(raw, y))
    found, log_slope = odds(x, raw)
    return x - (found - y) * torch.exp(-log_slope.detach())


def _halved(y: Tensor, log_pi: Tensor, mean: Tensor, s: Tensor) -> Tensor:
    """Return about x, by the smaller of F and 1 − F, which has all digits: Σ_k π_k σ(±(x − μ_k) e^(−s_k))."""
    ends = mean + s.exp() * y[:, None]
    low, high = ends.amin(1), ends.amax(1)
    side = torch.where(y > 0, -1.0, 1.0).to(y.dtype)
    pi, slope, goal = log_pi.exp(), side[:, None] * torch.exp(-s), torch.sigmoid(side * y)
    start = slope * mean
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        share = (pi * torch.sigmoid(slope * middle[:, None] - start)).sum(1)
        less = (share < goal) ^ (y > 0)
        low, high = torch.where(less, middle, low), torch.where(less, high, middle)
    return (low + high) / 2


def _parts(raw: Tensor, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return log π, μ and s, each (B, K, C, h, w), in float32 at least."""
    wide = raw.to(torch.promote_types(raw.dtype, torch.float32))
    logits, mean, s = wide.unflatten(1, (PARTS, -1, like.shape[1])).unbind(1)
    return torch.log_softmax(logits, 1), mean, BOUND * torch.tanh(s / BOUND)
