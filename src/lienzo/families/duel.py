"""The half of an adversarial family that is always the same: the critic, what both players minimise, augmentation."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator as Generating
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lienzo.conditions.base import Channels
from lienzo.conditions.bus import Bus
from lienzo.core import Conditions, ConfigurationError, Loss, Streams
from lienzo.networks.critics import Critic
from lienzo.sampling.adversarial import CONTESTS, one_centred, squared_slopes
from lienzo.sampling.augmentation import augmented
from lienzo.sampling.chunks import rows_of

PLAYERS = ("critic", "generator")


@dataclass(frozen=True)
class Rules:
    """What the players of a duel minimise.

    Attributes:
        contest: a row of `CONTESTS`.
        r1, r2: γ of γ/2 E‖∇D‖² at real and at drawn pictures, pixels in [-1, 1]; None: the row's.
        slope: weight of E(‖∇D‖ − 1)² between them; None: the row's.
        share: of a batch's rows, those of which the penalties are taken: lazy regularisation, at every step alike.
        augment: probability with which the critic sees a picture changed in each way, at the start.
        adapt: images over which that probability can rise from 0 to 1 while the critic overfits; 0: it stays.
        target: mean sign of the margin on real pictures above which the critic overfits.
        critic_steps: of the critic, for one of the generator; 5 is usual with "wasserstein-gp".
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}  # a typo must not pass

    contest: str = "relativistic"
    r1: float | None = None
    r2: float | None = None
    slope: float | None = None
    share: float = 1.0
    augment: float = 0.0
    adapt: float = 0.0
    target: float = 0.6
    critic_steps: int = 1

    @property
    def players(self) -> tuple[str, ...]:
        """Whom the loop trains in turn."""
        return (PLAYERS[0],) * self.critic_steps + PLAYERS[1:]


class Duel(nn.Module):
    """A critic with ears of its own, and the losses of both players.

    Every player hears conditions with weights of its own: the bus is copied, since a generator that could change the
    critic's would blind it.

    Args:
        shape: (C, H, W) of a picture.
        bus: the generator's; copied.
        rules: what is minimised.
        widths, depth, fold, hears, expansion, group: of `Critic`.

    Raises:
        ConfigurationError: for a contest that the table does not have, a share outside of (0, 1], or no steps.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        rules: Rules,
        widths: tuple[int, ...],
        depth: int,
        fold: int,
        hears: Literal["projection", "concatenation"],
        expansion: int,
        group: int,
    ) -> None:
        super().__init__()
        if rules.contest not in CONTESTS:
            raise ConfigurationError(f"unknown contest {rules.contest!r}", hint=f"one of {', '.join(CONTESTS)}")
        if not 0 < rules.share <= 1:
            raise ConfigurationError(f"a share of the rows must be in (0, 1], got {rules.share}")
        if rules.critic_steps < 1:
            raise ConfigurationError(f"critic_steps must be at least 1, got {rules.critic_steps}")
        self.rules, self.contest, self.bus = rules, CONTESTS[rules.contest], copy.deepcopy(bus)
        self.network = Critic(shape, bus.sizes, widths, depth, fold, hears, expansion, group)
        self.r1, self.r2, self.slope = (
            getattr(self.contest if own is None else rules, name)
            for name, own in (("r1", rules.r1), ("r2", rules.r2), ("slope", rules.slope))
        )
        self.register_buffer("probability", torch.tensor(float(rules.augment)))

    def side(self, player: str, *drawing: nn.Module) -> list[nn.Parameter]:
        """Return what a player may change: the critic and its ears, or the modules that draw.

        Raises:
            ConfigurationError: for another player.
        """
        if player not in PLAYERS:
            raise ConfigurationError(f"a duel has no player {player!r}", hint=f"one of {', '.join(PLAYERS)}")
        modules = (self,) if player == "critic" else drawing
        return [p for module in modules for p in module.parameters() if p.requires_grad]

    def critic_loss(self, real: Tensor, fake: Tensor, said: Conditions, streams: Streams) -> Loss:
        """Return what the critic minimises: the contest's mean and the penalties.

        Args:
            real: (B, C, H, W), pictures of the data.
            fake: (B, C, H, W), drawn under the same conditions, without a graph.
            said: B rows, dropped already.
            streams: B rows, for the augmentation and the places between.
        """
        real, fake = self._seen(real, streams.child("real")), self._seen(fake.detach(), streams.child("fake"))
        channels, count = self.bus(said), math.ceil(self.rules.share * len(real))
        on_real, at_real = self._values(real, channels, count if self.r1 else 0)
        on_fake, at_fake = self._values(fake, channels, count if self.r2 else 0)
        total = self.contest.critic(on_real, on_fake).mean()
        parts = {"contest": total.detach(), "right": (on_real > on_fake).float().mean()}
        if self.slope:
            u = streams.child("between").uniform(1, 1, 1)[:count]
            between = u * real[:count] + (1 - u) * fake[:count]
            steep = one_centred(self._values(between, _first(channels, count), count)[1]).mean()
            total, parts["slope"] = total + self.slope * steep, steep.detach()
        for name, gamma, squared in (("r1", self.r1, at_real), ("r2", self.r2, at_fake)):
            if gamma:
                total, parts[name] = total + gamma / 2 * squared.mean(), squared.detach().mean()
        self._adapt(self.contest.margin(on_real, on_fake).detach())
        return Loss(total, parts)

    def generator_loss(self, real: Tensor, fake: Tensor, said: Conditions, streams: Streams) -> Tensor:
        """Return the contest's mean for the generator; the critic gets no gradient. Arguments as for the critic."""
        with frozen(self):
            channels = self.bus(said)
            on_fake = self.network(self._seen(fake, streams.child("fake")), channels)
            on_real = on_fake.detach()
            if self.contest.paired:
                on_real = self.network(self._seen(real, streams.child("real")), channels)
            return self.contest.generator(on_real, on_fake).mean()

    def _values(self, x: Tensor, channels: Channels, count: int) -> tuple[Tensor, Tensor]:
        """Return the values (B,) of x, and ‖∇D‖² at the first `count` rows, which are computed in float32.

        Second derivatives in bfloat16 would be noise, and are asked for even where a loss is only measured.
        """
        if not count:
            return self.network(x, channels), x.new_zeros(0)
        with torch.enable_grad(), torch.autocast(x.device.type, enabled=False):
            head = x[:count].detach().float().requires_grad_()
            values = self.network(head, _first(channels, count))
            squared = squared_slopes(values, head)
        if count < len(x):
            values = torch.cat([values, self.network(x[count:], _first(channels, len(x), count))])
        return values, squared

    def _seen(self, x: Tensor, streams: Streams) -> Tensor:
        x = x.float()
        silent = not self.rules.augment and not self.rules.adapt
        return x if silent else augmented(x, streams, self.get_buffer("probability"))

    @torch.no_grad()
    def _adapt(self, margin: Tensor) -> None:
        """Raise the probability while the critic is right too often about real pictures, and lower it otherwise."""
        if self.training and self.rules.adapt:
            step = (margin.sign().mean() - self.rules.target).sign() * len(margin) / self.rules.adapt
            self.get_buffer("probability").add_(step).clamp_(0, 1)


def _first(channels: Channels, stop: int, start: int = 0) -> Channels:
    return rows_of(channels, torch.arange(start, stop))


@contextmanager
def frozen(module: nn.Module) -> Generating[None]:
    """Within the block a graph ends at the module's parameters: they get no gradient from it, then or later."""
    own = [p for p in module.parameters() if p.requires_grad]
    for parameter in own:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in own:
            parameter.requires_grad_(True)
