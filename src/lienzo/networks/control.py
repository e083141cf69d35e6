"""Branches through which a frozen backbone hears a map that it was not built for.

Both designs end in layers that start at zero, so that at first nothing is added; and what they add is multiplied by
whether the map is said, so that without one the network remains what it was, bit for bit, for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels
from lienzo.networks.coders import Residual
from lienzo.networks.low_rank import lower
from lienzo.networks.places import Controllable, Place

Grid = tuple[int, int]


class Features(nn.Module):
    """An encoder of the map alone, whose features are added at every place: cheap, and it is blind to x and t.

    "T2I-Adapter: Learning Adapters to Dig out More Controllable Ability for Text-to-Image Diffusion Models" (Mou,
    2023).

    Args:
        network: what it is for.
        maps: channels of the map.
        grid: (H, W) of x and of the map.
        width: of its layers, a multiple of 4.
    """

    def __init__(self, network: Controllable, maps: int, grid: Grid, width: int) -> None:
        super().__init__()
        self.grids = list(dict.fromkeys(place.grid for place in network.places))
        self.levels = [self.grids.index(place.grid) for place in network.places]
        self.enter = Enter(maps, grid, self.grids[0], width)
        self.stages = nn.ModuleList(nn.Sequential(Residual(width, 4), Residual(width, 4)) for _ in self.grids)
        self.leave = nn.ModuleList(_silent(width, place.width) for place in network.places)

    def forward(self, x: Tensor, t: Tensor, channels: Channels, maps: Tensor) -> list[Tensor]:
        """Return what maps (B, K, H, W) add at every place."""
        h, seen = self.enter(maps), list[Tensor]()
        for grid, stage in zip(self.grids, self.stages, strict=True):
            h = stage(h if h.shape[2:] == grid else F.adaptive_avg_pool2d(h, grid))
            seen.append(h)
        return [leave(seen[level]) for leave, level in zip(self.leave, self.levels, strict=True)]


class EarlyCopy(nn.Module):
    """A copy of the backbone's first part that sees the map beside x; its states are added at the same places.

    "Adding Conditional Control to Text-to-Image Diffusion Models" (Zhang, 2023), and for transformers "PixArt-δ"
    (Chen, 2024), which copies the first half of the blocks. The copy's weights are the backbone's own plus differences
    of low rank, which alone are learnt and kept: whole blocks would be far more than a tenth of the backbone.

    Args:
        network: what it is for, frozen.
        maps: channels of the map.
        grid: (H, W) of x and of the map.
        rank: of the differences.
    """

    def __init__(self, network: Controllable, maps: int, grid: Grid, rank: int) -> None:
        super().__init__()
        self.twin = network.early()
        lower(self.twin, rank)
        first: Place = network.places[0]
        self.enter = Enter(maps, grid, first.grid, first.width)
        for parameter in self.enter.parameters():
            nn.init.zeros_(parameter)
        self.leave = nn.ModuleList(_silent(place.width, place.width) for place in self.twin.places)

    def forward(self, x: Tensor, t: Tensor, channels: Channels, maps: Tensor) -> list[Tensor]:
        """Return what maps (B, K, H, W) add at the first places, given what the backbone is given."""
        states = self.twin.states(x, t, channels, [self.enter(maps)])
        return [leave(state) for leave, state in zip(self.leave, states, strict=False)]


class Enter(nn.Module):
    """A map folded to a coarser grid, then one linear layer a place.

    Args:
        maps: channels of the map.
        grid: (H, W) of the map.
        to: (h, w), each a divisor.
        width: of the result.
    """

    def __init__(self, maps: int, grid: Grid, to: Grid, width: int) -> None:
        super().__init__()
        self.fold = grid[0] // to[0]
        self.layer = nn.Conv2d(maps * self.fold**2, width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, K, H, W) to (B, width, h, w)."""
        return self.layer(F.pixel_unshuffle(maps, self.fold))


class Controlled(Controllable):
    """A frozen backbone and a branch that adds to its states what it makes of the last channels of the maps.

    Args:
        network: the backbone, or one that is controlled already.
        branch: as the table `DESIGNS` makes one.
        plain: channels of maps that the backbone itself hears.
        own: channels of maps that the branch hears; the last one tells whether the map is said.
    """

    def __init__(self, network: Controllable, branch: nn.Module, plain: int, own: int) -> None:
        super().__init__()
        self.network, self.branch, self.plain, self.own = network, branch, plain, own
        self.places = network.places

    def forward(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> Tensor:
        """Map x (B, C, H, W) at times t (B,) to a tensor of its shape."""
        below, added = self._controlled(x, t, channels, added)
        return self.network(x, t, below, added)

    def states(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> list[Tensor]:
        """Return the state (B, D, h, w) at every place."""
        below, added = self._controlled(x, t, channels, added)
        return self.network.states(x, t, below, added)

    def early(self) -> Controllable:
        """Return the first part of the backbone, without any branch."""
        return self.network.early()

    def _controlled(
        self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor]
    ) -> tuple[Channels, list[Tensor]]:
        """Return what the backbone hears, and what joins its states."""
        assert channels.maps is not None
        rest = channels.maps.shape[1] - self.own
        heard, maps, told = channels.maps.split([rest, self.own - 1, 1], 1)
        below = replace(channels, maps=heard if rest else None)
        plain = replace(channels, maps=heard[:, : self.plain] if self.plain else None)
        found = [state * told[:, :, :1, :1] for state in self.branch(x, t, plain, maps)]
        sums = [b if a is None else a if b is None else a + b for a, b in zip_longest(found, added)]
        return below, sums


@dataclass(frozen=True)
class Design:
    """A row of the table.

    Attributes:
        make: network, channels of the map, grid, size → the branch.
        sizes: that it may have, from the smallest: widths, or ranks.
        what: for people.
    """

    make: Callable[[Controllable, int, Grid, int], nn.Module]
    sizes: tuple[int, ...]
    what: str


DESIGNS: dict[str, Design] = {
    "features": Design(Features, (4, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256), "an encoder of the map"),
    "copy": Design(EarlyCopy, (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128), "a copy of the first part"),
}


def _silent(inside: int, outside: int) -> nn.Conv2d:
    """Return a linear layer for each place of a grid that starts at zero."""
    layer = nn.Conv2d(inside, outside, 1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
