"""Paths between the codes of two pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lienzo.core import Conditions, ConfigurationError, Encodes


def linear(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return (1 − s) z₁ + s z₂ of codes (B, …)."""
    return torch.lerp(first, second, share)


def spherical(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return the code at the share s of the great arc between codes (B, …), its length changing in proportion.

    Codes of N(0, I) lie near a sphere, which a straight line leaves. "Animating Rotation with Quaternion Curves"
    (Shoemake, 1985); for codes "Sampling Generative Networks" (White, 2016).

    >>> round(float(spherical(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5).norm()), 4)
    1.0
    """
    rows = (-1, *[1] * (first.ndim - 1))
    lengths = [z.flatten(1).norm(dim=1).clamp_min(1e-12).view(rows) for z in (first, second)]
    a, b = first / lengths[0], second / lengths[1]
    angle = (a * b).flatten(1).sum(1).clamp(-1, 1).acos().view(rows)
    sine = angle.sin()
    arc = (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / sine.clamp_min(1e-6)
    straight = torch.lerp(a, b, share)  # where both point the same way, or against each other and no arc is shortest
    return torch.where(sine > 1e-4, arc, straight) * torch.lerp(lengths[0], lengths[1], share)


PATHS: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {"linear": linear, "spherical": spherical}


@torch.no_grad()
def interpolate(
    coder: Encodes,
    first: Tensor,
    second: Tensor,
    steps: int = 8,
    path: str = "spherical",
    conditions: Conditions | None = None,
) -> Tensor:
    """Return the pictures on the way from `first` to `second`, (B, steps, C, H, W), both ends coded and decoded too.

    Args:
        coder: a family that encodes.
        first: where it begins, (B, C, H, W).
        second: where it ends.
        steps: how many pictures, two at least.
        path: a name in `PATHS`.
        conditions: what is said of all of them, B rows.

    Raises:
        ConfigurationError: for an unknown path or fewer than two steps.
    """
    if path not in PATHS:
        raise ConfigurationError(f"unknown path {path!r}", hint=f"one of {', '.join(PATHS)}")
    if steps < 2:
        raise ConfigurationError(f"{steps} steps from one picture to another", hint="two at least: both ends count")
    a, b = coder.encode(first, conditions), coder.encode(second, conditions)
    codes = [PATHS[path](a, b, number / (steps - 1)) for number in range(steps)]
    return torch.stack([coder.decode(z, conditions) for z in codes], 1)
