"""Hierarchical variational autoencoder: many groups of codes on several grids, coarse to fine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from lienzo.conditions import Bus, Channels
from lienzo.core import Batch, Conditions, Encodes, Family, Loss, Progress, Scores, Streams, configurable
from lienzo.networks.ladder import Descent, Ladder
from lienzo.networks.spectral import Spectral, kernels
from lienzo.sampling.bounds import WarmUp, importance, kl_normal, log_normal
from lienzo.sampling.chunks import in_chunks
from lienzo.sampling.observations import observation

CHUNK = 4  # rows a network call on a CPU, where the size of a call changes a result's last bits


@configurable("hierarchical_vae")
class HierarchicalVAE(Family, Encodes, Scores):
    r"""p(x | c) = ∫ p(x | z, c) Π_i p(z_i | z_<i, c) dz, learnt with q(z | x, c) = Π_i q(z_i | z_<i, x, c).

    Both go down the same ladder: the prior p(z_i | ·) = N(μ_i, σ_i²) is the network's state's, and the posterior is
    said relative to it, N(μ_i + σ_i δ_i, σ_i² e^{r_i}). In ε_i = (z_i − μ_i)/σ_i the prior is N(0, I), and

        KL_i = ½ Σ (δ_i² + e^{r_i} − 1 − r_i),    loss = −E log p(x | z, c) + β Σ_i γ_i E KL_i.

    The ε are the code, a flat vector: they are what `encode` returns and what may be interpolated. While β warms up, γ
    is in proportion to a group's size and its KL and has mean 1, so that groups that hold nothing are not pressed
    (KL balancing); afterwards it is 1 and the loss is the evidence bound.

    "NVAE: A Deep Hierarchical Variational Autoencoder" (Vahdat & Kautz, 2020); "Very Deep VAEs Generalize
    Autoregressive Models and Can Outperform Them on Images" (Child, 2021).

    Args:
        shape: (C, H, W) of a picture.
        bus: what may be said.
        widths: channels of each level, from large grid to small, multiples of 8.
        groups: how many groups of codes each level has, in the same order.
        codes: channels of a group's code.
        fold: pixels folded into channels; grids have sides H / fold, then half as much each, rounded up.
        depth: residual cells a level on the way up.
        likelihood: a row of `OBSERVATIONS` and its number.
        beta: β; 1 is the evidence bound.
        warmup: images over which β rises from zero.
        balance: whether γ is used while it rises.
        spectral: λ of λ Σ s_l, s_l the largest singular value of layer l, as NVAE has it; 0 for none: what keeps the
            ladder stable without it stands in `lienzo.networks.ladder`.

    Raises:
        ConfigurationError: for an unknown likelihood or widths, groups and sides that do not fit.
    """

    players: ClassVar[tuple[str, ...]] = ("model",)
    round_trip: ClassVar[float] = 0.1
    likelihood: ClassVar[Literal["exact", "bound", "estimate"]] = "bound"

    def __init__(
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        widths: tuple[int, ...] = (48, 64, 96),
        groups: tuple[int, ...] = (2, 3, 2),
        codes: int = 8,
        fold: int = 2,
        depth: int = 1,
        likelihood: str = "logistic-mixture 5",
        beta: float = 1.0,
        warmup: int = 0,
        balance: bool = True,
        spectral: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape, self.bus, self.beta, self.balance = shape, bus, beta, balance
        self.observation, self.warm_up = observation(likelihood, shape[0]), WarmUp(warmup)
        self.scored = self.observation.scored  # type: ignore[misc]
        self.ladder = Ladder(
            shape, self.observation.parameters_a_pixel, bus.sizes, widths, groups, codes, fold, depth
        )  # fmt: skip
        self.weight = spectral
        self.spectral = Spectral(kernels(self.ladder)) if spectral else None
        self.parts = [math.prod(part) for part in self.ladder.code_shapes]
        self.code_shape = (sum(self.parts),)

    def fusible(self) -> tuple[Ladder]:
        """Return the ladder."""
        return (self.ladder,)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return the weighted bound in nats a value, from one draw of all codes a picture."""
        channels = self.bus(self.bus.drop(batch.conditions, batch.streams))
        x = self.observation.seen(batch.x, batch.streams.child("seen"))
        noise = self._split(batch.streams.child("code").normal(*self.code_shape))
        down: Descent = self.ladder(x, noise, channels)
        error = -self.observation.log_prob(down.parameters, x).mean()
        kl = _divergences(down).mean(0)  # (groups,)
        share = self.warm_up(len(batch))
        weighted = self.beta * share * (self._balance(kl.detach(), share) * kl).sum()
        total = kl.detach().sum()
        parts = {"error": error.detach(), "kl": total, "nats": error.detach() + total,
                 "active": (kl.detach() > 0.1).float().sum()}  # fmt: skip
        loss = (error + weighted) / math.prod(self.shape)
        if self.spectral is not None:
            steep = self.spectral(kernels(self.ladder))
            loss, parts["spectral"] = loss + self.weight * steep, steep.detach()
        return Loss(loss, parts)

    def _balance(self, kl: Tensor, share: Tensor | float) -> Tensor:
        """Return γ of every group, (groups,)."""
        even = torch.ones_like(kl)
        if not self.balance or not isinstance(share, Tensor):
            return even
        gamma = torch.tensor(self.parts, dtype=kl.dtype, device=kl.device) * (kl + 1e-3)
        return torch.where(share < 1, gamma / gamma.mean(), even)

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the ε of x, the posterior's mean at every rung, (B, D)."""
        channels = self._heard(conditions, len(x))
        still = self._split(x.new_zeros(len(x), *self.code_shape))
        return torch.cat([e.flatten(1) for e in self.ladder(x, still, channels).numbers], 1)

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the mean of p(x | ε, c), (B, C, H, W), of ε (B, D)."""
        down = self.ladder.descend(self._split(z), self._heard(conditions, len(z)))
        return self.observation.mean(down.parameters)

    @torch.no_grad()
    def log_prob(self, x: Tensor, conditions: Conditions, *, streams: Streams, samples: int = 1) -> Tensor:
        """Return a lower bound of log p(x | c) in nats, (B,), right in expectation over the streams.

        What x is, its row of `OBSERVATIONS` says: the 8-bit picture for "logistic-mixture", the binarized one for
        "bernoulli", the dequantized one as a density for "gaussian".

        Args:
            x: (B, C, H, W).
            conditions: B rows.
            streams: B rows.
            samples: K of the importance-weighted bound; 1 is the evidence bound, with its KL in closed form. One code
                a picture is decoded at a time.
        """
        channels, codes = self._heard(conditions, len(x)), streams.child("code")
        x = self.observation.seen(x, streams.child("seen"))
        up = self.ladder.climb(x, channels)

        def draw() -> tuple[Descent, Tensor]:
            noise = self._split(codes.normal(*self.code_shape).to(x))
            down = self.ladder.descend(noise, channels, up)
            return down, self.observation.log_prob(down.parameters, x)

        def log_weight() -> Tensor:
            down, log_p = draw()
            for e, delta, r in zip(down.numbers, down.delta, down.r, strict=True):
                log_p = log_p + (log_normal(e) - log_normal(e, delta, r)).flatten(1).sum(1)
            return log_p

        if samples == 1:
            down, log_p = draw()
            return log_p - _divergences(down).sum(1)
        return importance(log_weight, samples)

    @torch.no_grad()
    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        temperature: float = 1.0,
        pixels: Literal["mean", "draw"] = "mean",
        chunk: int | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Go down the ladder once.

        Args:
            conditions: B rows.
            streams: B rows.
            temperature: factor of every prior σ_i; below 1 for likelier and less varied pictures.
            pixels: the "mean" of p(x | z, c), or a "draw" from it.
            chunk: rows a network call; by default 4 on a CPU and all elsewhere.
            **options: of other families; not heard.
        """
        device = next(self.parameters()).device
        size = chunk or (CHUNK if device.type == "cpu" else None)
        numbers = streams.child("code").normal(*self.code_shape).to(device)
        channels = in_chunks(lambda c: self._heard(c, c.count), size, conditions.to(device), count=len(numbers))

        def down(numbers: Tensor, channels: Channels) -> Tensor:
            return self.ladder.descend(self._split(numbers), channels, temperature=temperature).parameters

        parameters = in_chunks(down, size, numbers, channels, count=len(numbers))
        draws = pixels == "draw"
        x = self.observation.sample(parameters, streams.child("pixels")) if draws else self.observation.mean(parameters)
        yield Progress(1, 1, x, x)

    def _heard(self, conditions: Conditions | None, count: int) -> Channels:
        return self.bus(conditions if conditions is not None else Conditions(count=count))

    def _split(self, codes: Tensor) -> list[Tensor]:
        """Return every rung's part of (B, D), each (B, codes, h, w)."""
        parts = zip(codes.split(self.parts, 1), self.ladder.code_shapes, strict=True)
        return [part.unflatten(1, shape) for part, shape in parts]


def _divergences(down: Descent) -> Tensor:
    """Return the KL of every row and group, (B, groups)."""
    pairs = zip(down.delta, down.r, strict=True)
    return torch.stack([kl_normal(delta, r).flatten(1).sum(1) for delta, r in pairs], 1)
