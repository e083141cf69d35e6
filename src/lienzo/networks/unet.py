"""A U-Net with residual blocks and attention, hearing all three condition channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError, configurable
from lienzo.networks.layers import Attention, TimeEmbedding
from lienzo.networks.places import Controllable, Place, plus, shared


class ResidualBlock(nn.Module):
    """Two convolutions, the second scaled and shifted by what the sample hears; starts as the identity."""

    def __init__(self, inside: int, outside: int, vector: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, inside), nn.GroupNorm(8, outside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.hear = nn.Linear(vector, 2 * outside)
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """Refine x (B, inside, H, W) under `vector` (B, D) to (B, outside, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.hear(vector).to(h.dtype)[:, :, None, None].chunk(2, 1)
        h = self.conv2(F.silu(torch.addcmul(shift, self.norm2(h), 1 + scale)))
        return self.skip(x) + h


class AttentionBlock(nn.Module):
    """Places attend to each other, then to the words."""

    def __init__(self, width: int, heads: int, token: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.own = Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width) if token else None
        self.cross = Attention(width, heads, token) if token else None

    def forward(self, x: Tensor, channels: Channels) -> Tensor:
        """Refine x (B, width, H, W)."""
        h = self.norm(x).flatten(2).transpose(1, 2)
        h = x.flatten(2).transpose(1, 2) + self.own(h)
        if self.cross is not None and self.cross_norm is not None and channels.tokens is not None:
            h = h + self.cross(self.cross_norm(h), channels.tokens.to(h.dtype), channels.mask)
        return h.transpose(1, 2).reshape(x.shape)


class Level(nn.Module):
    """Residual blocks at one resolution, each followed by attention where the level has it."""

    def __init__(self, insides: list[int], width: int, vector: int, heads: int, token: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(inside, width, vector) for inside in insides)
        self.attention = nn.ModuleList(AttentionBlock(width, heads, token) for _ in insides if heads)

    def step(self, number: int, x: Tensor, vector: Tensor, channels: Channels) -> Tensor:
        """Run block `number` of this level."""
        x = self.blocks[number](x, vector)
        return self.attention[number](x, channels) if len(self.attention) else x


@configurable("unet")
class UNet(Controllable):
    """Down to coarse grids and up again, with the fine details handed across.

    "U-Net" (Ronneberger 2015) as in "Denoising Diffusion Probabilistic Models" (Ho 2020), with words heard by
    cross-attention (Rombach 2022).

    Args:
        shape: (C, H, W) of x; H and W multiples of 2^(levels − 1).
        sizes: widths of the condition channels (`Bus.sizes`).
        widths: channels of each level, multiples of 8.
        depth: residual blocks a level on the way down; one more on the way up.
        attention: levels (from 0, the finest) with attention.
        heads: attention heads.
        out_channels: channels of the result; as x where None.

    >>> net = UNet((1, 8, 8), widths=(8, 16), depth=1, attention=(1,), heads=2)
    >>> net(torch.zeros(2, 1, 8, 8), torch.zeros(2), Channels()).shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        sizes: Sizes | None = None,
        widths: tuple[int, ...] = (64, 128, 192),
        depth: int = 2,
        attention: tuple[int, ...] = (2,),
        heads: int = 4,
        out_channels: int | None = None,
    ) -> None:
        super().__init__()
        sizes = sizes or Sizes()
        if any(side % 2 ** (len(widths) - 1) for side in shape[1:]) or any(w % 8 for w in widths):
            raise ConfigurationError(f"{len(widths)} levels need sides that divide by {2 ** (len(widths) - 1)} and "
                                     f"widths that divide by 8, got {shape[1:]} and {widths}")  # fmt: skip
        vector = 4 * widths[0]
        self.depth = depth
        self.time = TimeEmbedding(vector)
        self.hear = nn.Linear(sizes.vector, vector) if sizes.vector else None
        self.first = nn.Conv2d(shape[0] + sizes.maps, widths[0], 3, padding=1)
        self.down, self.up, skips, inside = nn.ModuleList(), nn.ModuleList(), [widths[0]], widths[0]
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        grids = [(shape[1] >> level, shape[2] >> level) for level in range(len(widths))]
        places = [Place(inside, grids[0])]
        for level, width in enumerate(widths):
            level_heads = heads if level in attention else 0
            self.down.append(Level([inside] + [width] * (depth - 1), width, vector, level_heads, sizes.token))
            skips += [width] * depth
            places += [Place(width, grids[level])] * depth
            inside = width
            if level + 1 < len(widths):
                self.shrink.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                skips.append(width)
                places.append(Place(width, grids[level + 1]))
        self.places = (*places, Place(inside, grids[-1]))
        self.middle = Level([inside, inside], inside, vector, heads, sizes.token)
        for level in reversed(range(len(widths))):
            width, insides = widths[level], []
            for _ in range(depth + 1):
                insides.append(inside + skips.pop())
                inside = width
            self.up.append(Level(insides, width, vector, heads if level in attention else 0, sizes.token))
            if level:
                self.grow.append(nn.Conv2d(width, width, 3, padding=1))
        self.norm = nn.GroupNorm(8, widths[0])
        self.last = nn.Conv2d(widths[0], out_channels or shape[0], 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> Tensor:
        """Map x (B, C, H, W) at times t (B,) in [0, 1] to (B, out_channels, H, W)."""
        vector = self._vector(t, channels)
        *skips, h = self._descent(x, vector, channels, added)
        for level, blocks in enumerate(self.up):
            assert isinstance(blocks, Level)
            for number in range(self.depth + 1):
                h = blocks.step(number, torch.cat([h, skips.pop()], 1), vector, channels)
            if level < len(self.grow):
                h = self.grow[level](F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.last(F.silu(self.norm(h)))

    def states(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> list[Tensor]:
        """Return what each step of the way down gives, and the middle's result."""
        return self._descent(x, self._vector(t, channels), channels, added)

    def early(self) -> UNet:
        """Return the way down and the middle, which share its weights."""
        twin = shared(self)
        del twin.up, twin.grow, twin.norm, twin.last
        return twin

    def _vector(self, t: Tensor, channels: Channels) -> Tensor:
        vector = self.time(t)
        if self.hear is not None and channels.vector is not None:
            vector = vector + self.hear(channels.vector)
        return F.silu(vector)

    def _descent(self, x: Tensor, vector: Tensor, channels: Channels, added: Sequence[Tensor]) -> list[Tensor]:
        x = x if channels.maps is None else torch.cat([x, channels.maps], 1)
        h = plus(self.first(x.contiguous(memory_format=torch.channels_last)), added, 0)
        states = [h]
        for level, blocks in enumerate(self.down):
            assert isinstance(blocks, Level)
            for number in range(self.depth):
                h = plus(blocks.step(number, h, vector, channels), added, len(states))
                states.append(h)
            if level < len(self.shrink):
                h = plus(self.shrink[level](h), added, len(states))
                states.append(h)
        for number in range(2):
            h = self._middle().step(number, h, vector, channels)
        return [*states, plus(h, added, len(states))]

    def _middle(self) -> Level:
        assert isinstance(self.middle, Level)
        return self.middle
