"""Between pictures: interpolation, attribute directions, one picture's form with another's surface."""

from __future__ import annotations

import torch
from torch import Tensor

from lienzo.core import CapabilityError, Conditions, ConfigurationError, Denoises, Encodes, Family, require
from lienzo.editing.inversion import inverted, regenerated
from lienzo.editing.redrawing import Walk
from lienzo.editing.space import Space, space_of, stacked
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.sampling.interpolate import interpolate, spherical

STRAIGHT = (StyleGAN, VectorQuantized)  # whose codes are no draws of N(0, I)


def between(family: Family, first: Tensor, second: Tensor, steps: int, conditions: Conditions, *, walk: Walk) -> Tensor:
    """Return the pictures on the way from one to another, (B, steps, C, H, W), both ends decoded too.

    A family that denoises goes through the noise of the inversion, on the sphere; one that encodes, through its codes:
    on the sphere where these are draws of N(0, I), else straight.

    Args:
        family: that denoises or encodes.
        first: where it begins, (B, C, H, W) in [-1, 1].
        second: where it ends.
        steps: how many pictures, two at least.
        conditions: what is said of all, B rows.
        walk: of a family that denoises; its guidance is not used.

    Raises:
        ConfigurationError: for fewer than two steps.
        CapabilityError: for a family that can do neither.
    """
    if steps < 2:
        raise ConfigurationError(f"{steps} pictures from one to another", hint="two at least: both ends count")
    inner = family.inner if isinstance(family, Latent) else family
    if not isinstance(inner, Denoises):
        path = "linear" if isinstance(family, STRAIGHT) else "spherical"
        return interpolate(require(family, Encodes), first, second, steps, path, conditions)
    return through_noise(space_of(family), first, second, steps, conditions, walk=walk)


@torch.no_grad()
def through_noise(
    space: Space, first: Tensor, second: Tensor, steps: int, conditions: Conditions, *, walk: Walk
) -> Tensor:
    """Return the pictures between two through the noise of their inversions; see `between`."""
    plain, count = Walk(walk.steps), len(first)
    both = inverted(space, torch.cat([first, second]), stacked([conditions] * 2), walk=plain)
    a, b = both[:count], both[count:]
    shares = [number / (steps - 1) for number in range(steps)]
    states = torch.cat([spherical(a, b, share) for share in shares])
    every = regenerated(space, states, stacked([conditions] * steps), walk=plain)
    return torch.stack(every.split(count), 1)


@torch.no_grad()
def direction(coder: Encodes, having: Tensor, lacking: Tensor, conditions: Conditions | None = None) -> Tensor:
    """Return the difference of mean codes of pictures that have an attribute and of pictures that lack it.

    "Autoencoding beyond pixels using a learned similarity metric" (Larsen, 2016), section 4.1.

    Args:
        coder: a family that encodes.
        having: pictures with it, (B, C, H, W).
        lacking: pictures without.
        conditions: what is said of both; None: nothing.
    """
    means = [torch.cat([coder.encode(part, conditions) for part in x.split(16)]).mean(0) for x in (having, lacking)]
    return means[0] - means[1]


@torch.no_grad()
def moved(
    coder: Encodes, x: Tensor, along: Tensor, amount: float = 1.0, conditions: Conditions | None = None
) -> Tensor:
    """Return the pictures of codes moved by `amount` along a direction: 0 gives x as its coder keeps it."""
    return coder.decode(coder.encode(x, conditions) + amount * along, conditions).clamp(-1, 1)


@torch.no_grad()
def mixed(family: Family, own: Tensor, other: Tensor, take: tuple[str, ...] = ("fine",)) -> Tensor:
    """Return pictures `own` with the styles of `other` at some layers of a style GAN, each projected first.

    Args:
        family: a style GAN.
        own: (B, C, H, W).
        other: (B, C, H, W).
        take: which of "coarse", "middle", "fine" are the other's.

    Raises:
        CapabilityError: for another family.
    """
    if not isinstance(family, StyleGAN):
        raise CapabilityError(f"{type(family).__name__} has no styles by layer", hint="a family that has: style_gan")
    w = family.mixed(family.encode(own), family.encode(other), take)
    return family.decode(w).clamp(-1, 1)
