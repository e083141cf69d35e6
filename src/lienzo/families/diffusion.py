r"""Diffusion, score matching, EDM and flow matching: one family, four rows of a table (`lienzo.sampling.PROCESSES`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lienzo.conditions.base import Channels
from lienzo.conditions.bus import Bus
from lienzo.core import (
    Batch,
    Conditions,
    ConfigurationError,
    Denoises,
    Family,
    Loss,
    Progress,
    Scores,
    Streams,
    configurable,
)
from lienzo.sampling import (
    SCHEDULES,
    SOLVERS,
    TARGETS,
    TIMES,
    Cosine,
    Denoiser,
    Level,
    Schedule,
    guided,
    in_chunks,
    joined,
    log_prob_ode,
    made,
    named,
    process_named,
    retimed,
    weight,
)
from lienzo.sampling.guidance import branched

TRAINED = 1 - 1e-3  # the cosine schedule's last time whose noise is not lost in the steps between 8-bit levels
CHUNK = 4  # rows a network call on a CPU, where the size of a call changes a result's last bits


@configurable("diffusion")
class Diffusion(Family, Denoises, Scores):
    r"""p(x | c) as the end of a path from noise: x_t = α(t) x + σ(t) ε, and a network that estimates x from x_t.

    It minimises E w(t) ‖F_θ(x_t/√(α² σ_d² + σ²), φ(t), c) − F*‖², F* the row's prediction target. The network hears the
    noise angle φ = (2/π) atan2(σ, α) and never t, so that it runs under any schedule at equal signal-to-noise ratio.

    Args:
        network: (B, C, H, W), φ (B,) in [0, 1], channels → (B, C, H, W).
        bus: what may be said.
        shape: (C, H, W) of a picture.
        process: a row of `PROCESSES`; the four entries below replace the row's own.
        schedule: α(t), σ(t): a name in `SCHEDULES` and its numbers, e.g. "edm 0.002 80 7".
        target: what the network predicts: a name in `TARGETS`.
        weighting: the target in whose space errors count alike: "velocity" with target "data" is JiT (Li & He, 2025).
        times: the distribution of training times: a name in `TIMES` and its numbers, e.g. "logit-normal -0.8 0.8".
        sigma_data: σ_d, the standard deviation of the data.

    Raises:
        ConfigurationError: for a name that a table does not have.

    "Denoising Diffusion Probabilistic Models" (Ho, 2020); "Generative Modeling by Estimating Gradients of the Data
    Distribution" (Song & Ermon, 2019); "Elucidating the Design Space of Diffusion-Based Generative Models" (Karras,
    2022); "Flow Matching for Generative Modeling" (Lipman, 2023).
    """

    likelihood: ClassVar[Literal["exact", "bound", "estimate"]] = "estimate"

    def __init__(
        self,
        network: nn.Module,
        bus: Bus,
        shape: tuple[int, int, int],
        process: str = "flow-matching",
        schedule: str | None = None,
        target: str | None = None,
        weighting: str | None = None,
        times: str | None = None,
        sigma_data: float = 0.5,
    ) -> None:
        super().__init__()
        self.network, self.bus, self.sigma_data = network, bus, sigma_data
        channels, height, width = shape
        self.shape = (channels, height, width)
        self.process = process_named(process, schedule, target, weighting, times)
        self.schedule: Schedule = made(SCHEDULES, "schedule", self.process.schedule)
        self.target, self.times = TARGETS[self.process.target], made(TIMES, "times", self.process.times)

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the network."""
        return (self.network,)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return E w(t) ‖F_θ − F*‖², the mean over rows and pixels; `parts` has it without the weight."""
        x, streams = batch.x, batch.streams
        t = self.times(streams.child("time"), self.schedule)
        noise = streams.child("noise").normal(*x.shape[1:])
        channels = self.bus(self.bus.drop(batch.conditions, streams))
        at = self._level(t, x.ndim)
        x_t = at.alpha * x + at.sigma * noise
        f = self._network(x_t, t, channels)
        error = (f - self.target.direct(x, noise, x_t, at)).square().mean((1, 2, 3))
        total = (weight(self.process.target, self.process.weighting, at).flatten() * error).mean()
        return Loss(total, {"error": error.detach().mean()})

    def denoise(self, x_t: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Return the network's estimate of E[x | x_t, c], (B, C, H, W), at times t (B,)."""
        return self._estimate(x_t, t, self.bus(conditions))

    @torch.no_grad()
    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        steps: int = 30,
        solver: str = "dpm++2m",
        guidance: float | Mapping[str, float] = 1.0,
        guidance_interval: tuple[float, float] = (0.0, 1.0),
        start: tuple[Tensor, float] | None = None,
        spacing: str | None = None,
        schedule: str | None = None,
        chunk: int | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Yield every step from noise to picture.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size, bitwise on a CPU.
            steps: how many.
            solver: a name in `SOLVERS`.
            guidance: w, one weight for all that is said, or one a condition, in the order of nesting.
            guidance_interval: the times t at which guidance acts.
            start: (x_t, t) to start from, in the place of noise at t_min.
            spacing: a name in `SPACINGS`; by default the schedule's own.
            schedule: another schedule to run at equal signal-to-noise ratio; by default the one of training.
            chunk: rows a network call; by default 4 on a CPU and all elsewhere. Pictures are the same bit for bit only
                at the same value.
            **options: the solver's own (`eta` of "ddim", `repeats` and `rate` of "langevin").

        Raises:
            ConfigurationError: for an unknown solver, spacing or schedule, or an option that the solver does not have.
            ConditionError: for a guided condition that the model does not have.
        """
        own, run = self.schedule, named(SOLVERS, "solver", solver).run
        other = own if schedule is None else made(SCHEDULES, "schedule", schedule)
        device, size = _device(self), self._size(chunk)
        denoise = self._guided(conditions.to(device), guidance, guidance_interval, size)
        begin = self._begin(other) if start is None else start[1]
        knots = other.knots(other.grid(steps, spacing, begin))
        noise = streams.child("start")
        x = noise.normal(*self.shape).to(device) * knots[0].sigma if start is None else start[0].to(device)
        denoise = denoise if schedule is None else retimed(denoise, own, other)
        try:
            walk = run(denoise, x, knots, streams.child("solver"), **options)
        except TypeError:
            raise ConfigurationError(f"solver {solver!r} has no options {', '.join(options)}") from None
        for step, (state, estimate) in enumerate(walk, start=1):
            yield Progress(step, steps, state, estimate)

    @torch.no_grad()
    def log_prob(self, x: Tensor, conditions: Conditions, *, streams: Streams, steps: int = 64) -> Tensor:
        """Return an estimate of log p(x | c) in nats, (B,): `log_prob_ode` from the least noise of training on."""
        channels, cosine = self.bus(conditions), Cosine()

        def denoise(x: Tensor, t: float) -> Tensor:
            return self._estimate(x, x.new_full((len(x),), t), channels)

        knots = cosine.knots(cosine.grid(steps, "karras", self._begin(cosine), self._end(cosine)))
        walk = retimed(denoise, self.schedule, cosine)
        return log_prob_ode(walk, x, knots, streams.child("trace"), self.sigma_data)

    def _guided(
        self,
        conditions: Conditions,
        guidance: float | Mapping[str, float],
        interval: tuple[float, float],
        size: int | None,
    ) -> Denoiser:
        """Encode what each branch hears, once, and return the denoiser that all steps share."""
        heard, weights = branched(conditions, guidance, self.bus.__getitem__)
        count = conditions.count
        channels = [in_chunks(self.bus, size, c, count=count) for c in heard]
        together = {(i,): each for i, each in enumerate(channels)} | {tuple(range(len(heard))): joined(channels)}

        def evaluate(x: Tensor, t: float, which: Sequence[int]) -> list[Tensor]:
            said = together[tuple(which)]
            xs, times = x.repeat(len(which), 1, 1, 1), x.new_full((len(which) * count,), t)
            return list(in_chunks(self._estimate, size, xs, times, said, count=len(times)).chunk(len(which)))

        return guided(evaluate, weights, interval)

    def _estimate(self, x_t: Tensor, t: Tensor, channels: Channels) -> Tensor:
        return self.target.to_data(self._network(x_t, t, channels), x_t, self._level(t, x_t.ndim))

    def _network(self, x_t: Tensor, t: Tensor, channels: Channels) -> Tensor:
        x = x_t / self._level(t, x_t.ndim).scale
        return self.network(x, self.schedule.phi(t), channels).to(x_t.dtype)

    def _level(self, t: Tensor, ndim: int) -> Level:
        return Level.of(self.schedule, t.clamp(max=self.schedule.t_max), ndim, self.sigma_data)

    def _begin(self, schedule: Schedule) -> float:
        """Return the first time of `schedule` that the training's own has heard."""
        lam = self.schedule.lam(torch.tensor(self.schedule.t_min, dtype=torch.float64))
        return max(schedule.t_min, float(schedule.at(lam)))

    def _end(self, schedule: Schedule) -> float:
        """Return the time of `schedule` below whose noise the training hardly ever went."""
        own = self.times(Streams(0, range(4096)), self.schedule).double().quantile(0.998)
        return min(float(schedule.at(self.schedule.lam(own))), TRAINED)

    def _size(self, chunk: int | None) -> int | None:
        return chunk or (CHUNK if _device(self).type == "cpu" else None)


def _device(module: nn.Module) -> torch.device:
    return next((p.device for p in module.parameters()), torch.device("cpu"))
