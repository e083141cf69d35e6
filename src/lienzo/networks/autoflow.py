r"""The transformer flow: blocks of causal transformers over patches, each reading in the order opposite to the last.

In one block, with patches x_1 … x_N in its order,

    z_i = (x_i − μ_i(x_<i)) e^−s_i(x_<i),    log |det| = −Σ s_i,    x_i = z_i e^s_i + μ_i, one patch after another.

"Normalizing Flows are Capable Generative Models" (Zhai et al., 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.bijections import Bijection, mixed, shift_and_log_scale
from lienzo.networks.layers import positions_2d


class Cache:
    """Keys and values of the patches that a layer has seen.

    Args:
        steps: N, how many there will be.
    """

    def __init__(self, steps: int) -> None:
        self.steps, self.seen = steps, 0
        self.words: Tensor | None = None  # (2, B, heads, L, d): words do not change from patch to patch
        self._kept: Tensor | None = None

    def add(self, key_value: Tensor) -> Tensor:
        """Take the next patch's (2, B, heads, 1, d); return all so far, (2, B, heads, n, d)."""
        if self._kept is None:
            two, rows, heads, _, size = key_value.shape
            self._kept = key_value.new_empty(two, rows, heads, self.steps, size)
        self._kept[:, :, :, self.seen : self.seen + 1] = key_value
        self.seen += 1
        return self._kept[:, :, :, : self.seen]


class CausalLayer(nn.Module):
    """Attention of every patch to the words, itself and those before it, then a perceptron; unit queries and keys.

    Args:
        width: of a token, D.
        heads: attention heads; D must be a multiple.
        token: width of the words; 0 for none.
        ratio: hidden width of the perceptron over D.
    """

    def __init__(self, width: int, heads: int, token: int, ratio: int = 4) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.words = nn.Linear(token, 2 * width) if token else None
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor, channels: Channels, cache: Cache | None = None) -> Tensor:
        """Transform (B, N, D), all patches at once; with a cache (B, 1, D), the next patch alone."""
        h = self.norm1(x)
        q = self._normal(self.query(h).unflatten(2, (self.heads, self.size)).transpose(1, 2))
        own = self._keys(self.key_value(h))
        own = own if cache is None else cache.add(own)
        words = self._words(channels, cache)
        kv = own if words is None else torch.cat([words.to(own.dtype), own], 3)
        mask = None if words is None else self._mask(q.shape[2], own.shape[3], channels)
        kind = x.device.type
        with torch.autocast(kind, enabled=kind != "cpu"):  # as `layers.attend`: bfloat16 is slower here on a CPU
            dtype = torch.promote_types(q.dtype, torch.float32) if kind == "cpu" else q.dtype
            k, v = kv.to(dtype)
            h = F.scaled_dot_product_attention(
                q.to(dtype), k, v, attn_mask=mask, is_causal=mask is None and q.shape[2] > 1
            )
        x = x + self.out(h.transpose(1, 2).flatten(2).to(x.dtype))
        return x + self.down(F.gelu(self.up(self.norm2(x))))

    def _words(self, channels: Channels, cache: Cache | None) -> Tensor | None:
        if self.words is None or channels.tokens is None:
            return None
        if cache is None:
            return self._keys(self.words(channels.tokens))
        cache.words = self._keys(self.words(channels.tokens)) if cache.words is None else cache.words
        return cache.words

    def _keys(self, key_value: Tensor) -> Tensor:
        """Cut (B, N, 2 D) into keys of unit variance and values, (2, B, heads, N, d)."""
        k, v = key_value.unflatten(2, (2, self.heads, self.size)).permute(2, 0, 3, 1, 4)
        return torch.stack([self._normal(k).to(v.dtype), v])

    def _normal(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (self.size,))

    def _mask(self, queries: int, keys: int, channels: Channels) -> Tensor:
        """Return who hears which words and sees which patches, (B, 1, N, L + n); the queries are the last patches."""
        assert channels.mask is not None
        seen = channels.mask.new_ones(queries, keys).tril(keys - queries)
        return torch.cat([each[:, None].expand(len(channels.mask), 1, queries, -1)
                          for each in (channels.mask[:, None], seen[None])], 3)  # fmt: skip


