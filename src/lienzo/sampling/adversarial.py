r"""What critic and generator minimise: a table of contests, and the gradient penalties on a critic's slopes.

With D the critic's value, r a real picture, f a drawn one:

| row | critic | generator | penalties |
|---|---|---|---|
| non-saturating | ς(−D(r)) + ς(D(f)) | ς(−D(f)) | R1 |
| hinge | (1 − D(r))₊ + (1 + D(f))₊ | −D(f) | R1 |
| wasserstein-gp | D(f) − D(r) | −D(f) | E(‖∇D(x̂)‖ − 1)² |
| relativistic | ς(D(f) − D(r)) | ς(D(r) − D(f)) | R1 and R2 |

ς is softplus; R1 and R2 are γ/2 E‖∇D‖² at real and at drawn pictures.

"Generative Adversarial Nets" (Goodfellow, 2014) with "Which Training Methods for GANs do actually Converge?"
(Mescheder, 2018); "Geometric GAN" (Lim & Ye, 2017); "Improved Training of Wasserstein GANs" (Gulrajani, 2017);
"The relativistic discriminator" (Jolicoeur-Martineau, 2018) as in "The GAN is dead; long live the GAN!" (Huang, 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Values = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Contest:
    """A row: functions of the values (B,) of real and drawn pictures, paired row by row, to losses (B,).

    Attributes:
        critic, generator: what each minimises.
        margin: above zero where the critic is right about a real picture; what its overfitting is seen by.
        paired: whether the generator's loss depends on real pictures.
        r1, r2: usual γ of the zero-centred penalties.
        slope: usual weight of the one-centred penalty between real and drawn pictures.
    """

    critic: Values
    generator: Values
    margin: Values
    paired: bool = False
    r1: float = 0.0
    r2: float = 0.0
    slope: float = 0.0


def _real(real: Tensor, fake: Tensor) -> Tensor:
    return real


def _difference(real: Tensor, fake: Tensor) -> Tensor:
    return real - fake


CONTESTS: dict[str, Contest] = {
    "non-saturating": Contest(
        lambda real, fake: F.softplus(-real) + F.softplus(fake), lambda real, fake: F.softplus(-fake), _real, r1=0.5
    ),
    "hinge": Contest(
        lambda real, fake: F.relu(1 - real) + F.relu(1 + fake), lambda real, fake: -fake, _real, r1=0.5
    ),
    "wasserstein-gp": Contest(
        lambda real, fake: fake - real, lambda real, fake: -fake, _difference, slope=10.0
    ),
    "relativistic": Contest(
        lambda real, fake: F.softplus(fake - real), lambda real, fake: F.softplus(real - fake), _difference,
        paired=True, r1=0.5, r2=0.5,
    ),
}  # fmt: skip


def squared_slopes(values: Tensor, x: Tensor) -> Tensor:
    """Return ‖∂ values / ∂x‖² of each row, (B,), as a function that can be differentiated once more.

    Args:
        values: (B,), row b a function of row b of x alone.
        x: (B, …), which asks for a gradient.
    """
    (gradient,) = torch.autograd.grad(values.sum(), x, create_graph=True)
    return gradient.float().square().flatten(1).sum(1)


def one_centred(squared: Tensor) -> Tensor:
    """Return (‖∇‖ − 1)² of squared slopes."""
    return ((squared + 1e-12).sqrt() - 1).square()
