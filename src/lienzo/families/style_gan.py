"""StyleGAN: a generator whose layers are each told a style, and the space of these styles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.base import Channels
from lienzo.conditions.bus import Bus
from lienzo.core import Batch, Conditions, ConfigurationError, Encodes, Family, Loss, Progress, Streams, configurable
from lienzo.families.duel import PLAYERS, Duel, Rules, frozen
from lienzo.networks.style import Mapping as StyleMapping
from lienzo.networks.style import Synthesis
from lienzo.sampling.chunks import in_chunks, rows_of
from lienzo.sampling.guidance import branched, combined

CHUNK = 8  # rows a network call on a CPU, where the size of a call changes a result's last bits
HALF_LIFE = 5000  # images, of the average style
LENGTHS = 0.01  # of the mean path length, what a step replaces
GRADES = ("coarse", "middle", "fine")
GUIDED = "coarse,middle"  # fine ones say little of what a thing is, and lose variety: docs/families/style_gan.md


@configurable("style_gan")
class StyleGAN(Family, Encodes):
    r"""p(x | c) of x = G(w, noise), w = M(z, c), z ~ N(0, I): styles w that every layer of G hears, learnt as by `GAN`.

    The generator also minimises λ E(‖J_wᵀ y‖ − a)², y ~ N(0, I) / √(HW), a its running mean: steps of one length in w
    then change a picture by as much wherever they start. A code is (L, D), a style a layer.

    Args:
        shape: (C, H, W) of a picture.
        bus: what may be said.
        latent: numbers in z.
        style: D, numbers in w.
        mapping: layers of M.
        rate: how much more slowly M learns than the rest, as a factor.
        widths: channels of each level of both networks, from the largest grid to the smallest.
        critic_widths: the critic's own; None: as the generator's.
        depth: the critic's residual blocks a level.
        fold: pixels of a side that are folded into channels.
        hears: how the critic hears vector and tokens.
        mixing: probability with which a picture is drawn from two styles in training, the second from a layer on.
        path: λ.
        path_share: of a batch's rows, those of which path lengths are taken.
        steps: of `encode`.
        rules: contest, penalties and augmentation.

    Raises:
        ConfigurationError: for sides that `fold` does not divide, or rules that do not exist.

    "Analyzing and Improving the Image Quality of StyleGAN" (Karras, 2020).
    """

    players: ClassVar[tuple[str, ...]] = PLAYERS
    scratch: ClassVar[frozenset[str]] = frozenset({"duel"})  # the critic
    round_trip: ClassVar[float] = 0.15

    def __init__(  # noqa: PLR0913 (two networks and a contest)
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        latent: int = 64,
        style: int = 64,
        mapping: int = 2,
        rate: float = 0.1,
        widths: tuple[int, ...] = (32, 64, 96),
        critic_widths: tuple[int, ...] | None = None,
        depth: int = 1,
        fold: int = 2,
        hears: Literal["projection", "concatenation"] = "projection",
        mixing: float = 0.5,
        path: float = 1.0,
        path_share: float = 0.125,
        steps: int = 100,
        rules: Rules = Rules(),  # noqa: B008 (frozen)
    ) -> None:
        super().__init__()
        self.shape, self.bus, self.latent, self.steps = shape, bus, latent, steps
        self.mixing, self.path, self.path_share = mixing, path, path_share
        self.mapping = StyleMapping(bus.sizes, latent, style, mapping, rate)
        self.synthesis = Synthesis(shape, bus.sizes, style, widths, fold)
        self.duel = Duel(shape, bus, rules, critic_widths or widths, depth, fold, hears, 1, 0)
        self.code_shape = (self.synthesis.styles, style)
        self.register_buffer("average", torch.zeros(style))
        self.register_buffer("length", torch.zeros(()))
        self.players = rules.players  # type: ignore[misc]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the mapping: torch.compile has no second derivatives, which the penalties need of the rest."""
        return (self.mapping,)

    def parameters_of(self, player: str = "generator") -> Iterable[nn.Parameter]:
        """Return the critic's parameters and ears, or those of mapping, synthesis and their ears.

        Raises:
            ConfigurationError: for another player.
        """
        return self.duel.side(player, self.bus, self.mapping, self.synthesis)

    def loss(self, batch: Batch, player: str = "generator") -> Loss:
        """Return what the player minimises; the other one gets no gradient from it."""
        said = self.bus.drop(batch.conditions, batch.streams)
        if player == "critic":
            with torch.no_grad():
                fake = self.draw(self._mixed(said, batch.streams), said, self._noise(batch.streams))
            return self.duel.critic_loss(batch.x, fake, said, batch.streams)
        w, noise = self._mixed(said, batch.streams), self._noise(batch.streams)
        total = self.duel.generator_loss(batch.x, self.draw(w, said, noise), said, batch.streams)
        if self.training:
            with torch.no_grad():
                self.get_buffer("average").lerp_(w[:, 0].mean(0), 1 - 0.5 ** (len(w) / HALF_LIFE))
        if not self.path:
            return Loss(total)
        penalty = self._path_penalty(said, batch.streams)
        return Loss(total + self.path * penalty, {"contest": total.detach(), "path": penalty.detach()})

    def styles(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        truncation: float = 1.0,
        guidance: float | Mapping[str, float] = 1.0,
        guided: str = GUIDED,
    ) -> Tensor:
        """Draw styles (B, L, D), one for all layers but for guidance.

        Args:
            conditions: B rows.
            streams: B rows.
            truncation: ψ of w̄ + ψ (w − w̄), w̄ the average style of training, one for all that may be said: a small ψ
                weakens what was said, too. 0 gives the average picture.
            guidance: s of M(z, ∅) + s (M(z, c) − M(z, ∅)), before the truncation, one weight for all that is said or
                one a condition: above 1 it is obeyed more, and pictures vary less ("Classifier-Free Diffusion
                Guidance", Ho, 2022, eq. 6, here of styles).
            guided: the layers that it is for, as in `mixed`, with commas between them.
        """
        z = streams.child("z").normal(self.latent).to(self._device)
        heard, weights = branched(conditions, guidance, self.bus.__getitem__)
        return self._styles(z, [self.bus(each) for each in heard], weights, truncation, guided)

    def _styles(
        self, z: Tensor, heard: Sequence[Channels], weights: Sequence[float], truncation: float, guided: str
    ) -> Tensor:
        branches, average = [self.mapping(z, each) for each in heard], self.get_buffer("average")

        def every(w: Tensor) -> Tensor:
            return (average + truncation * (w - average))[:, None].expand(-1, self.code_shape[0], -1)

        if not weights:
            return every(branches[-1])
        return self.mixed(every(branches[-1]), every(combined(branches, weights)), tuple(guided.split(",")))

    def draw(self, w: Tensor, conditions: Conditions | None = None, noise: Tensor | None = None) -> Tensor:
        """Return the pictures (B, C, H, W) of styles, not yet clamped.

        Args:
            w: (B, L, D), a style a layer, or (B, D), one for all.
            conditions: B rows, heard here only as maps; None: nothing is said.
            noise: (B, N), what styles leave open; None: zeros.
        """
        w = w if w.ndim == 3 else w[:, None].expand(-1, self.code_shape[0], -1)
        conditions = Conditions(count=len(w)) if conditions is None else conditions
        noise = w.new_zeros(len(w), self.synthesis.noise) if noise is None else noise
        return self.synthesis(w, noise, self.bus(conditions))

    def mixed(self, own: Tensor, other: Tensor, take: Sequence[str] = ("coarse",)) -> Tensor:
        """Return styles `own` (B, L, D) with those of `other` at some layers.

        Args:
            own: of one picture.
            other: of another.
            take: which of "coarse" (the smallest grid: what and where), "middle", "fine" (the largest: surfaces).

        Raises:
            ConfigurationError: for another grade, or none that this network has.
        """
        unknown = [grade for grade in take if grade not in GRADES]
        if unknown:
            raise ConfigurationError(f"no layers are called {unknown[0]!r}", hint=f"one of {', '.join(GRADES)}")
        last = max(self.synthesis.level_of)
        grades = ["coarse" if n == 0 else "fine" if n == last else "middle" for n in self.synthesis.level_of]
        if not any(grade in take for grade in grades):
            what = f"none of the layers on {last + 1} grids are {' or '.join(take) or 'taken'}"
            raise ConfigurationError(what, hint=f"{', '.join(g for g in GRADES if g in grades)}; or more widths")
        taken = torch.tensor([grade in take for grade in grades], device=own.device)
        return torch.where(taken[:, None], other, own)

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the styles (B, L, D) whose picture without noise is close to x: an optimisation of `steps` steps.

        It starts at the average style and uses no random numbers: the same picture always has the same code.
        """
        conditions = Conditions(count=len(x)) if conditions is None else conditions
        return in_chunks(self._projected, self._size(None), x, conditions, count=len(x))

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the pictures (B, C, H, W) of styles (B, L, D), without noise."""
        conditions = Conditions(count=len(z)) if conditions is None else conditions
        return in_chunks(self.draw, self._size(None), z, conditions, count=len(z))

    @torch.no_grad()
    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        truncation: float = 1.0,
        guidance: float | Mapping[str, float] = 1.0,
        guided: str = GUIDED,
        noise: bool = True,
        chunk: int | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Draw in one step.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size, bitwise on a CPU.
            truncation: ψ, as in `styles`: below 1 less varied, and less often odd.
            guidance: s, as in `styles`: above 1 more obedient.
            guided: the layers that it is for.
            noise: whether what styles leave open is drawn.
            chunk: rows a network call; by default 8 on a CPU and all elsewhere.
            **options: not used.
        """
        size, conditions = self._size(chunk), conditions.to(self._device)
        z = streams.child("z").normal(self.latent).to(self._device)
        branches, weights = branched(conditions, guidance, self.bus.__getitem__)

        def drawn(z: Tensor, details: Tensor, *branches: Conditions) -> Tensor:
            heard = [self.bus(each) for each in branches]
            return self.synthesis(self._styles(z, heard, weights, truncation, guided), details, heard[-1])

        details = self._noise(streams).to(self._device) * float(noise)
        x: Tensor = in_chunks(drawn, size, z, details, *branches, count=len(z))
        yield Progress(1, 1, x, x)

    def _mixed(self, said: Conditions, streams: Streams) -> Tensor:
        """Return styles (B, L, D) of training: with probability `mixing`, from a drawn layer on those of another z."""
        layers, drawn = self.code_shape[0], streams.child("z")
        channels = self.bus(said)
        w = self.mapping(drawn.normal(self.latent), channels)[:, None]
        if not self.mixing or layers < 2:
            return w.expand(-1, layers, -1)
        other = self.mapping(drawn.normal(self.latent), channels)[:, None]
        mixing = streams.child("mixing")
        cut = 1 + mixing.integers(layers - 1)[:, None]
        late = torch.arange(layers, device=w.device) >= cut
        return torch.where((late & (mixing.uniform(1) < self.mixing))[..., None], other, w)

    def _noise(self, streams: Streams) -> Tensor:
        return streams.child("noise").normal(self.synthesis.noise)

    def _path_penalty(self, said: Conditions, streams: Streams) -> Tensor:
        """Return E(‖J_wᵀ y‖ − a)² over a share of the rows, in float32; a follows the mean."""
        own = streams.child("path")
        rows = torch.arange(math.ceil(self.path_share * len(own)))
        with torch.enable_grad(), torch.autocast(own.device.type, enabled=False):
            channels = rows_of(self.bus(said), rows)
            z, noise = (rows_of(own.normal(count), rows) for count in (self.latent, self.synthesis.noise))
            y = rows_of(own.normal(*self.shape), rows) / math.sqrt(self.shape[1] * self.shape[2])
            w = self.mapping(z, channels)[:, None].expand(-1, self.code_shape[0], -1)
            (slope,) = torch.autograd.grad((self.synthesis(w, noise, channels) * y).sum(), w, create_graph=True)
            lengths = (slope.square().sum(2).mean(1) + 1e-12).sqrt()
            mean = self.get_buffer("length").lerp(lengths.detach().mean(), LENGTHS)
            if self.training:
                self.get_buffer("length").copy_(mean)
            return (lengths - mean).square().mean()

    @torch.enable_grad()
    def _projected(self, x: Tensor, conditions: Conditions) -> Tensor:
        """Minimise the squared error, at full and at half size, by Adam with a step size that falls to 0."""
        with frozen(self):
            w = self.get_buffer("average").repeat(len(x), self.code_shape[0], 1).requires_grad_()
            adam = torch.optim.Adam([w], lr=0.1, betas=(0.9, 0.99))
            for step in range(self.steps):
                adam.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * step / self.steps))
                difference = self.draw(w, conditions) - x
                error = difference.square().mean((1, 2, 3)) + F.avg_pool2d(difference, 2).square().mean((1, 2, 3))
                (w.grad,) = torch.autograd.grad(error.sum(), w)
                adam.step()
            return w.detach()

    def _size(self, chunk: int | None) -> int | None:
        return chunk or (CHUNK if self._device.type == "cpu" else None)

    @property
    def _device(self) -> torch.device:
        return self.get_buffer("average").device
