"""Variational autoencoders: the grid of codes in which latent families live, and the textbook's, with a likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Bus, Channels, Sizes
from lienzo.core import (
    Batch,
    CapabilityError,
    Conditions,
    ConfigurationError,
    Encodes,
    Family,
    Loss,
    Progress,
    Scores,
    Streams,
    configurable,
)
from lienzo.networks.coders import Decoder, Encoder
from lienzo.networks.told import Told, ToldPrior, folded_maps
from lienzo.sampling.bounds import WarmUp, importance, kl_normal, log_normal
from lienzo.sampling.chunks import in_chunks
from lienzo.sampling.observations import observation

CHUNK = 4  # rows a network call on a CPU, where the size of a call changes a result's last bits
Pixels = Literal["mean", "draw"]
Prior = Literal["standard", "conditional"]


@configurable("vae")
class VAE(Family, Encodes, Scores):
    r"""p(x | c) = ∫ p(x | z, c) N(z; 0, I) dz, learnt with a convolutional encoder q(z | x, c).

    The loss is the evidence bound, −E log p(x | z, c) + β KL(q(z | x, c) ‖ N(0, I)), in nats a value of the picture.
    With the likelihood "edges" it has a small weight on its second term, as an autoencoder for other families wants
    it: |x − x̂| + edges + β KL. "Edges" is the absolute error of the differences between neighbours, at full and at
    half resolution: drawings are made of them, and a mean error alone blurs them. That is no density, and `log_prob`
    has nothing to say of it.

    "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014); "β-VAE" (Higgins et al., 2017); as a first stage
    "High-Resolution Image Synthesis with Latent Diffusion Models" (Rombach et al., 2022).

    Args:
        shape: (C, H, W) of a picture.
        codes: channels of a code; with a flat one, of the grid between it and the convolutions.
        widths: channels of each level of the coders, from large grid to small, multiples of 8.
        fold: pixels folded into channels by the first layer; a code's grid is H / (fold · 2^(levels − 1)).
        depth: residual blocks a level.
        kernel: side of the convolutions, odd; 1 with one width and fold = H makes the coders dense: many times faster,
            for small pictures that all lie alike, such as digits and clothes.
        beta: β; with "edges" per value of the code, by default 1e-4; else the bound's own weight, by default 1.
        edges: weight of the edge term.
        bus: what may be said; nothing where None.
        likelihood: "edges", or a row of `OBSERVATIONS` and its number, e.g. "gaussian 0.7071" (whose loss is
            L_MSE + L_KL), "gaussian", "bernoulli", "logistic-mixture 5".
        latent: D of a flat code; 0 for the grid.
        warmup: images over which β rises from zero.
        prior: "standard", or "conditional": the networks' own codes are μ(c) + σ(c) z, μ and σ learnt from the labels
            and words that are said, so that those of a class may lie together; z, the code that is given and taken, is
            N(0, I) as ever. Without it a short training leaves it to z which class is drawn, whatever is said
            ("Learning Structured Output Representation using Deep Conditional Generative Models", Sohn, 2015).

    Raises:
        ConfigurationError: for an unknown likelihood, sides that the levels do not divide, an even kernel, or a depth
            of 0 where something is said.
    """

    players: ClassVar[tuple[str, ...]] = ("model",)
    round_trip: ClassVar[float] = 0.1
    likelihood: ClassVar[Literal["exact", "bound", "estimate"]] = "bound"

    def __init__(  # noqa: PLR0913 (a size each)
        self,
        shape: tuple[int, int, int],
        codes: int = 8,
        widths: tuple[int, ...] = (48, 96, 160),
        fold: int = 2,
        depth: int = 1,
        beta: float | None = None,
        edges: float = 1.0,
        bus: Bus | None = None,
        likelihood: str = "edges",
        latent: int = 0,
        warmup: int = 0,
        prior: Prior = "standard",
        kernel: int = 3,
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        factor = fold * 2 ** (len(widths) - 1)
        if height % factor or columns % factor:
            raise ConfigurationError(f"{len(widths)} levels after a fold of {fold} need sides that divide by {factor}, "
                                     f"got {height} × {columns}", hint="fewer widths")  # fmt: skip
        if kernel < 1 or kernel % 2 == 0:
            raise ConfigurationError(f"a kernel of {kernel} would change the sides", hint="1, 3, 5, …")
        if not depth and bus is not None and (bus.sizes.vector or bus.sizes.token):
            raise ConfigurationError("a vae of depth 0 hears no labels and no words", hint="depth = 1")
        self.shape, self.codes, self.edges, self.bus = shape, codes, edges, bus
        self.observation = None if likelihood == "edges" else observation(likelihood, channels)
        if self.observation is not None:
            self.scored = self.observation.scored  # type: ignore[misc]
        self.beta = beta if beta is not None else (1e-4 if self.observation is None else 1.0)
        self.grid = (codes, height // factor, columns // factor)
        self.code_shape: tuple[int, ...] = (latent,) if latent else self.grid
        sizes, told = bus.sizes if bus is not None else Sizes(), bus is not None and bool(bus.names)
        out = channels if self.observation is None else self.observation.parameters_a_pixel
        encoder = Encoder(channels + sizes.maps, 2 * codes, widths, fold, depth, kernel)
        decoder = Decoder(out, codes + folded_maps(sizes, factor), widths, fold, depth, kernel)
        self.encoder = Told(encoder, sizes) if told else encoder
        self.decoder = Told(decoder, sizes) if told else decoder
        self.flatten = nn.Linear(2 * math.prod(self.grid), 2 * latent) if latent else None
        self.spread = nn.Linear(latent, math.prod(self.grid)) if latent else None
        hears = prior == "conditional" and bool(sizes.vector or sizes.token)
        self.prior = ToldPrior(sizes, self.code_shape[0], len(self.code_shape) - 1) if hears else None
        self.warm_up = WarmUp(warmup)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return both coders."""
        return (self.encoder, self.decoder)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return the weighted bound, from one draw of z a picture."""
        said = batch.conditions if self.bus is None else self.bus.drop(batch.conditions, batch.streams)
        channels, beta = self._heard(said, len(batch)), self.beta * self.warm_up(len(batch))
        noise = batch.streams.child("code").normal(*self.code_shape)
        if self.observation is None:
            return self._edge_loss(batch.x, noise, channels, beta)
        x = self.observation.seen(batch.x, batch.streams.child("seen"))
        mean, log_variance = self.posterior(x, channels)
        parameters = self._pixels(mean + (0.5 * log_variance).exp() * noise, channels)
        error = -self.observation.log_prob(parameters, x).mean()
        kl = kl_normal(mean, log_variance).flatten(1).sum(1).mean()
        parts = {"error": error.detach(), "kl": kl.detach(), "nats": (error + kl).detach()}
        return Loss((error + beta * kl) / math.prod(self.shape), parts)

    def _edge_loss(self, x: Tensor, noise: Tensor, channels: Channels, beta: Tensor | float) -> Loss:
        mean, log_variance = self.posterior(x, channels)
        difference = self._pixels(mean + (0.5 * log_variance).exp() * noise, channels).float() - x
        kl = kl_normal(mean, log_variance).mean()
        pixels, edges = difference.abs().mean(), _edge_error(difference)
        total = pixels + self.edges * edges + beta * kl
        squared = difference.detach().square().mean()
        return Loss(total, {"pixels": pixels.detach(), "edges": edges.detach(), "kl": kl.detach(), "squared": squared})

    def posterior(self, x: Tensor, channels: Channels | None = None) -> tuple[Tensor, Tensor]:
        """Return the mean and the log-variance of q(z | x, c), each (B, *code_shape)."""
        channels = channels or self._heard(None, len(x))
        both = self._run(self.encoder, x.contiguous(memory_format=torch.channels_last), channels)
        both = both if self.flatten is None else self.flatten(both.flatten(1))
        mean, log_variance = both.float().chunk(2, 1)
        log_variance = log_variance.clamp(-14, 4)
        if self.prior is None:
            return mean, log_variance
        shift, scale = self.prior(channels)
        return (mean - shift) * (-scale).exp(), log_variance - 2 * scale

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the mean of q(z | x, c), (B, *code_shape)."""
        return self.posterior(x, self._heard(conditions, len(x)))[0]

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the mean of p(x | z, c), (B, C, H, W)."""
        return self._mean(self._pixels(z, self._heard(conditions, len(z))))

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

        Raises:
            CapabilityError: for the likelihood "edges".
        """
        if self.observation is None:
            raise CapabilityError("a vae with the likelihood 'edges' has no density", hint="another likelihood")
        likelihood, codes = self.observation, streams.child("code")
        channels = self._heard(conditions, len(x))
        x = likelihood.seen(x, streams.child("seen"))
        mean, log_variance = self.posterior(x, channels)

        def draw() -> tuple[Tensor, Tensor]:
            z = mean + (0.5 * log_variance).exp() * codes.normal(*self.code_shape).to(mean)
            return z, likelihood.log_prob(self._pixels(z, channels), x)

        def log_weight() -> Tensor:
            z, log_p = draw()
            return log_p + (log_normal(z) - log_normal(z, mean, log_variance)).flatten(1).sum(1)

        if samples == 1:
            return draw()[1] - kl_normal(mean, log_variance).flatten(1).sum(1)
        return importance(log_weight, samples)

    @torch.no_grad()
    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        temperature: float = 1.0,
        pixels: Pixels = "mean",
        chunk: int | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Decode codes drawn from N(0, I), in one step.

        Args:
            conditions: B rows.
            streams: B rows.
            temperature: standard deviation of the codes.
            pixels: the "mean" of p(x | z, c), or a "draw" from it.
            chunk: rows a network call; by default 4 on a CPU and all elsewhere.
            **options: of other families; not heard.
        """
        device = next(self.parameters()).device
        z = streams.child("code").normal(*self.code_shape).to(device) * temperature
        size = chunk or (CHUNK if device.type == "cpu" else None)
        channels = in_chunks(lambda c: self._heard(c, c.count), size, conditions.to(device), count=len(z))
        parameters = in_chunks(self._pixels, size, z, channels, count=len(z))
        if pixels == "draw" and self.observation is not None:
            x = self.observation.sample(parameters, streams.child("pixels"))
        else:
            x = self._mean(parameters)
        yield Progress(1, 1, x, x)

    def _heard(self, conditions: Conditions | None, count: int) -> Channels:
        if self.bus is None:
            return Channels()
        return self.bus(conditions if conditions is not None else Conditions(count=count))

    def _run(self, coder: nn.Module, x: Tensor, channels: Channels) -> Tensor:
        return coder(x, channels) if isinstance(coder, Told) else coder(x)

    def _pixels(self, z: Tensor, channels: Channels | None = None) -> Tensor:
        """Return what the decoder says of p(x | z, c), (B, parameters a pixel, H, W)."""
        channels = channels or self._heard(None, len(z))
        if self.prior is not None:
            shift, scale = self.prior(channels)
            z = shift + scale.exp() * z
        z = z if self.spread is None else self.spread(z).unflatten(1, self.grid)
        return self._run(self.decoder, z.contiguous(memory_format=torch.channels_last), channels).contiguous()

    def _mean(self, parameters: Tensor) -> Tensor:
        return parameters if self.observation is None else self.observation.mean(parameters)


def _edge_error(difference: Tensor) -> Tensor:
    total = difference.new_zeros(())
    for image in (difference, F.avg_pool2d(difference, 2)):
        total = total + image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()
    return total / 2
