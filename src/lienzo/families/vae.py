"""Variational autoencoder with a grid of Gaussian codes: the space in which latent families live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.core import Batch, Conditions, Encodes, Family, Loss, Progress, Streams, configurable
from lienzo.networks.coders import Decoder, Encoder


@configurable("vae")
class VAE(Family, Encodes):
    r"""p(x) = ∫ p(x | z) N(z; 0, I) dz, learnt with a convolutional encoder q(z | x).

    The loss is the evidence bound with a small weight on its second term, as an autoencoder for other families wants
    it: |x − x̂| + edges + β KL(q(z | x) ‖ N(0, I)). "Edges" is the absolute error of the differences between
    neighbours, at full and at half resolution: drawings are made of them, and a mean error alone blurs them.

    "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014); as a first stage "High-Resolution Image Synthesis with
    Latent Diffusion Models" (Rombach et al., 2022).

    Args:
        shape: (C, H, W) of a picture.
        codes: channels of a code.
        widths: channels of each level of the coders, from large grid to small.
        fold: pixels folded into channels by the first layer; a code's grid is H / (fold · 2^(levels − 1)).
        depth: residual blocks a level.
        beta: weight of the KL term, per value of the code.
        edges: weight of the edge term.
    """

    players: ClassVar[tuple[str, ...]] = ("model",)

    def __init__(
        self,
        shape: tuple[int, int, int],
        codes: int = 8,
        widths: tuple[int, ...] = (48, 96, 160),
        fold: int = 2,
        depth: int = 1,
        beta: float = 1e-4,
        edges: float = 1.0,
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        factor = fold * 2 ** (len(widths) - 1)
        self.shape, self.codes, self.beta, self.edges = shape, codes, beta, edges
        self.code_shape = (codes, height // factor, columns // factor)
        self.encoder = Encoder(channels, 2 * codes, widths, fold, depth)
        self.decoder = Decoder(channels, codes, widths, fold, depth)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return both coders."""
        return (self.encoder, self.decoder)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return the weighted bound, from one draw of z a picture."""
        mean, log_variance = self.posterior(batch.x)
        noise = batch.streams.child("code").normal(*self.code_shape)
        x = self.decode(mean + (0.5 * log_variance).exp() * noise).float()
        difference = x - batch.x
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
        pixels, edges = difference.abs().mean(), _edge_error(difference)
        total = pixels + self.edges * edges + self.beta * kl
        squared = difference.detach().square().mean()
        return Loss(total, {"pixels": pixels.detach(), "edges": edges.detach(), "kl": kl.detach(), "squared": squared})

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the log-variance of q(z | x), each (B, codes, h, w)."""
        both = self.encoder(x.contiguous(memory_format=torch.channels_last)).float()
        mean, log_variance = both.chunk(2, 1)
        return mean, log_variance.clamp(-14, 4)

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the mean of q(z | x), (B, codes, h, w)."""
        return self.posterior(x)[0]

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the mean of p(x | z), (B, C, H, W)."""
        return self.decoder(z.contiguous(memory_format=torch.channels_last)).contiguous()

    def sampling(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Iterator[Progress]:
        """Decode codes drawn from N(0, I), in one step."""
        z = streams.child("code").normal(*self.code_shape)
        x = self.decode(z)
        yield Progress(1, 1, x, x.clamp(-1, 1))


def _edge_error(difference: Tensor) -> Tensor:
    total = difference.new_zeros(())
    for image in (difference, F.avg_pool2d(difference, 2)):
        total = total + image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()
    return total / 2
