"""A plain transformer over patches of pictures or of latent codes, hearing all three condition channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError, configurable
from lienzo.networks.layers import Attention, TimeEmbedding, positions_2d
from lienzo.networks.places import Controllable, Place, shared


class Block(nn.Module):
    """Attention and a two-layer perceptron, each scaled, shifted and gated by what the sample hears.

    The modulation is one layer for all blocks plus a table of each block's own, as in "PixArt-α" (Chen 2023): the
    per-block layers of DiT (Peebles & Xie 2023) hold a third of the parameters and hear the same vector.
    """

    def __init__(self, width: int, heads: int, ratio: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        hidden = int(width * ratio)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.table = nn.Parameter(torch.zeros(6, width))

    def forward(self, x: Tensor, modulation: Tensor, mask: Tensor | None) -> Tensor:
        """Transform tokens (B, N, D) under `modulation` (B, 6, D); `mask` (B, N) is True where a token counts."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.table).to(x.dtype)[:, :, None].unbind(1)
        h = torch.addcmul(shift1, F.layer_norm(x, x.shape[-1:]), 1 + scale1)
        x = torch.addcmul(x, self.attention(h, mask=mask), gate1)
        h = torch.addcmul(shift2, F.layer_norm(x, x.shape[-1:]), 1 + scale2)
        return torch.addcmul(x, self.down(F.gelu(self.up(h))), gate2)


@configurable("transformer")
class PatchTransformer(Controllable):
    """Cut x into patches, let them attend to each other and to the words, put the patches back.

    "Scalable Diffusion Models with Transformers" (Peebles & Xie, 2023), as plain as in "Back to Basics: Let Denoising
    Generative Models Denoise" (Li & He, 2025): a narrow linear embedding of large patches, words as tokens beside the
    patches. No convolution: nearly all work is in large matrix products.

    Args:
        shape: (C, H, W) of x.
        sizes: widths of the condition channels (`Bus.sizes`).
        patch: side of a patch, p; there are H·W/p² patches.
        width: of a token, D.
        depth: number of blocks.
        heads: attention heads; D must be a multiple.
        ratio: hidden width of the perceptron over D.
        bottleneck: width of the linear bottleneck in the patch embedding; 0 for none.
        words_from: the block (from 0) at which the tokens of words join the patches.
        out_channels: channels of the result; as x where None.

    >>> net = PatchTransformer((3, 16, 16), patch=4, width=32, depth=2, heads=2)
    >>> net(torch.zeros(2, 3, 16, 16), torch.zeros(2), Channels()).shape
    torch.Size([2, 3, 16, 16])
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        sizes: Sizes | None = None,
        patch: int = 4,
        width: int = 256,
        depth: int = 8,
        heads: int = 4,
        ratio: float = 4.0,
        bottleneck: int = 0,
        words_from: int = 0,
        out_channels: int | None = None,
    ) -> None:
        super().__init__()
        sizes = sizes or Sizes()
        channels, height, columns = shape
        if height % patch or columns % patch or width % heads or width % 4:
            raise ConfigurationError(
                f"patches of {patch} do not tile {height}×{columns}, or {heads} heads do not divide width {width}"
            )
        self.patch, self.width, self.words_from = patch, width, words_from
        self.grid = (height // patch, columns // patch)
        self.out_channels = out_channels or channels
        inside = (channels + sizes.maps) * patch**2
        self.embed = (
            nn.Sequential(nn.Linear(inside, bottleneck, bias=False), nn.Linear(bottleneck, width))
            if bottleneck else nn.Linear(inside, width)
        )  # fmt: skip
        self.position = nn.Parameter(positions_2d(*self.grid, width) * 0.5)
        self.time = TimeEmbedding(width)
        self.hear = nn.Linear(sizes.vector, width) if sizes.vector else None
        self.words = nn.Linear(sizes.token, width) if sizes.token else None
        self.modulate = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, heads, ratio) for _ in range(depth))
        self.places = (Place(width, self.grid),) * (depth + 1)  # before each block, and after the last
        self.last = nn.Linear(width, 2 * width)
        self.unembed = nn.Linear(width, self.out_channels * patch**2)
        self._initialise(depth)

    def _initialise(self, depth: int) -> None:
        """Start every block as the identity and the result at zero (adaLN-Zero, Peebles & Xie 2023)."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
        for layer in (self.modulate, self.last, self.unembed):
            nn.init.zeros_(layer.weight)

    def forward(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> Tensor:
        """Map x (B, C, H, W) at times t (B,) in [0, 1] to (B, out_channels, H, W)."""
        h, vector = self._trunk(x, t, channels, added, None)
        shift, scale = self.last(vector).to(h.dtype)[:, None].chunk(2, -1)
        h = torch.addcmul(shift, F.layer_norm(h, h.shape[-1:]), 1 + scale)
        return self.paste(self.unembed(h))

    def states(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> list[Tensor]:
        """Return the patches (B, D, h, w) before each block, and after the last."""
        seen: list[Tensor] = []
        last, _ = self._trunk(x, t, channels, added, seen)
        return [h.transpose(1, 2).unflatten(2, self.grid) for h in (*seen, last)]

    def early(self) -> PatchTransformer:
        """Return its first half, which shares its weights."""
        twin = shared(self)
        twin.blocks = twin.blocks[: max(1, len(twin.blocks) // 2)]
        twin.places = twin.places[: len(twin.blocks) + 1]
        twin.words = twin.words if twin.words_from < len(twin.blocks) else None
        del twin.last, twin.unembed
        return twin

    def _trunk(
        self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor], seen: list[Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """Return patches (B, N, D) after all blocks, and what modulates them (B, D); leave earlier ones in `seen`."""
        h = self.embed(self.cut(x if channels.maps is None else torch.cat([x, channels.maps], 1)))
        h = h + self.position.to(h.dtype)
        vector = self.time(t)
        if self.hear is not None and channels.vector is not None:
            vector = vector + self.hear(channels.vector)
        vector = F.silu(vector)
        modulation = self.modulate(vector).unflatten(1, (6, self.width))
        patches, mask = h.shape[1], None
        for number, block in enumerate(self.blocks):
            h = _plus(h, added, number, patches)
            if seen is not None:
                seen.append(h[:, :patches])
            if number == self.words_from and self.words is not None and channels.tokens is not None:
                assert channels.mask is not None
                h = torch.cat([h, self.words(channels.tokens).to(h.dtype)], 1)
                mask = torch.cat([channels.mask.new_ones(len(x), patches), channels.mask], 1)
            h = cast(Block, block)(h, modulation, mask)
        return _plus(h[:, :patches], added, len(self.blocks), patches), vector

    def cut(self, x: Tensor) -> Tensor:
        """Cut (B, C, H, W) into patches (B, N, C·p²)."""
        (rows, columns), p = self.grid, self.patch
        x = x.reshape(len(x), -1, rows, p, columns, p)
        return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    def paste(self, h: Tensor) -> Tensor:
        """Put patches (B, N, C·p²) back together as (B, C, H, W)."""
        (rows, columns), p = self.grid, self.patch
        h = h.reshape(len(h), rows, columns, self.out_channels, p, p)
        return h.permute(0, 3, 1, 4, 2, 5).reshape(len(h), self.out_channels, rows * p, columns * p)


def _plus(h: Tensor, added: Sequence[Tensor], place: int, patches: int) -> Tensor:
    """Return tokens (B, N, D) with what is added (B, D, h, w) at a place to those that are patches."""
    if place >= len(added):
        return h
    return torch.cat([h[:, :patches] + added[place].flatten(2).transpose(1, 2).to(h.dtype), h[:, patches:]], 1)
