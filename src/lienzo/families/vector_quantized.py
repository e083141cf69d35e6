"""Autoencoder whose codes are numbers of a closed list: the tokenizer of token models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.core import Batch, Conditions, Encodes, Family, Loss, Progress, Streams, configurable
from lienzo.families.duel import frozen
from lienzo.networks.coders import Decoder, Encoder
from lienzo.networks.quantizers import Codebook, FiniteScalar, Quantizer, usage
from lienzo.networks.random_features import RandomFeatures
from lienzo.sampling.chunks import in_chunks

CHUNK = 8  # pictures decoded at once on a CPU, so that none depends on how many are drawn with it


@configurable("vector_quantized")
class VectorQuantized(Family, Encodes):
    r"""x̂ = g(q(f(x))): an encoder f, a quantizer q that keeps one of K vectors a place, a decoder g.

    The loss is |x − x̂| + edges + perceptual · d(x, x̂) + commitment · ‖f(x) − sg(q)‖² + adversarial · hinge, d a
    distance of features (`RandomFeatures`); the gradient passes q as if it were the identity. Tokens say nothing of
    their own distribution: alone it draws them uniformly, and what that shows is not a picture of the data. It is the
    tokenizer of token models ("autoregressive").

    "Neural Discrete Representation Learning" (van den Oord, 2017); "Finite Scalar Quantization: VQ-VAE Made Simple"
    (Mentzer, 2023); the critic as in "Taming Transformers for High-Resolution Image Synthesis" (Esser, 2021).

    Args:
        shape: (C, H, W) of a picture.
        quantizer: "fsq": rounding to `levels`; "vq": a codebook of `size` vectors of length `codes`.
        levels: L_d of "fsq"; K is their product.
        size: K of "vq".
        codes: D of "vq".
        widths: channels of each level of the coders, from large grid to small.
        fold: pixels folded into channels by the first layer; a token covers fold · 2^(levels − 1) pixels a side.
        depth: residual blocks a level.
        edges: weight of the error of the differences between neighbours, at full and at half resolution.
        perceptual: weight of the distance in features of a fixed random network, which needs no download; 0 for none.
        commitment: what the encoder pays for its distance from the codebook.
        adversarial: weight of a patch critic's judgement; 0: there is no critic.
    """

    round_trip: ClassVar[float] = 0.12

    def __init__(
        self,
        shape: tuple[int, int, int],
        quantizer: Literal["fsq", "vq"] = "fsq",
        levels: tuple[int, ...] = (8, 5, 5, 5),
        size: int = 512,
        codes: int = 16,
        widths: tuple[int, ...] = (48, 96),
        fold: int = 2,
        depth: int = 1,
        edges: float = 1.0,
        commitment: float = 0.25,
        adversarial: float = 0.0,
        perceptual: float = 0.0,
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        factor = fold * 2 ** (len(widths) - 1)
        self.shape, self.edges, self.commitment, self.adversarial = shape, edges, commitment, adversarial
        self.quantizer: Quantizer = FiniteScalar(levels) if quantizer == "fsq" else Codebook(size, codes)
        self.grid = (height // factor, columns // factor)
        self.code_shape = (self.quantizer.width, *self.grid)
        self.encoder = Encoder(channels, self.quantizer.width, widths, fold, depth)
        self.decoder = Decoder(channels, self.quantizer.width, widths, fold, depth)
        self.perceptual, self.features = perceptual, RandomFeatures(channels) if perceptual else None
        self.critic = PatchCritic(channels, widths[0]) if adversarial else None
        self.players = ("critic", "model") if adversarial else ("model",)  # type: ignore[misc]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def vocabulary(self) -> int:
        """K, how many tokens there are."""
        return self.quantizer.size

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return both coders."""
        return (self.encoder, self.decoder)

    def parameters_of(self, player: str = "model") -> Iterable[nn.Parameter]:
        """Return the critic's parameters or, for "model", all others."""
        judges = list(self.critic.parameters()) if self.critic is not None else []
        if player == "critic":
            return [p for p in judges if p.requires_grad]
        own = {id(p) for p in judges}
        return (p for p in self.parameters() if p.requires_grad and id(p) not in own)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return the error of the pictures that come back; for "critic", the hinge loss of its judgement."""
        if player == "critic":
            return self._judgement(batch)
        raw = self._raw(batch.x)
        if self.training and isinstance(self.quantizer, Codebook) and not bool(self.quantizer.get_buffer("uses").any()):
            self.quantizer.learn(raw, self.quantizer.tokens(raw.detach()), batch.streams)  # the first batch fills it
        z, tokens, commitment = self.quantizer(raw)
        if self.training:
            self.quantizer.learn(raw, tokens, batch.streams)
        x = self._decoded(z).float()
        difference = x - batch.x
        pixels, edges = difference.abs().mean(), edge_error(difference)
        total = pixels + self.edges * edges + self.commitment * commitment
        used, perplexity = usage(tokens, self.vocabulary)
        parts = {"pixels": pixels.detach(), "edges": edges.detach(), "commitment": commitment.detach(),
                 "squared": difference.detach().square().mean(), "used": used, "perplexity": perplexity}  # fmt: skip
        if self.features is not None:
            distance = self.features(x, batch.x)
            total, parts = total + self.perceptual * distance, {**parts, "perceptual": distance.detach()}
        if self.critic is not None:
            with frozen(self.critic):
                hinge = -self.critic(x).float().mean()
            total, parts = total + self.adversarial * hinge, {**parts, "hinge": hinge.detach()}
        return Loss(total, parts)

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the grid of quantized vectors, (B, D, h, w)."""
        return self.quantizer.vectors(self.tokens(x))

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the picture (B, C, H, W) of a grid of vectors, each brought to the nearest one of the list."""
        return self.from_tokens(self.quantizer.nearest(z))

    def tokens(self, x: Tensor) -> Tensor:
        """Return the tokens of x, (B, h, w) int64 in [0, K)."""
        return self.quantizer.tokens(self._raw(x))

    def from_tokens(self, tokens: Tensor) -> Tensor:
        """Return the picture (B, C, H, W) of tokens (B, h, w)."""
        return self._decoded(self.quantizer.vectors(tokens)).contiguous()

    @torch.no_grad()
    def sampling(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Iterator[Progress]:
        """Decode tokens drawn uniformly, in one step: a look at the codes, not at the data's distribution."""
        device = next(self.parameters()).device
        tokens = streams.child("tokens").integers(self.vocabulary, *self.grid).to(device)
        x = in_chunks(self.from_tokens, CHUNK if device.type == "cpu" else None, tokens, count=len(tokens))
        yield Progress(1, 1, x, x)

    def _judgement(self, batch: Batch) -> Loss:
        assert self.critic is not None
        with torch.no_grad():
            made = self.decode(self.encode(batch.x)).to(batch.x.dtype)
        real, fake = self.critic(batch.x).float(), self.critic(made).float()
        total = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        return Loss(total, {"real": real.detach().mean(), "fake": fake.detach().mean()})

    def _raw(self, x: Tensor) -> Tensor:
        return self.encoder(x.contiguous(memory_format=torch.channels_last)).float()

    def _decoded(self, z: Tensor) -> Tensor:
        return self.decoder(z.contiguous(memory_format=torch.channels_last))


class PatchCritic(nn.Sequential):
    """(B, C, H, W) → (B, 1, H/4, W/4): how real each patch looks.

    "Image-to-Image Translation with Conditional Adversarial Networks" (Isola, 2017).

    Args:
        channels: C.
        width: of the first layer, a multiple of 4.
    """

    def __init__(self, channels: int, width: int) -> None:
        sides: dict[str, Any] = {"kernel_size": 4, "stride": 2, "padding": 1}
        super().__init__(
            nn.Conv2d(channels, width, **sides), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, **sides), nn.GroupNorm(8, 2 * width), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 3, padding=1),
        )  # fmt: skip


def edge_error(difference: Tensor) -> Tensor:
    """Return the mean absolute difference between neighbours of (B, C, H, W), at full and at half resolution."""
    total = difference.new_zeros(())
    for image in (difference, F.avg_pool2d(difference, 2)):
        total = total + image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()
    return total / 2
