r"""The table of processes, and what its columns may say: which times are trained, and how errors are weighed.

An entry is a name, with numbers after it where its maker takes any: "logit-normal -0.8 0.8", "edm 0.002 80 7".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from lienzo.core import ConfigurationError, Streams
from lienzo.sampling.schedule import Schedule
from lienzo.sampling.schedules import SCHEDULES
from lienzo.sampling.targets import TARGETS, Level

T = TypeVar("T")
Times = Callable[[Streams, Schedule], Tensor]


@dataclass(frozen=True)
class Process:
    """A row of the table: names of a schedule, a target, a weighting and a distribution of training times."""

    schedule: str
    target: str
    weighting: str
    times: str


PROCESSES: dict[str, Process] = {
    # "Denoising Diffusion Probabilistic Models" (Ho, 2020), L_simple (eq. 14); Sohl-Dickstein (2015)
    "denoising-diffusion": Process("variance-preserving", "noise", "noise", "levels 1000"),
    # "Generative Modeling by Estimating Gradients of the Data Distribution" (Song & Ermon, 2019), eq. 5-6 with λ = σ²
    "score-matching": Process("variance-exploding", "scaled-score", "noise", "levels 1000"),
    # "Elucidating the Design Space of Diffusion-Based Generative Models" (Karras, 2022), table 1
    "edm": Process("edm", "preconditioned", "preconditioned", "log-normal -1.2 1.2"),
    # "Flow Matching for Generative Modeling" (Lipman, 2023), eq. 23
    "flow-matching": Process("linear", "velocity", "velocity", "uniform"),
}


def process_named(
    name: str,
    schedule: str | None = None,
    target: str | None = None,
    weighting: str | None = None,
    times: str | None = None,
) -> Process:
    """Return a row of the table, with the entries that are given in place of its own.

    Raises:
        ConfigurationError: for a name that the table or a column does not have.
    """
    row = named(PROCESSES, "process", name)
    chosen = Process(schedule or row.schedule, target or row.target, weighting or row.weighting, times or row.times)
    made(SCHEDULES, "schedule", chosen.schedule)
    named(TARGETS, "target", chosen.target)
    named(TARGETS, "weighting", chosen.weighting)
    made(TIMES, "distribution of times", chosen.times)
    return chosen


def named(table: Mapping[str, T], what: str, name: str) -> T:
    """Return an entry, or say which there are."""
    if name not in table:
        raise ConfigurationError(f"unknown {what} {name!r}", hint=f"one of {', '.join(table)}")
    return table[name]


def made(table: Mapping[str, Callable[..., T]], what: str, entry: str) -> T:
    """Make what an entry such as "logit-normal -0.8 0.8" says."""
    name, *numbers = entry.split() or [""]
    maker = named(table, what, name)
    try:
        return maker(*(float(n) for n in numbers))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{what} {entry!r}: {error}", hint="a name, then its numbers") from None


def uniform() -> Times:
    """t uniform on [t_min, t_max]."""
    return lambda streams, s: s.t_min + (s.t_max - s.t_min) * streams.uniform()


def logit_normal(mean: float = 0.0, std: float = 1.0) -> Times:
    r"""t = sigmoid(m + s n). "Scaling Rectified Flow Transformers …" (Esser, 2024), t from noise to data."""
    return lambda streams, s: torch.sigmoid(mean + std * streams.normal()).clamp(s.t_min, s.t_max)


def log_normal(mean: float = -1.2, std: float = 1.2) -> Times:
    r"""ln σ/α = m + s n, on any schedule. "Elucidating the Design Space …" (Karras, 2022), table 1."""
    return lambda streams, s: s.at(-(mean + std * streams.normal())).clamp(s.t_min, s.t_max)


def levels(count: float = 1000) -> Times:
    """One of `count` times, evenly spaced, at which a grid of as many steps asks the network."""

    def draw(streams: Streams, s: Schedule) -> Tensor:
        times = s.grid(int(count), "time")[:-1].to(streams.device, torch.float32)
        return times[streams.integers(len(times))]

    return draw


TIMES: dict[str, Callable[..., Times]] = {
    "uniform": uniform,
    "logit-normal": logit_normal,
    "log-normal": log_normal,
    "levels": levels,
}


def weight(target: str, weighting: str, at: Level, sigma_floor: float = 0.05) -> Tensor:
    r"""Return the weight of ‖F − F*‖² in the space of `target` that makes it ‖G − G*‖² in that of `weighting`.

    It is (dG/dx / dF/dx)², so that "noise" is L_simple and "velocity" flow matching, whatever is predicted. Where it
    divides by σ, σ is held above a floor: with x predicted and the velocity weighed on the linear schedule the weight
    is 1/max(1 − t, 0.05)² ("Back to Basics: Let Denoising Generative Models Denoise", Li & He, 2025).
    """
    if target == weighting:
        return torch.ones_like(at.sigma)
    f, g = TARGETS[target], TARGETS[weighting]
    power = f.power - g.power
    sigma = at.sigma if power >= 0 else at.sigma.clamp(min=sigma_floor)
    return (g.gain(at) / f.gain(at) * sigma**power).square()
