"""A transformer over a grid of tokens: each hears those before it, with keys and values kept; or all hear all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.layers import positions_2d


@dataclass
class Kept:
    """What a causal transformer remembers of a sequence.

    Attributes:
        keys, values: a layer each, (B, heads, L + N, d); filled up to `used`.
        seen: (B, 1, 1, L + N) bool, which of them count.
        said: what each layer hears, (B, depth, D), or None.
        maps: what lies over each place, (B, N, D), or None.
        prefix: L.
        used: how many are filled.
    """

    keys: list[Tensor]
    values: list[Tensor]
    seen: Tensor
    said: Tensor | None
    maps: Tensor | None
    prefix: int
    used: int = 0


class TokenBlock(nn.Module):
    """Attention and a two-layer perceptron, each after a normalisation, with a vector added before them.

    Queries and keys have unit variance, as in `networks.layers.Attention`, to which this adds what is kept.

    Args:
        width: of a token, D.
        heads: attention heads; D must be a multiple.
        ratio: hidden width of the perceptron over D.
    """

    def __init__(self, width: int, heads: int, ratio: float) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = nn.Linear(width, 3 * width)
        self.query_scale = nn.Parameter(torch.ones(self.size))
        self.key_scale = nn.Parameter(torch.ones(self.size))
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, int(width * ratio)), nn.Linear(int(width * ratio), width)

    def forward(self, x: Tensor, said: Tensor | None, seen: Tensor | None) -> Tensor:
        """Transform x (B, N, D); `seen`, broadcast to (B, heads, N, N), is True where a key may be seen."""
        x = x if said is None else x + said[:, None].to(x.dtype)
        q, k, v = self.projected(x)
        return self.finished(x, attention(q, k, v, seen))

    def step(self, x: Tensor, kept: Kept, layer: int) -> Tensor:
        """Transform the tokens x (B, n, D) that follow what is kept, and keep their keys and values."""
        x = x if kept.said is None else x + kept.said[:, None, layer]
        q, k, v = self.projected(x)
        stop = kept.used + x.shape[1]
        kept.keys[layer][:, :, kept.used : stop], kept.values[layer][:, :, kept.used : stop] = k, v
        keys, values = kept.keys[layer][:, :, :stop], kept.values[layer][:, :, :stop]
        return self.finished(x, attention(q, keys, values, kept.seen[..., :stop]))

    def projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (B, heads, N, d)."""
        q, k, v = self.query(self.norm1(x)).unflatten(2, (3, self.heads, self.size)).permute(2, 0, 3, 1, 4).unbind(0)
        q = F.layer_norm(q, (self.size,), self.query_scale.to(q.dtype))
        return q, F.layer_norm(k, (self.size,), self.key_scale.to(k.dtype)), v

    def finished(self, x: Tensor, heard: Tensor) -> Tensor:
        """Add what was heard (B, heads, N, d), then the perceptron."""
        x = x + self.out(heard.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def attention(q: Tensor, k: Tensor, v: Tensor, seen: Tensor | None) -> Tensor:
    """Return softmax(q kᵀ / √d) v; on a CPU in float32, as `networks.layers.attend` does and says why."""
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=seen)
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=seen).to(v.dtype)


