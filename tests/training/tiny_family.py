"""The smallest family that has everything which the loop must carry: noise, a frozen part, a buffer, shared weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lienzo.core import Batch, Conditions, Family, Loss, Progress, Streams, configurable, register
from lienzo.training import TrainingSettings
from lienzo.training.checkpoint import resolve
from lienzo.training.tensors import read_tensors

register("family", "tiny", f"{__name__}:Tiny")
register("family", "tiny-game", f"{__name__}:Game")

SETTINGS = TrainingSettings(
    batch_size=8, images=8 * 60, warmup=40, ema_half_life=100, precision="float32", checkpoint_every=0, threads=1,
    log_every=5, device="cpu",
)  # fmt: skip


def settings(**changes: Any) -> TrainingSettings:
    """Return the settings of these tests with some changed."""
    return TrainingSettings.checked(SETTINGS.model_dump() | changes)


@configurable("tiny")
class Tiny(Family):
    """A small denoiser of 1x4x4 pictures at one noise level: E‖f(x + σz) - x‖²."""

    def __init__(self, sigma: float = 0.5, width: int = 8) -> None:
        super().__init__()
        self.shape = (1, 4, 4)
        self.sigma = sigma
        generator = torch.Generator().manual_seed(0)
        self.into = nn.Parameter(torch.randn(width, 16, generator=generator) / 4)
        self.out = nn.Parameter(torch.randn(16, width, generator=generator) / 4)
        self.bias = nn.Parameter(torch.zeros(16))
        self.same = self.bias  # a second name for the same weights
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(16))

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        x = batch.x.flatten(1)
        noisy = x + self.sigma * batch.streams.normal(16)
        error = (self.guess(noisy) - x).square()
        if self.training:
            self.mean.lerp_(x.mean(0), 0.1)
        return Loss(error.mean(), {"largest": error.detach().max()})

    def guess(self, noisy: Tensor) -> Tensor:
        return torch.tanh(noisy @ self.into.T) @ self.out.T + self.bias

    @torch.no_grad()
    def sampling(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Iterator[Progress]:
        x = self.guess(streams.normal(16)).view(-1, 1, 4, 4)
        yield Progress(1, 1, x, x)


@configurable("tiny-game")
class Game(Tiny):
    """Two players with parameters of their own, one of whom moves twice a step."""

    players: ClassVar[tuple[str, ...]] = ("critic", "critic", "generator")

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Linear(16, 1)
        with torch.no_grad():
            self.critic.weight.fill_(0.1)
            self.critic.bias.zero_()

    def parameters_of(self, player: str = "generator") -> Iterator[nn.Parameter]:
        if player == "critic":
            return iter(self.critic.parameters())
        return iter([self.into, self.out, self.bias])

    def loss(self, batch: Batch, player: str = "generator") -> Loss:
        fake = self.guess(batch.streams.normal(16))
        if player == "critic":
            real = batch.x.flatten(1)
            return Loss(nn.functional.softplus(self.critic(fake.detach()) - self.critic(real)).mean())
        return Loss(nn.functional.softplus(-self.critic(fake)).mean())


def batch_at(seen: int, size: int = 8) -> Batch:
    """Return pictures that are a function of their number."""
    streams = Streams(5, range(seen, seen + size))
    return Batch(streams.child("x").uniform(1, 4, 4) * 2 - 1, Conditions(count=size), streams)


def weights(folder: Path) -> dict[str, Tensor]:
    """Return every tensor of the newest checkpoint of a run, by file and name."""
    found = resolve(folder)
    files = ["model.safetensors", "state/raw.safetensors", "state/optimiser.safetensors"]
    return {f"{file}:{name}": t.clone() for file in files for name, t in read_tensors(found / file).items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Whether two states are the same bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


def close(a: dict[str, Tensor], b: dict[str, Tensor], within: float) -> bool:
    """Whether two states are the same within a tolerance."""
    return a.keys() == b.keys() and all(torch.allclose(a[n], b[n], rtol=within, atol=within) for n in a)
