"""Where a family's denoiser works: on pictures themselves or, in a latent model, on their codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lienzo.core import Conditions, Denoises, Encodes, Family, Said, require
from lienzo.families.latent import Latent
from lienzo.sampling import Denoiser, Knot, Schedule, guided, in_chunks, nest

CHUNK = 2  # rows a network call on a CPU: one picture with and without what is said


def silent() -> None:
    """Tell nobody that the network was called."""


@dataclass(frozen=True)
class Space:
    """The states of a family that denoises, and the way from pictures to them and back.

    Attributes:
        family: p(x | c).
        inner: what denoises states: the family itself, or the one over codes.
        coder: between pictures and states; None where they are the same.
        shape: of a state.
        called: is called once a network call, for a bar.
    """

    family: Family
    inner: Denoises
    coder: Encodes | None
    shape: tuple[int, int, int]
    called: Callable[[], None] = field(default=silent, repr=False)

    @property
    def schedule(self) -> Schedule:
        """α(t), σ(t) of states."""
        return self.inner.schedule

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next((p.device for p in self.family.parameters()), torch.device("cpu"))

    @torch.no_grad()
    def enter(self, x: Tensor) -> Tensor:
        """Return the states z of pictures x (B, C, H, W)."""
        x = x.to(self.device)
        return x if self.coder is None else in_chunks(self.coder.encode, self._size, x, count=len(x))

    @torch.no_grad()
    def leave(self, z: Tensor) -> Tensor:
        """Return the pictures of states, in [-1, 1]."""
        x = z if self.coder is None else self.coder.decode(z)
        return x.clamp(-1, 1)

    def cells(self, mask: Tensor) -> Tensor:
        """Return which cells of a state a mask of pixels (B, 1, H, W) covers in full, as 0 and 1."""
        cells = self.shape[1:]
        return (torch.nn.functional.adaptive_avg_pool2d(mask.to(self.device).float(), cells) > 1 - 1e-4).float()

    def denoiser(
        self,
        conditions: Conditions,
        guidance: float | Mapping[str, float] = 1.0,
        interval: tuple[float, float] = (0.0, 1.0),
    ) -> Denoiser:
        """Return (z_t, t) → E[z | z_t, c], guided; each row on its own, bit for bit at any number of rows on a CPU.

        Args:
            conditions: B rows.
            guidance: one weight for all that is said, or one a condition.
            interval: the times at which guidance acts.
        """
        conditions = conditions.to(self.device)
        if isinstance(self.family, Latent):
            conditions = self.family.coded(conditions)
        heard, weights = nest(conditions, guidance)
        heard = heard[-1:] if all(w == 1 for w in weights) else heard
        weights = weights if len(heard) > 1 else []

        def evaluate(x: Tensor, t: float, which: Sequence[int]) -> list[Tensor]:
            self.called()
            said, times = stacked([heard[i] for i in which]), x.new_full((len(which) * len(x),), t)
            every = in_chunks(self.inner.denoise, self._size, x.repeat(len(which), 1, 1, 1), times, said,
                              count=len(times))  # fmt: skip
            return list(every.chunk(len(which)))

        return guided(evaluate, weights, interval)

    @property
    def _size(self) -> int | None:
        return CHUNK if self.device.type == "cpu" else None


def space_of(family: Family, called: Callable[[], None] = silent) -> Space:
    """Return the space in which a family denoises.

    Raises:
        CapabilityError: if it does not.
    """
    inner = family.inner if isinstance(family, Latent) else family
    able = require(inner, Denoises)
    return Space(family, able, family if isinstance(family, Latent) else None, inner.shape, called)


def stacked(each: Sequence[Conditions]) -> Conditions:
    """Put the rows of several conditions one after another."""
    if len(each) == 1:
        return each[0]
    said = {
        name: Said(tuple(map(torch.cat, zip(*(c[name].values for c in each), strict=True))),
                   torch.cat([c[name].present for c in each]))
        for name in each[0]
    }  # fmt: skip
    return Conditions(said, count=sum(c.count for c in each))


def noised(z: Tensor, noise: Tensor, at: Knot) -> Tensor:
    """Return z_t = α z + σ ε."""
    return at.alpha * z + at.sigma * noise


def knots_of(schedule: Schedule, steps: int, strength: float = 1.0) -> list[Knot]:
    r"""Return the knots from a noise level to the data: of `steps` from pure noise, those that a strength leaves.

    The strength is the noise angle φ = (2/π) atan2(σ, α) of the first knot, the same on every schedule: 0 is the
    picture, ½ as much noise as picture, 1 noise alone.
    """
    count = max(1, round(steps * strength))
    return schedule.knots(schedule.grid(count, start=time_of(schedule, strength)))


def time_of(schedule: Schedule, strength: float) -> float:
    """Return the time whose noise angle is `strength`, not before the schedule's first."""
    if strength >= 1:
        return schedule.t_min
    angle = torch.tensor(strength * torch.pi / 2, dtype=torch.float64)
    time = float(schedule.at(-torch.tan(angle).log()))
    return min(max(time, schedule.t_min), schedule.t_max - 1e-4)
