r"""What a noise schedule is: how much signal α(t) and noise σ(t) is in x_t = α(t) x + σ(t) ε.

Time runs from noise (t = 0) to data (t = 1). Two schedules are the same process re-timed and re-scaled: at equal
signal-to-noise ratio their states differ by a factor only. `Schedule.at` finds the time of a ratio, and `retimed` runs
a denoiser under another schedule.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from lienzo.core import ConfigurationError

Denoiser = Callable[[Tensor, float], Tensor]  # (x_t, t) -> the estimate of x


class Knot(NamedTuple):
    """One time of a grid with its α(t) and σ(t), in double precision."""

    t: float
    alpha: float
    sigma: float


class Schedule(ABC):
    r"""α(t) and σ(t) for t in [0, 1], with λ(t) = log α(t)/σ(t) strictly increasing.

    Attributes:
        t_min: the first time at which a network is asked: where solvers start.
        t_max: the last time at which a network is asked. At t = 1 itself solvers land on the estimate of x.
        spacing: the spacing of steps that suits it.
    """

    t_min: ClassVar[float] = 0.0
    t_max: ClassVar[float] = 1.0
    spacing: ClassVar[str] = "karras"

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """Return α(t), the factor of the picture."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """Return σ(t), the standard deviation of the noise."""

    @abstractmethod
    def alpha_dot(self, t: Tensor) -> Tensor:
        """Return dα/dt."""

    @abstractmethod
    def sigma_dot(self, t: Tensor) -> Tensor:
        """Return dσ/dt."""

    @abstractmethod
    def at(self, lam: Tensor) -> Tensor:
        """Return the time t at which log α(t)/σ(t) = λ: the inverse of `lam`."""

    def lam(self, t: Tensor) -> Tensor:
        """Return λ(t) = log α(t)/σ(t), half the logarithm of the signal-to-noise ratio."""
        return self.alpha(t).log() - self.sigma(t).log()

    def snr(self, t: Tensor) -> Tensor:
        """Return α(t)²/σ(t)²."""
        return (self.alpha(t) / self.sigma(t)).square()

    def phi(self, t: Tensor) -> Tensor:
        """Return the noise angle φ = (2/π) atan2(σ, α) in [0, 1], the same at equal signal-to-noise ratio."""
        return torch.atan2(self.sigma(t), self.alpha(t)) * (2 / math.pi)

    def prior_scale(self, t: float | None = None) -> float:
        """Return the standard deviation of the noise at the start (or at t)."""
        return float(self.sigma(torch.tensor(self.t_min if t is None else t, dtype=torch.float64)))

    def grid(self, steps: int, spacing: str | None = None, start: float | None = None, end: float = 1.0) -> Tensor:
        """Return the times of `steps` steps, (steps + 1,) float64, from `start` (default: t_min) to `end`.

        A grid to t = 1 whose last network call would still hear noise (σ(1) > 0, or a spacing in σ/α) ends with a step
        from there to none.

        >>> from lienzo.sampling import Linear
        >>> Linear().grid(4).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]

        Raises:
            ConfigurationError: for an unknown spacing, no steps, or a start that does not come before the end.
        """
        spacing, start = spacing or self.spacing, self.t_min if start is None else start
        if spacing not in SPACINGS:
            raise ConfigurationError(f"unknown spacing {spacing!r}", hint=f"one of {', '.join(SPACINGS)}")
        if steps < 1 or not 0 <= start < end <= 1:
            asked = f"{steps} steps from t = {start} to {end}"
            raise ConfigurationError(asked, hint="steps ≥ 1 and 0 ≤ start < end ≤ 1")
        one = torch.ones(1, dtype=torch.float64)
        lands = end == 1 and (spacing != "time" or self.sigma(one).item() > 0)
        u = torch.linspace(0, 1, steps if lands else steps + 1, dtype=torch.float64)
        times = SPACINGS[spacing](self, u, start, end)
        times[0] = start
        if lands:
            return torch.cat([times, one])
        times[-1] = end
        return times

    def knots(self, times: Tensor) -> list[Knot]:
        """Return α and σ at the times of a grid; a last time of 1 has no noise left (α = 1, σ = 0)."""
        columns = (times, self.alpha(times), self.sigma(times))
        each = [Knot(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
        return [*each[:-1], Knot(1.0, 1.0, 0.0)] if each and each[-1].t == 1 else each


def _bounds(schedule: Schedule, start: float, end: float) -> tuple[float, float]:
    """Return log σ/α at the two ends, kept within Karras's range [0.002, 80] where the schedule goes further."""
    log_ratio = -schedule.lam(torch.tensor([start, end], dtype=torch.float64))
    first, last = log_ratio.clamp(math.log(0.002), math.log(80.0)).tolist()
    return first, min(first, last)


def _time(schedule: Schedule, u: Tensor, start: float, end: float) -> Tensor:
    return start + u * (end - start)


def _karras(schedule: Schedule, u: Tensor, start: float, end: float, rho: float = 7.0) -> Tensor:
    a, b = (math.exp(e / rho) for e in _bounds(schedule, start, end))
    return schedule.at(-rho * (a + u * (b - a)).log())


def _snr(schedule: Schedule, u: Tensor, start: float, end: float) -> Tensor:
    a, b = _bounds(schedule, start, end)
    return schedule.at(-(a + u * (b - a)))


# "time": uniform in t; "karras": uniform in (σ/α)^{1/7} (Karras, 2022, eq. 5); "snr": uniform in λ (Lu, 2022).
SPACINGS: dict[str, Callable[[Schedule, Tensor, float, float], Tensor]] = {
    "time": _time,
    "karras": _karras,
    "snr": _snr,
}


def retimed(denoise: Denoiser, own: Schedule, other: Schedule) -> Denoiser:
    r"""Return a denoiser for states of schedule `other` from one for states of `own`.

    The state x_t of `other` is the state of `own` at the time of equal λ, times √((α² + σ²)_other / (α² + σ²)_own).
    """

    def at_other(x: Tensor, t: float) -> Tensor:
        time = torch.tensor(t, dtype=torch.float64)
        mine = own.at(other.lam(time)).clamp(own.t_min, own.t_max)
        ratio = torch.hypot(own.alpha(mine), own.sigma(mine)) / torch.hypot(other.alpha(time), other.sigma(time))
        return denoise(x * ratio.item(), mine.item())

    return at_other
