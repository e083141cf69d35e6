"""Image to image: noise on a picture, and the way back under words."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lienzo.core import Conditions, ConfigurationError, Streams
from lienzo.editing.space import Space, knots_of, noised
from lienzo.sampling import SOLVERS, named


@dataclass(frozen=True)
class Walk:
    """How the way from noise to picture is gone.

    Attributes:
        steps: from pure noise; a lesser strength takes as many fewer.
        solver: a name in `SOLVERS`.
        guidance: w, one weight for all that is said, or one a condition.
        interval: the times at which guidance acts.
    """

    steps: int = 30
    solver: str = "dpm++2m"
    guidance: float | Mapping[str, float] = 1.0
    interval: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        named(SOLVERS, "solver", self.solver)
        if self.steps < 1:
            raise ConfigurationError(f"{self.steps} steps", hint="a whole number from 1, e.g. 30")

    @property
    def exact(self) -> bool:
        """Whether nothing is guided: an inversion can then be undone exactly."""
        weights = self.guidance.values() if isinstance(self.guidance, Mapping) else (self.guidance,)
        return all(w == 1 for w in weights)


NONE = 0.005  # a strength below this leaves a picture as it is


@torch.no_grad()
def redrawn(
    space: Space, x: Tensor, conditions: Conditions, strength: float, *, streams: Streams, walk: Walk
) -> Tensor:
    r"""Return pictures drawn anew from z_t = α z + σ ε, z the state of x; at strength 0, x as its coder keeps it.

    Args:
        space: of a family that denoises.
        x: (B, C, H, W) in [-1, 1].
        conditions: B rows.
        strength: the noise angle (2/π) atan2(σ, α) that it begins at, in [0, 1]; see `knots_of`.
        streams: B rows.
        walk: how.

    Raises:
        ConfigurationError: for a strength outside [0, 1].

    "SDEdit: Guided Image Synthesis and Editing with Stochastic Differential Equations" (Meng, 2022).
    """
    z = space.enter(x)
    if checked_strength(strength) < NONE:
        return space.leave(z)
    knots = knots_of(space.schedule, walk.steps, strength)
    noise = streams.child("start").normal(*space.shape).to(z)
    denoise = space.denoiser(conditions, walk.guidance, walk.interval)
    steps = SOLVERS[walk.solver].run(denoise, noised(z, noise, knots[0]), knots, streams.child("solver"))
    return space.leave(deque(steps, maxlen=1)[0][0])


def checked_strength(strength: float) -> float:
    """Return a strength, or say what one is.

    Raises:
        ConfigurationError: outside [0, 1].
    """
    if not 0 <= strength <= 1:
        raise ConfigurationError(f"strength {strength:g}", hint="0 leaves the picture as it is, 1 draws it wholly anew")
    return strength