class TokenTransformer(nn.Module):
    """Tokens of a grid in reading order → the logits of each.

    Causal: those at place n hear the tokens before n, the words (as a prefix), the vector (added before every layer)
    and the map at n. Not causal: they hear all tokens, some of which are `vocabulary`, the sign for "not known".

    "Attention Is All You Need" (Vaswani, 2017); over the tokens of pictures as in "Taming Transformers for
    High-Resolution Image Synthesis" (Esser, 2021).

    Args:
        vocabulary: K.
        grid: (h, w, c): c tokens at each of h × w places; N = h·w·c.
        sizes: widths of the condition channels (`Bus.sizes`).
        width: of a token, D.
        depth: number of layers.
        heads: attention heads.
        causal: whether a token hears only those before it.
        ratio: hidden width of the perceptrons over D.

    >>> net = TokenTransformer(5, (2, 3, 1), Sizes(), width=8, depth=1, heads=2)
    >>> net(torch.zeros(4, 6, dtype=torch.long), Channels()).shape
    torch.Size([4, 6, 5])
    """

    def __init__(
        self, vocabulary: int, grid: tuple[int, int, int], sizes: Sizes, width: int = 128, depth: int = 6,
        heads: int = 4, *, causal: bool = True, ratio: float = 4.0,
    ) -> None:  # fmt: skip
        super().__init__()
        if width % heads or width % 4:
            raise ConfigurationError(f"the width {width} must be a multiple of 4 and of {heads} heads")
        rows, columns, each = grid
        self.grid, self.depth, self.causal, self.vocabulary = grid, depth, causal, vocabulary
        self.embed = nn.Embedding(vocabulary + 1, width)  # the last: "not known", or the start of a sequence
        nn.init.normal_(self.embed.weight, std=0.5)
        self.position = nn.Parameter(positions_2d(rows, columns, width).repeat_interleave(each, 0) * 0.5)
        self.channel = nn.Parameter(torch.randn(each, width) * 0.5) if each > 1 else None
        self.vector = nn.Linear(sizes.vector, depth * width) if sizes.vector else None
        self.words = nn.Linear(sizes.token, width) if sizes.token else None
        self.maps = nn.Linear(sizes.maps, width) if sizes.maps else None
        self.blocks = nn.ModuleList(TokenBlock(width, heads, ratio) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, tokens: Tensor, channels: Channels) -> Tensor:
        """Map tokens (B, N) to logits (B, N, K)."""
        if self.causal:
            start = torch.full_like(tokens[:, :1], self.vocabulary)
            tokens = torch.cat([start, tokens[:, :-1]], 1)
        x = self._placed(tokens, 0, self.over(channels))
        prefix, mask = self.prefix(channels)
        before = 0
        if prefix is not None:
            before, x = prefix.shape[1], torch.cat([prefix.to(x.dtype), x], 1)
        seen, said = self._seen(x.shape[1], before, mask, x.device), self.said(channels)
        for number, block in enumerate(self.each()):
            x = block(x, None if said is None else said[:, number], seen)
        return self.head(self.norm(x[:, before:]))

    def begin(self, channels: Channels, count: int) -> Kept:
        """Start sequences that are continued token by token: the words are heard, no token is yet."""
        (prefix, mask), weight, block = self.prefix(channels), self.head.weight, self.each()[0]
        before = 0 if prefix is None else prefix.shape[1]
        length = before + self.position.shape[0]
        shape = (count, block.heads, length, block.size)
        keys, values = ([weight.new_zeros(shape) for _ in self.blocks] for _ in range(2))
        seen = torch.ones(count, 1, 1, length, dtype=torch.bool, device=weight.device)
        if mask is not None:
            seen[:, 0, 0, :before] = mask
        kept = Kept(keys, values, seen, self.said(channels), self.over(channels), before)
        if prefix is not None:
            self._continued(prefix, kept)
        return kept

    def step(self, kept: Kept, previous: Tensor | None) -> Tensor:
        """Return the logits (B, K) of the next token, after `previous` (B,); None before the first."""
        place, count = kept.used - kept.prefix, len(kept.seen)
        start = torch.full((count,), self.vocabulary, device=kept.seen.device)
        x = self._placed((start if previous is None else previous)[:, None], place, kept.maps)
        return self.head(self.norm(self._continued(x, kept)[:, 0]))

    def each(self) -> list[TokenBlock]:
        """Return the layers."""
        return [cast(TokenBlock, block) for block in self.blocks]

    def said(self, channels: Channels) -> Tensor | None:
        """Return what each layer hears, (B, depth, D)."""
        if self.vector is None or channels.vector is None:
            return None
        return self.vector(channels.vector).unflatten(1, (self.depth, -1))

    def prefix(self, channels: Channels) -> tuple[Tensor | None, Tensor | None]:
        """Return the words as tokens (B, L, D) and their mask (B, L)."""
        if self.words is None or channels.tokens is None:
            return None, None
        return self.words(channels.tokens), channels.mask

    def over(self, channels: Channels) -> Tensor | None:
        """Return what lies over each place, (B, N, D): the maps' means over it."""
        if self.maps is None or channels.maps is None:
            return None
        rows, columns, each = self.grid
        means = F.adaptive_avg_pool2d(channels.maps, (rows, columns)).flatten(2).transpose(1, 2)
        return self.maps(means).repeat_interleave(each, 1)

    def _placed(self, tokens: Tensor, start: int, maps: Tensor | None) -> Tensor:
        """Embed tokens (B, n) as those at the places from `start` on."""
        place = slice(start, start + tokens.shape[1])
        position = self.position[place]
        if self.channel is not None:
            each = torch.arange(start, start + tokens.shape[1], device=tokens.device) % len(self.channel)
            position = position + self.channel[each]
        x = self.embed(tokens) + position
        return x if maps is None else x + maps[:, place]

    def _continued(self, x: Tensor, kept: Kept) -> Tensor:
        for number, block in enumerate(self.each()):
            x = block.step(x, kept, number)
        kept.used += x.shape[1]
        return x

    def _seen(self, length: int, before: int, mask: Tensor | None, device: torch.device) -> Tensor | None:
        """Return which keys each place sees, (B or 1, 1, L + N, L + N): all words, and what is before it."""
        if not self.causal and mask is None:
            return None
        seen = torch.ones(length, length, dtype=torch.bool, device=device)
        if self.causal:
            seen = seen.tril()
            seen[:before, :before] = True  # words hear each other
        seen = seen[None, None]
        if mask is None:
            return seen
        heard = torch.cat([mask, mask.new_ones(len(mask), length - before)], 1)
        return seen & heard[:, None, None]
