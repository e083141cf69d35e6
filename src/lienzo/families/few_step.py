"""Pictures in one to four network calls: a network that is asked for whole jumps along the path from noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from lienzo.conditions.base import Channels
from lienzo.conditions.bus import Bus
from lienzo.core import Batch, Conditions, ConfigurationError, Denoises, Family, Loss, Progress, Streams, configurable
from lienzo.families.diffusion import CHUNK, Diffusion
from lienzo.networks.few_step import inherited, with_vector
from lienzo.networks.layers import TimeEmbedding
from lienzo.sampling.chunks import in_chunks, rows_of
from lienzo.sampling.jumps import LATEST, OBJECTIVES, Objective, jumping, straight_velocity, wide
from lienzo.sampling.processes import TIMES, made, named
from lienzo.sampling.schedules import Linear

PREDICTS = ("data", "velocity")
TEMPO = 0.02  # of times, where nothing says another


@configurable("few_step")
class FewStep(Family, Denoises):
    r"""p(x | c) as z_1 of z_{t+h} = z_t + h u_θ(z_t, t, h, c), from z_0 = ε, in as few jumps as one.

    It minimises E w ‖u_θ − sg(u*)‖² on z_t = t x + (1 − t) ε. For most rows h = 0 and u* is the velocity x − ε, as in
    flow matching; for a share of them h > 0 and u* is what `objective` says (`lienzo.sampling.jumps`):

        mean-flow  v + h (v·∂_z + ∂_t − ∂_h) u_θ      the derivative of the average's definition
        shortcut   half of u_θ(z, t, h/2) + u_θ(z + h/2 u_θ, t + h/2, h/2)      two jumps make one

    w = 1/(‖u_θ − u*‖² + 1e-3)^p. Guidance is learnt, as there are no two calls a step to spend on it: with weight g the
    velocity v becomes g v + (1 − g) u_θ(z, t, 0, ∅).

    The network hears z_t at unit variance and the noise angle φ, as a `Diffusion`'s does, and h as a part of the vector
    channel; one that was built without a vector channel is built again with one.

    Args:
        network: (B, C, H, W), φ (B,) in [0, 1], channels → (B, C, H, W); registered, with an argument `sizes`.
        bus: what may be said.
        shape: (C, H, W) of a picture.
        objective: a row of `OBJECTIVES`.
        teacher: a trained diffusion model, kept frozen: its velocity takes the place of x − ε. It must understand the
            conditions of `bus`. With shortcuts, and a network like the teacher's, the student begins as the teacher,
            so that only jumps are left to learn.
        predicts: "data": the network's output is z_t + (1 − t) u, the picture to which a jump points; "velocity": u.
            None: as a teacher that it can begin as, else "data".
        times: a distribution of training times in the place of the row's own, e.g. "logit-normal -0.8 0.8".
        share: of rows that are trained on jumps, in (0, 1]: one in round(1/share), so that 0.3 and 0.4 are a third, and
            what is above 2/3 is all. Shortcuts, which are made of velocities, have at most 0.5.
        adaptive: p; the row's own where None.
        guidance: g, which the samples will have; 1 for none.
        tempo: factor of φ and h before they are embedded. The embedding's fastest sine has a derivative of 1000 tempo,
            which the mean-flow target feels; 1 is a diffusion model's own. None: 1 where the student begins as its
            teacher, else 0.02.
        sigma_data: σ_d, the standard deviation of the data.

    Raises:
        ConfigurationError: for a name that a table does not have, or a number out of its range.

    "Mean Flows for One-step Generative Modeling" (Geng, 2025); "One Step Diffusion via Shortcut Models" (Frans, 2024).
    """

    def __init__(
        self,
        network: nn.Module,
        bus: Bus,
        shape: tuple[int, int, int],
        objective: str = "mean-flow",
        teacher: Diffusion | None = None,
        predicts: str | None = None,
        times: str | None = None,
        share: float = 0.25,
        adaptive: float | None = None,
        guidance: float = 1.0,
        tempo: float | None = None,
        sigma_data: float = 0.5,
    ) -> None:
        super().__init__()
        row = named(OBJECTIVES, "objective", objective)
        _check(predicts or "data", share, guidance, bus)
        if share > row.most:
            hint = f"at most {row.most}: the other rows learn the velocities that jumps are made of"
            raise ConfigurationError(f"a share of {share} of the rows for {objective!r}", hint=hint)
        channels, height, width = shape
        self.shape, self.row, self.bus = (channels, height, width), row, bus
        self.network, vector = with_vector(network, bus.sizes)
        self.length = TimeEmbedding(vector)
        nn.init.zeros_(self.length.layers[-1].weight)  # type: ignore[arg-type]  # a network's first word is its own
        self.teacher = None if teacher is None else teacher.requires_grad_(False).eval()
        if teacher is not None and tuple(teacher.shape) != self.shape:
            raise ConfigurationError(
                f"the teacher draws {tuple(teacher.shape)}, the student {self.shape}",
                hint="the teacher's size; where it is a model over codes, a table [codes] with outer = the same model",
            )
        says = None if teacher is None else _begun_as(teacher, row, sigma_data, predicts, tempo)
        alike = says is not None and teacher is not None and inherited(self.network, teacher.network)
        if alike and teacher is not None:
            inherited(bus, teacher.bus)
            nn.init.zeros_(self.length.layers[-1].bias)  # type: ignore[arg-type]  # the teacher's first word is its own
        predicts = predicts or (says if alike else None) or "data"
        self.tempo = tempo if tempo is not None else 1.0 if alike else TEMPO
        self.predicts, self.share, self.sigma_data = predicts, share, sigma_data
        self.adaptive, self.guidance = row.adaptive if adaptive is None else adaptive, guidance
        self.schedule, self.times = Linear(), made(TIMES, "distribution of times", times or row.times)

    def train(self, mode: bool = True) -> FewStep:
        """Switch all but the teacher."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    def lean(self) -> dict[str, Any]:
        """Return arguments without the teacher, and what it decided."""
        return {"teacher": None, "predicts": self.predicts, "tempo": self.tempo} if self.teacher is not None else {}

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the network, unless it is differentiated forwards: compiled functions cannot be."""
        return () if self.row is OBJECTIVES["mean-flow"] else (self.network,)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return E w ‖u_θ − u*‖²; `parts` has the mean error of velocities and of jumps without the weight."""
        x, streams = batch.x, batch.streams
        heard = self.bus.drop(batch.conditions, streams)
        channels = self.bus(heard)
        rows = jumping(streams.indices, self.share, x.device)
        t, h = self._places(streams, rows)
        noise = streams.child("noise").normal(*x.shape[1:])
        z = wide(t, x) * x + wide(1 - t, x) * noise
        with torch.no_grad():
            target = self._target(z, t, h, x - noise, heard, channels, rows)
        error = (self._average(z, t, h, channels).float() - target).square().flatten(1).mean(1)
        weight = (error.detach() + 1e-3) ** -self.adaptive
        jumped = torch.zeros_like(error).index_fill_(0, rows, 1.0)
        flow, jump = _mean_where(error, 1 - jumped), _mean_where(error, jumped)
        return Loss((weight * error).mean(), {"flow": flow, "jump": jump})

    def denoise(self, x_t: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Return E[x | x_t, c] = x_t + (1 − t) u(x_t, t, 0); of the guided path where guidance was learnt."""
        return x_t + wide(1 - t, x_t) * self._average(x_t, t, torch.zeros_like(t), self.bus(conditions))

    @torch.no_grad()
    def sampling(
        self, conditions: Conditions, *, streams: Streams, steps: int = 1, chunk: int | None = None, **options: Any
    ) -> Iterator[Progress]:
        """Yield every jump from noise to picture; an `estimate` follows the jump's direction to the end.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size, bitwise on a CPU.
            steps: how many jumps, at least 1: of equal length or, by a model of the shortcut objective, which knows
                lengths 2^−k, ¼ ¼ ½ for three and so on (`lienzo.sampling.jumps.binary_jumps`).
            chunk: rows a network call; by default 4 on a CPU and all elsewhere.
            **options: none; guidance is the model's own.

        Raises:
            ConfigurationError: for any other option, or no steps.
        """
        if steps < 1:
            raise ConfigurationError(f"{steps} steps", hint="a whole number from 1, e.g. 4")
        if options:
            raise ConfigurationError(
                f"no option {next(iter(options))!r}", hint="steps or chunk; guidance is trained in"
            )
        device, count = self.length.get_buffer("omega").device, len(streams)
        size = chunk or (CHUNK if device.type == "cpu" else None)
        channels = in_chunks(self.bus, size, conditions.to(device), count=count)
        z = streams.child("start").normal(*self.shape).to(device)
        at = Fraction(0)
        for step, jump in enumerate(self.row.path(steps), start=1):
            t, h = z.new_full((count,), float(at)), z.new_full((count,), self._said(jump))
            u = in_chunks(self._average, size, z, t, h, channels, count=count)
            estimate = z + float(1 - at) * u
            z = estimate if step == steps else z + u / jump.denominator  # 1/n each
            at += jump
            yield Progress(step, steps, z, estimate)

    def _said(self, jump: Fraction) -> float:
        """Return the h that a jump is asked with: 0, the velocity, where it is shorter than any that was learnt."""
        return float(jump) if jump >= self.row.shortest else 0.0

    def _places(self, streams: Streams, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Draw where each row starts and how far it jumps: h = 0 but for `rows`."""
        t = self.times(streams.child("time"), self.schedule).clamp(0, LATEST)
        start, length = (part.to(t) for part in self.row.draw(streams.child("jump"), self.times))
        return t.index_copy(0, rows, start[rows]), torch.zeros_like(t).index_copy(0, rows, length[rows])

    def _target(
        self, z: Tensor, t: Tensor, h: Tensor, v: Tensor, heard: Conditions, channels: Channels, rows: Tensor
    ) -> Tensor:
        """Return u*: the velocity of every row, replaced in `rows` by what the objective makes of it."""
        v = self._velocity(z, t, v, heard).float()
        if not len(rows):
            return v
        said = _exact(rows_of(channels, rows))

        def u(z: Tensor, t: Tensor, h: Tensor) -> Tensor:
            return self._average(z, t, h, said)

        jumps = self.row.target(u, z[rows], t[rows], h[rows], v[rows])
        return v.index_copy(0, rows, jumps.float())

    def _velocity(self, z: Tensor, t: Tensor, v: Tensor, heard: Conditions) -> Tensor:
        """Return the velocity to learn: of the data or of the teacher, guided."""
        g, teacher = self.guidance, self.teacher
        if teacher is not None:
            v = straight_velocity(lambda x, t: teacher.denoise(x, t, heard), teacher.schedule, z, t)
        if g == 1 or not len(heard):
            return v
        nothing = heard.without(*heard)
        if teacher is not None:
            plain = straight_velocity(lambda x, t: teacher.denoise(x, t, nothing), teacher.schedule, z, t)
        else:
            plain = self._average(z, t, torch.zeros_like(t), self.bus(nothing))
        guided = g * v + (1 - g) * plain.to(v)
        anything = torch.stack([each.present for each in heard.values()]).any(0)
        return torch.where(wide(anything, v), guided, v)  # where nothing is said there is nothing to guide

    def _average(self, z: Tensor, t: Tensor, h: Tensor, channels: Channels) -> Tensor:
        """Return u(z_t, t, h, c); times after 0.95 are heard as that."""
        t = t.clamp(max=LATEST)
        left, at = wide(1 - t, z), wide(t, z)
        length = self.length(self.tempo * h)
        vector = length if channels.vector is None else channels.vector + length
        scale = (at.square() * self.sigma_data**2 + left.square()).sqrt()
        phi = self.tempo * self.schedule.phi(t)
        f = self.network(z / scale, phi, replace(channels, vector=vector)).to(z.dtype)
        return (f - z) / left if self.predicts == "data" else f


def _mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Return the mean of the values at which `where` is 1; 0 of none."""
    return (values.detach() * where).sum() / where.sum().clamp(min=1)


def _exact(channels: Channels) -> Channels:
    """Return channels in float32, as forward-mode derivatives are computed."""
    entries: dict[str, Any] = vars(channels)
    return Channels(**{n: e.float() if e is not None and e.is_floating_point() else e for n, e in entries.items()})


def _begun_as(
    teacher: Diffusion, row: Objective, spread: float, predicts: str | None, tempo: float | None
) -> str | None:
    """Return what a network says of which a teacher's weights are a good beginning; None where they are none.

    The times of a teacher are heard at full tempo, and the derivative of mean flows by them is too steep unless asked
    for. A velocity is that of straight lines on the linear schedule alone; the data are the data everywhere.
    """
    says = teacher.process.target
    straight = says == "data" or (says == "velocity" and isinstance(teacher.schedule, Linear))
    steep = row is OBJECTIVES["mean-flow"] and tempo is None
    fits = straight and not steep and tempo in (None, 1) and teacher.sigma_data == spread
    return says if fits and predicts in (None, says) else None


def _check(predicts: str, share: float, guidance: float, bus: Bus) -> None:
    if predicts not in PREDICTS:
        raise ConfigurationError(f"predicts = {predicts!r}", hint=f"one of {', '.join(PREDICTS)}")
    if not 0 < share <= 1:
        raise ConfigurationError(f"a share of {share} of the rows", hint="a number above 0, at most 1")
    if guidance != 1 and not bus.names:
        raise ConfigurationError(f"guidance {guidance} for a model to which nothing can be said", hint="guidance 1")
