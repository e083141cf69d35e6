"""Any family over the codes of any other family that encodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lienzo.conditions.bus import Bus
from lienzo.conditions.image import as_numbers
from lienzo.conditions.maps import CodedCondition
from lienzo.core import (
    Batch,
    Conditions,
    ConfigurationError,
    Encodes,
    Family,
    Loss,
    Progress,
    Said,
    Scores,
    Streams,
    configurable,
    require,
)
from lienzo.sampling import in_chunks


@configurable("latent")
class Latent(Family, Encodes):
    """p(x | c): draw a code with one family, decode it with another, which is kept frozen.

    "High-Resolution Image Synthesis with Latent Diffusion Models" (Rombach et al., 2022). Codes are brought to mean 0
    and standard deviation 1 by channel with `shift` and `scale`, which `calibrate` measures once. Codes (B, D) without
    a grid are (B, D, 1, 1) here.

    Args:
        outer: a family that `Encodes`, trained already.
        inner: a family over codes; its shape is that of a code.
        chunk: pictures that are decoded at once, so that a picture does not depend on how many are drawn with it.
    """

    round_trip: ClassVar[float] = 0.1

    def __init__(self, outer: Family, inner: Family, chunk: int = 8) -> None:
        super().__init__()
        coder = require(outer, Encodes)
        flat = tuple(getattr(coder, "code_shape", inner.shape))
        codes = (*flat, 1, 1) if len(flat) == 1 else flat
        if codes != tuple(inner.shape):
            raise ConfigurationError(f"the inner family draws {inner.shape}, but codes are {codes}")
        self.flat = len(flat) == 1
        self.outer, self.inner, self.chunk = outer.requires_grad_(False).eval(), inner, chunk
        self.players = inner.players  # type: ignore[misc]
        self.shape = outer.shape
        self.register_buffer("shift", torch.zeros(inner.shape[0], 1, 1))
        self.register_buffer("scale", torch.ones(inner.shape[0], 1, 1))

    @torch.no_grad()
    def calibrate(self, pictures: Tensor) -> None:
        """Measure mean and standard deviation of the codes of pictures (B, C, H, W), by channel."""
        codes = torch.cat([as_grid(self._coder().encode(part)) for part in pictures.split(64)])
        self.get_buffer("shift").copy_(codes.mean((0, 2, 3))[:, None, None])
        self.get_buffer("scale").copy_(codes.std((0, 2, 3))[:, None, None].clamp_min(1e-6))

    @property
    def bus(self) -> Any:
        """What the inner family hears."""
        return getattr(self.inner, "bus", None)

    def parameters_of(self, player: str = "model") -> Iterable[nn.Parameter]:
        """Return the inner family's parameters of that player."""
        return self.inner.parameters_of(player)

    def fusible(self) -> Iterable[nn.Module]:
        """Return the inner family's networks."""
        return self.inner.fusible()

    def lacks(self, capability: type) -> str:
        """Return why a model over codes does not score pictures."""
        if not issubclass(capability, Scores):
            return super().lacks(capability)
        return "what draws codes may know how likely a code is, but a model over codes knows it of no picture"

    def train(self, mode: bool = True) -> Latent:
        """Switch the inner family alone: the outer one is never trained here."""
        super().train(mode)
        self.outer.eval()
        return self

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return the inner family's loss on the codes of a batch; a batch of ready codes is taken as it is."""
        if batch.x.shape[1:] != torch.Size(self.inner.shape):
            with torch.no_grad():
                batch = replace(batch, x=self.encode(batch.x))
        return self.inner.loss(replace(batch, conditions=self.coded(batch.conditions)), player)

    @torch.no_grad()
    def coded(self, conditions: Conditions) -> Conditions:
        """Return the same with the codes of all pictures that are heard as codes; codes stay as they are.

        On a CPU they are coded in calls of one size, so that a row does not depend on the others.
        """
        heard = {name: conditions[name] for name in conditions if isinstance(self._condition(name), CodedCondition)}
        found = {name: self._coded(said) for name, said in heard.items()}
        return Conditions({**conditions, **found}, count=conditions.count) if found else conditions

    def _condition(self, name: str) -> Any:
        return self.bus[name] if isinstance(self.bus, Bus) else None

    def _coded(self, said: Said) -> Said:
        pictures = said.values[0]
        if pictures.shape[1:] == torch.Size(self.inner.shape):
            return said
        scale = self.get_buffer("scale")
        codes = scale.new_zeros(len(said), *self.inner.shape)
        rows = said.present.nonzero()[:, 0]
        if len(rows):
            x = as_numbers(pictures[rows]).to(scale.device)
            size = self.chunk if scale.device.type == "cpu" else None
            codes[rows.to(scale.device)] = in_chunks(self.encode, size, x, count=len(x)).float()
        return Said((codes,), said.present)

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return normalised codes, (B, *inner.shape)."""
        return (as_grid(self._coder().encode(x, conditions)) - self.get_buffer("shift")) / self.get_buffer("scale")

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the pictures of normalised codes, (B, C, H, W), `chunk` at a time."""
        z = z * self.get_buffer("scale") + self.get_buffer("shift")
        z = z.flatten(1) if self.flat else z
        short = -len(z) % self.chunk  # the last chunk is filled up: kernels choose their order of sums by the size
        filled = torch.cat([z, z[-1:].expand(short, *z.shape[1:])]) if short else z
        return torch.cat([self._coder().decode(part) for part in filled.split(self.chunk)])[: len(z)]

    def sampling(
        self, conditions: Conditions, *, streams: Streams, previews: Literal["all", "last"] = "last", **options: Any
    ) -> Iterator[Progress]:
        """Yield the inner family's steps; estimates are decoded at the last step, or at all of them for previews."""
        for progress in self.inner.sampling(self.coded(conditions), streams=streams, **options):
            if previews == "all" or progress.step == progress.steps:
                yield replace(progress, estimate=self.decode(progress.estimate))
            else:
                yield progress

    def _coder(self) -> Encodes:
        return require(self.outer, Encodes)


def as_grid(codes: Tensor) -> Tensor:
    """Return codes (B, D) as a grid of one place, (B, D, 1, 1); others as they are."""
    return codes[:, :, None, None] if codes.ndim == 2 else codes
