"""Generative adversarial networks: one family, a table of contests (`lienzo.sampling.adversarial.CONTESTS`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, Conditions, Family, Loss, Progress, Streams, configurable
from lienzo.families.duel import PLAYERS, Duel, Rules
from lienzo.networks.generators import Generator
from lienzo.sampling.chunks import in_chunks

CHUNK = 8  # rows a network call on a CPU, where the size of a call changes a result's last bits


@configurable("gan")
class GAN(Family):
    r"""p(x | c) as what a generator makes of z ~ N(0, I), learnt from a critic that tells its pictures from real ones.

    With D(r | c), D(f | c) the critic's values of a real and of a drawn picture under the same condition, in the usual
    contest the critic minimises E ς(D(f | c) − D(r | c)) + γ₁/2 E‖∇D(r)‖² + γ₂/2 E‖∇D(f)‖², ς softplus, and the
    generator E ς(D(r | c) − D(f | c)): comparing pairs keeps whole modes from being left out, and the penalties make
    the game converge locally. There is no likelihood, and no code of a given picture.

    Args:
        shape: (C, H, W) of a picture.
        bus: what may be said.
        latent: numbers in z.
        widths: channels of each level of both networks, from the largest grid to the smallest.
        critic_widths: the critic's own; None: as the generator's.
        depth: residual blocks a level.
        fold: pixels of a side that are folded into channels.
        hears: how the critic hears vector and tokens.
        expansion, group: of `FixupBlock`.
        rules: contest, penalties and augmentation.

    Raises:
        ConfigurationError: for sides that `fold` does not divide, or rules that do not exist.

    "Generative Adversarial Nets" (Goodfellow, 2014); "The GAN is dead; long live the GAN! A Modern GAN Baseline"
    (Huang, 2024).
    """

    players: ClassVar[tuple[str, ...]] = PLAYERS
    scratch: ClassVar[frozenset[str]] = frozenset({"duel"})  # the critic

    def __init__(
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        latent: int = 64,
        widths: tuple[int, ...] = (64, 96, 128),
        critic_widths: tuple[int, ...] | None = None,
        depth: int = 1,
        fold: int = 2,
        hears: Literal["projection", "concatenation"] = "projection",
        expansion: int = 1,
        group: int = 0,
        rules: Rules = Rules(),  # noqa: B008 (frozen)
    ) -> None:
        super().__init__()
        self.shape, self.bus, self.latent = shape, bus, latent
        self.generator = Generator(shape, bus.sizes, latent, widths, depth, fold, expansion, group)
        self.duel = Duel(shape, bus, rules, critic_widths or widths, depth, fold, hears, expansion, group)
        self.players = rules.players  # type: ignore[misc]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the generator: torch.compile has no second derivatives, which the critic's penalties need."""
        return (self.generator,)

    def parameters_of(self, player: str = "generator") -> Iterable[nn.Parameter]:
        """Return the critic's parameters and ears, or the generator's.

        Raises:
            ConfigurationError: for another player.
        """
        return self.duel.side(player, self.bus, self.generator)

    def loss(self, batch: Batch, player: str = "generator") -> Loss:
        """Return what the player minimises; the other one gets no gradient from it."""
        said = self.bus.drop(batch.conditions, batch.streams)
        z = batch.streams.child("z").normal(self.latent)
        if player == "critic":
            with torch.no_grad():
                fake = self.draw(z, said)
            return self.duel.critic_loss(batch.x, fake, said, batch.streams)
        return Loss(self.duel.generator_loss(batch.x, self.draw(z, said), said, batch.streams))

    def draw(self, z: Tensor, conditions: Conditions) -> Tensor:
        """Return the pictures (B, C, H, W) of draws z (B, Z), not yet clamped."""
        return self.generator(z, self.bus(conditions))

    @torch.no_grad()
    def sampling(
        self, conditions: Conditions, *, streams: Streams, chunk: int | None = None, **options: Any
    ) -> Iterator[Progress]:
        """Draw in one step.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size, bitwise on a CPU.
            chunk: rows a network call; by default 8 on a CPU and all elsewhere.
            **options: not used: there is nothing to choose.
        """
        device = next(self.generator.parameters()).device
        size = chunk or (CHUNK if device.type == "cpu" else None)
        z = streams.child("z").normal(self.latent).to(device)
        x: Tensor = in_chunks(self.draw, size, z, conditions.to(device), count=len(z))
        yield Progress(1, 1, x, x)
