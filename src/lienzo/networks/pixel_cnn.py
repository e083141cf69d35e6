"""Masked convolutions over pixels in reading order, and the same with everything remembered that will not change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.networks.heard import Heard

ROWS, COLUMNS = 3, 3  # how far the first layer looks up and to the left


class GatedLayer(nn.Module):
    r"""One layer of both stacks: a row's feature v hears rows above, a place's feature h hears v and places before.

        v ← v + gate(W_v * v + b_v),    h ← h + W (gate(W_h * h + W_l v + b_h)),    gate(a, b) = tanh(a) σ(b).

    Args:
        width: of v and of h, D.
        dilation: distance between the rows, and between the columns, that a kernel reads.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.down = nn.Conv2d(width, 2 * width, (2, 3), dilation=dilation)
        self.right = nn.Conv2d(width, 2 * width, (1, 2), dilation=dilation)
        self.link = nn.Conv2d(width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def vertical(self, v: Tensor, said: Tensor | None) -> Tensor:
        """Refine v (B, D, H, W), given what is heard, (B, 2D, 1, 1)."""
        d = self.dilation
        return v + gate(self.down(F.pad(v, (d, d, d, 0))), said)

    def horizontal(self, h: Tensor, v: Tensor, said: Tensor | None) -> Tensor:
        """Refine h (B, D, H, W)."""
        return h + self.out(gate(self.right(F.pad(h, (self.dilation, 0))) + self.link(v), said))


def gate(both: Tensor, said: Tensor | None = None) -> Tensor:
    """Return tanh(a) σ(b) of (a, b) = both + said, split along dimension 1."""
    a, b = (both if said is None else both + said.to(both.dtype)).chunk(2, 1)
    return a.tanh() * b.sigmoid()


class PixelCNN(nn.Module):
    """x → the parameters of p(x_i | x_<i) for every place i in reading order, at full resolution.

    Two stacks, so that no place before i is out of sight: v hears whole rows above, h the row itself. "Conditional
    Image Generation with PixelCNN Decoders" (van den Oord, 2016); a mixture as result as in "PixelCNN++" (Salimans,
    2017), but with dilated kernels in the place of its smaller grids, so that what is remembered stays simple.

    Args:
        channels: C of x.
        results: parameters a place.
        sizes: widths of the condition channels (`Bus.sizes`).
        width: D.
        dilations: one a layer.

    >>> PixelCNN(1, 6, Sizes(), width=8, dilations=(1, 2))(torch.zeros(2, 1, 5, 7), Channels()).shape
    torch.Size([2, 6, 5, 7])
    """

    def __init__(
        self, channels: int, results: int, sizes: Sizes, width: int = 64, dilations: Sequence[int] = (1, 2, 4, 1, 2, 4)
    ) -> None:
        super().__init__()
        self.width = width
        self.above = nn.Conv2d(channels + 1, width, (ROWS, 2 * COLUMNS + 1))
        self.before = nn.Conv2d(channels + 1, width, (1, COLUMNS))
        self.maps = nn.Conv2d(sizes.maps, 2 * width, 3, padding=1) if sizes.maps else None
        self.heard = Heard(sizes, 4 * width * len(dilations))
        self.layers = nn.ModuleList(GatedLayer(width, d) for d in dilations)
        self.last = nn.Conv2d(width, results, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def each(self) -> list[GatedLayer]:
        """Return the layers."""
        return [cast(GatedLayer, layer) for layer in self.layers]

    def forward(self, x: Tensor, channels: Channels) -> Tensor:
        """Map x (B, C, H, W) to (B, results, H, W); the result at a place hears the places before it alone."""
        x = marked(x).contiguous(memory_format=torch.channels_last)
        maps_v, maps_h = self.over(channels)
        v = self.above(F.pad(x, (COLUMNS, COLUMNS, ROWS, 0))[:, :, :-1])
        h = self.before(F.pad(x, (COLUMNS, 0))[..., :-1])
        v, h = (v, h) if maps_v is None or maps_h is None else (v + maps_v, h + maps_h)
        for layer, (said_v, said_h) in zip(self.each(), self.said(channels), strict=True):
            v = layer.vertical(v, said_v)
            h = layer.horizontal(h, v, said_h)
        return self.last(F.silu(h))

    def over(self, channels: Channels) -> tuple[Tensor | None, Tensor | None]:
        """Return what the maps add to v and to h, each (B, D, H, W)."""
        if self.maps is None or channels.maps is None:
            return None, None
        both = self.maps(channels.maps)
        return both[:, : self.width], both[:, self.width :]

    def said(self, channels: Channels) -> list[tuple[Tensor | None, Tensor | None]]:
        """Return what each layer's v and h hear, (B, 2D, 1, 1) each."""
        heard = self.heard(channels)
        if heard is None:
            return [(None, None)] * len(self.layers)
        halves = heard[..., None, None].unflatten(1, (len(self.layers), 2, 2 * self.width))
        return [(halves[:, n, 0], halves[:, n, 1]) for n in range(len(self.layers))]


def marked(x: Tensor) -> Tensor:
    """Add a channel of ones, by which a place outside the picture, all zero, differs from a grey one."""
    return torch.cat([x, torch.ones_like(x[:, :1])], 1)


class PixelCache:
    """A `PixelCNN` that computes one row of v, and one place of h, at a time, from what it remembers of the others.

    Call `row(r)` once a row in order, then `place(c)` once a place in order, `put` after each. v of a row hears the
    rows above only, so that it is computed for the whole row at once; a place then costs two small products a layer.
    "Fast Generation for Convolutional Autoregressive Models" (Ramachandran, 2017).

    Args:
        network: what is remembered.
        channels: what is heard, B rows.
        shape: (C, H, W) of the picture.
        count: B.
    """

    def __init__(self, network: PixelCNN, channels: Channels, shape: tuple[int, int, int], count: int) -> None:
        self.network, (depth, height, columns) = network, shape
        self.count, self.columns, weight = count, columns, network.last.weight
        self.layers, self.said, self.maps = network.each(), network.said(channels), network.over(channels)
        self.x = weight.new_zeros(count, depth + 1, ROWS + height, 2 * COLUMNS + columns)
        self.v = [weight.new_zeros(count, network.width, layer.dilation + height, columns) for layer in self.layers]
        self.first = network.before.weight.flatten(1)  # (D, (C + 1)·3)
        self.right = [layer.right.weight[:, :, 0].permute(2, 1, 0).flatten(0, 1).contiguous() for layer in self.layers]
        self.out = [(layer.out.weight.flatten(1).T.contiguous(), cast(Tensor, layer.out.bias)) for layer in self.layers]
        self.last = network.last.weight.flatten(1)

    def row(self, r: int) -> None:
        """Begin row r: every layer's v, and what it hands to h."""
        v = self.network.above(self.x[:, :, r : r + ROWS])  # (B, D, 1, W)
        v = v if self.maps[0] is None else v + self.maps[0][:, :, r : r + 1]
        self.r, self.links, self.h = r, list[Tensor](), list[Tensor]()
        for layer, kept, (said_v, said_h) in zip(self.layers, self.v, self.said, strict=True):
            d = layer.dilation
            kept[:, :, r + d] = v[:, :, 0]
            two = F.pad(kept[:, :, [r, r + d]], (d, d))
            v = v + gate(F.conv2d(two, layer.down.weight, layer.down.bias, dilation=(1, d)), said_v)
            link = layer.link(v) + cast(Tensor, layer.right.bias)[:, None, None]
            link = link if said_h is None else link + said_h
            self.links.append(link[:, :, 0].permute(2, 0, 1).contiguous())  # (W, B, 2D)
            self.h.append(v.new_zeros(d + self.columns, self.count, self.network.width))

    def place(self, c: int) -> Tensor:
        """Return the parameters of place c of this row, (B, results)."""
        network = self.network
        near = self.x[:, :, self.r + ROWS, c : c + COLUMNS]
        h = F.linear(near.flatten(1), self.first, network.before.bias)
        h = h if self.maps[1] is None else h + self.maps[1][:, :, self.r, c]
        width, each = network.width, zip(self.layers, self.right, self.out, self.links, self.h, strict=True)
        for layer, right, (out, bias), link, kept in each:
            kept[c + layer.dilation] = h
            both = torch.addmm(link[c], torch.cat([kept[c], h], 1), right)  # few calls: each costs more than its sums
            h = torch.addmm(h + bias, both[:, :width].tanh() * both[:, width:].sigmoid(), out)
        return F.linear(F.silu(h), self.last, network.last.bias)

    def put(self, c: int, pixel: Tensor) -> None:
        """Write what place c of this row is, (B, C)."""
        self.x[:, :, self.r + ROWS, c + COLUMNS] = torch.cat([pixel, torch.ones_like(pixel[:, :1])], 1)

    @property
    def picture(self) -> Tensor:
        """Return what has been written, (B, C, H, W)."""
        return self.x[:, :-1, ROWS:, COLUMNS:-COLUMNS]
