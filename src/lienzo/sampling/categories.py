"""One of K, drawn from logits by a number of the sample's own stream."""

from __future__ import annotations

import torch
from torch import Tensor

from lienzo.core import ConfigurationError


def tempered(logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None) -> Tensor:
    """Return the probabilities (…, K), float64, of logits (…, K) made bolder.

    Args:
        logits: of any scale.
        temperature: what logits are divided by; 0 takes the likeliest.
        top_k: how many of the likeliest remain.
        top_p: the likeliest remain that together have just this probability ("The Curious Case of Neural Text
            Degeneration", Holtzman, 2020).

    Raises:
        ConfigurationError: for a temperature below 0, a `top_k` below 1 or a `top_p` outside (0, 1].

    >>> tempered(torch.tensor([0.0, 1.0, 2.0]), top_k=1)
    tensor([0., 0., 1.], dtype=torch.float64)
    """
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise ConfigurationError(f"cannot draw with temperature {temperature}, top_k {top_k} and top_p {top_p}",
                                 hint="temperature ≥ 0, top_k ≥ 1, 0 < top_p ≤ 1")  # fmt: skip
    wide = logits.double()
    if temperature == 0:
        wide, top_k = wide - wide.amax(-1, keepdim=True), 1
    else:
        wide = wide / temperature
    order = wide.argsort(dim=-1, descending=True, stable=True)
    p = wide.softmax(-1).gather(-1, order)
    if top_k is not None:
        p = torch.where(torch.arange(p.shape[-1], device=p.device) < top_k, p, 0)
    if top_p is not None:
        p = p / p.sum(-1, keepdim=True)
        p = torch.where(p.cumsum(-1) - p < top_p, p, 0)
    p = torch.zeros_like(p).scatter(-1, order, p)
    return p / p.sum(-1, keepdim=True)


def drawn(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """Return numbers (…) int64 with these probabilities (…, K), from uniforms (…) in [0, 1): the inverse of their sum.

    >>> drawn(torch.tensor([0.5, 0.0, 0.5]), torch.tensor(0.7))
    tensor(2)
    """
    sums = probabilities.double().cumsum(-1)
    number = (uniforms.double()[..., None] * sums[..., -1:] >= sums).sum(-1)
    last = probabilities.shape[-1] - 1 - (probabilities.flip(-1) > 0).int().argmax(-1)  # rounding may go past it
    return torch.minimum(number, last)