class AutoBlock(nn.Module):
    """One causal transformer over all patches, read forwards or backwards, and its affine map of each patch.

    Args:
        grid: patches down and across.
        inside: values of a patch.
        sizes: widths of the condition channels; a patch hears the maps at its own place.
        area: pixels of a patch.
        width, layers, heads: of the transformer.
        bound: b, of the log-scales.
        backwards: read from the last patch to the first.
    """

    def __init__(
        self, grid: tuple[int, int], inside: int, sizes: Sizes, area: int, width: int, layers: int, heads: int,
        bound: float, backwards: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.bound, self.backwards = bound, backwards
        self.embed = nn.Linear(inside, width)
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(positions_2d(*grid, width) * 0.5)
        self.hear = nn.Linear(sizes.vector, width) if sizes.vector else None
        self.see = nn.Linear(sizes.maps * area, width) if sizes.maps else None
        self.layers = nn.ModuleList(CausalLayer(width, heads, sizes.token) for _ in range(layers))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, 2 * inside)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor, channels: Channels, maps: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return z (B, N, P) of patches x, and the log-determinant, (B,); `maps` (B, N, K·p²) are cut like x."""
        x = self._turned(x)
        before = torch.cat([self.start.expand(len(x), 1, -1), self.embed(x[:, :-1])], 1)
        h = before + self.places(channels, maps)
        for layer in self.layers:
            h = layer(h, channels)
        shift, s = shift_and_log_scale(self.last(self.norm(h)), self.bound, 2)
        return self._turned((x - shift) * torch.exp(-s)), -s.flatten(1).sum(1)

    def inverse(
        self, z: Tensor, heard: Sequence[Channels], maps: Sequence[Tensor | None], weights: Sequence[float] = ()
    ) -> Tensor:
        """Return x, patch after patch, with what the layers have computed kept; guided where there are weights."""
        z = self._turned(z)
        places = [self.places(c, m) for c, m in zip(heard, maps, strict=True)]
        caches = [[Cache(z.shape[1]) for _ in self.layers] for _ in heard]
        before, made = self.start.expand(len(z), 1, -1), list[Tensor]()
        for i in range(z.shape[1]):
            raw: list[Tensor] = []
            for channels, place, kept in zip(heard, places, caches, strict=True):
                h = before + place[:, i : i + 1]
                for layer, cache in zip(self.layers, kept, strict=True):
                    h = layer(h, channels, cache)
                raw.append(self.last(self.norm(h)))
            shift, s = shift_and_log_scale(mixed(raw, weights), self.bound, 2)
            made.append(z[:, i : i + 1] * s.exp() + shift)
            before = self.embed(made[-1])
        return self._turned(torch.cat(made, 1))

    def places(self, channels: Channels, maps: Tensor | None) -> Tensor:
        """Return what every place hears before any patch, (1 or B, N, D), in the order of reading."""
        h = self._turned(self.position[None])
        if self.hear is not None and channels.vector is not None:
            h = h + self.hear(channels.vector)[:, None]
        if self.see is not None and maps is not None:
            h = h + self.see(self._turned(maps))
        return h

    def _turned(self, x: Tensor) -> Tensor:
        return x.flip(1) if self.backwards else x


class AutoFlow(Bijection):
    """Blocks of `AutoBlock` over patches of a picture, in alternating order; starts as the identity.

    Args:
        shape: (C, H, W) of x.
        sizes: widths of the condition channels.
        patch: side of a patch, p.
        width: of a token, D.
        depth: blocks.
        layers: transformer layers a block.
        heads: attention heads.
        bound: b, of the log-scales.

    Raises:
        ConfigurationError: if patches do not tile the picture, if it is one patch, or heads do not divide the width.
    """

    def __init__(
        self, shape: tuple[int, int, int], sizes: Sizes, patch: int = 4, width: int = 128, depth: int = 4,
        layers: int = 2, heads: int = 4, bound: float = 4.0,
    ) -> None:  # fmt: skip
        super().__init__()
        channels, height, columns = shape
        if height % patch or columns % patch or width % heads or width % 4:
            raise ConfigurationError(
                f"patches of {patch} do not tile {height}×{columns}, or {heads} heads or 4 do not divide width {width}"
            )
        if height == columns == patch:
            raise ConfigurationError(f"one patch of {patch}×{columns} has none before it to read",
                                     hint="smaller patches; for codes of 1×1, transform 'dense'")  # fmt: skip
        self.patch, self.shape, self.stages = patch, shape, depth
        self.grid = (height // patch, columns // patch)
        self.blocks = nn.ModuleList(
            AutoBlock(self.grid, channels * patch**2, sizes, patch**2, width, layers, heads, bound, bool(number % 2))
            for number in range(depth)
        )

    def forward(self, x: Tensor, channels: Channels, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return z (B, C, H, W) and log |det ∂z/∂x|, (B,); nothing is initialised from data."""
        h, maps, total = self.cut(x), self._maps(channels), x.new_zeros(len(x))
        for block in self.blocks:
            h, change = block(h, channels, maps)
            total = total + change
        return self.paste(h), total

    def undo(self, stage: int, z: Tensor, heard: Sequence[Channels], weights: Sequence[float] = ()) -> Tensor:
        """Undo one block, the last one first."""
        block = cast(AutoBlock, self.blocks[self.stages - 1 - stage])
        return self.paste(block.inverse(self.cut(z), heard, [self._maps(c) for c in heard], weights))

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the layers."""
        return tuple(m for m in self.modules() if isinstance(m, CausalLayer))

    def cut(self, x: Tensor) -> Tensor:
        """Cut (B, C, H, W) into patches (B, N, C·p²)."""
        return F.pixel_unshuffle(x, self.patch).flatten(2).transpose(1, 2)

    def paste(self, h: Tensor) -> Tensor:
        """Put patches (B, N, C·p²) back together as (B, C, H, W)."""
        return F.pixel_shuffle(h.transpose(1, 2).unflatten(2, self.grid), self.patch)

    def _maps(self, channels: Channels) -> Tensor | None:
        if channels.maps is None:
            return None
        height, columns = self.shape[1:]
        return self.cut(F.adaptive_avg_pool2d(channels.maps, (height, columns)))
