"""The autoencoder of a pipeline as a family that encodes; tokens of 2 × 2 codes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lienzo.core import CapabilityError, Conditions, Encodes, Progress, Streams
from lienzo.pretrained.held import Held, Untrained
from lienzo.pretrained.telling import memory_told


class Coder(Untrained, Encodes):
    """The autoencoder of a pipeline: codes are its posterior's mode, one picture a call.

    Args:
        vae: of the pipeline.
        shape: (3, H, W) of pictures.
        place: see `Untrained`.
        frames: whether it codes clips: a picture is a clip of one frame.
        name: of the model, for messages.
    """

    def __init__(self, vae: Any, shape: tuple[int, int, int], place: Tensor, frames: bool, name: str) -> None:
        super().__init__(place)
        self.vae, self.shape, self.frames, self.name = Held(vae), shape, frames, name

    def sampling(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Iterator[Progress]:
        """Raise: a coder alone draws nothing.

        Raises:
            CapabilityError: always.
        """
        raise CapabilityError("a coder alone draws no pictures", hint="the pipeline that it belongs to")

    @torch.no_grad()
    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return codes, (B, Z, H / f, W / f) float32."""
        with memory_told(self.name), _full(self.vae.it) as vae:
            return torch.cat([self._out(vae.encode(self._in(row, vae)).latent_dist.mode()) for row in x.split(1)])

    @torch.no_grad()
    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the pictures of codes, (B, 3, H, W) float32."""
        with memory_told(self.name), _full(self.vae.it) as vae:
            return torch.cat([self._out(vae.decode(self._in(row, vae)).sample) for row in z.split(1)])

    def _in(self, x: Tensor, vae: Any) -> Tensor:
        x = x.to(self.place.device, vae.dtype)
        return x[:, :, None] if self.frames else x

    def _out(self, x: Tensor) -> Tensor:
        return (x[:, :, 0] if self.frames else x).to(self.place.device).float()


@contextmanager
def _full(vae: Any) -> Generator[Any]:
    """Lend a coder that overflows in float16 in float32, as its own configuration asks."""
    half = vae.dtype == torch.float16 and bool(vae.config.get("force_upcast"))
    try:
        yield vae.to(torch.float32) if half else vae
    finally:
        if half:
            vae.to(torch.float16)


def packed(z: Tensor) -> Tensor:
    """Return codes (B, Z, h, w) as tokens of 2 × 2, (B, hw / 4, 4 Z)."""
    b, c, h, w = z.shape
    return z.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, 4 * c)


def unpacked(tokens: Tensor, h: int) -> Tensor:
    """Return the codes (B, Z, h, w) of tokens; the inverse of `packed`.

    >>> z = torch.randn(2, 4, 6, 8)
    >>> bool((unpacked(packed(z), 6) == z).all())
    True
    """
    b, count, c = tokens.shape
    rows, columns = h // 2, count // (h // 2)
    cells = tokens.view(b, rows, columns, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return cells.reshape(b, c // 4, h, 2 * columns)
