"""An average of the weights over training, with its length in images."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def ema_decay(images: int, seen: int, half_life: float, ramp: float) -> float:
    r"""Return β = 2^(-images / h) for a step of `images` images.

    h = min(half_life, ramp · seen): early on the average is short, so that it forgets the start; as in "Elucidating the
    Design Space of Diffusion-Based Generative Models" (Karras et al., 2022), training loop.
    """
    h = min(half_life, ramp * seen)
    return 0.5 ** (images / h) if h > 0 else 0.0


class Average:
    """θ̄ ← θ̄ + (1 - β)(θ - θ̄), in place, in one call for all tensors.

    Args:
        parameters: name → what is trained. What is frozen is not averaged.
        half_life: images.
        ramp: see `ema_decay`.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], half_life: float, ramp: float) -> None:
        self.names = list(parameters)
        self._live: list[Tensor] = list(parameters.values())
        self._mean = [p.detach().clone() for p in self._live]
        self.half_life, self.ramp = half_life, ramp

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The averages by parameter name; writing into them changes the average."""
        return dict(zip(self.names, self._mean, strict=True))

    @torch.no_grad()
    def update(self, images: int, seen: int) -> None:
        """Take one step of `images` images into the average, `seen` of them in all so far."""
        if self._mean:
            weight = 1 - ema_decay(images, seen, self.half_life, self.ramp)
            torch._foreach_lerp_(self._mean, self._live, weight)  # pyright: ignore[reportPrivateImportUsage, reportPrivateUsage]

    @contextmanager
    def applied(self) -> Generator[None]:
        """Let the family hold the averages within the block; pointers are exchanged, nothing is copied."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for index, parameter in enumerate(self._live):
            parameter.data, self._mean[index] = self._mean[index], parameter.data

    @torch.no_grad()
    def keep(self) -> None:
        """Leave the averages in the family, for good."""
        for mean, parameter in zip(self._mean, self._live, strict=True):
            parameter.copy_(mean)
