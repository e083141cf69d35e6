"""Maps that lie over the picture: segmentation, depth, pose, lines, a mask, a picture to keep or to change."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import where_said
from lienzo.conditions.image import as_numbers, as_pil, in_one, to_planes
from lienzo.conditions.reading import class_numbers, light_lines, map_read, squared
from lienzo.core import ConditionError, ConfigurationError, Said, configurable

MapKind = Literal["segmentation", "depth", "pose", "edges", "mask", "picture"]


class Folded(nn.Module):
    """A fine map on a coarse grid: what lies in a cell, and in the cells beside it, as `width` numbers.

    Args:
        channels: of the map.
        fold: side of a cell in pixels, f; there are channels·f² numbers in a cell.
        width: of the result.
    """

    def __init__(self, channels: int, fold: int, width: int) -> None:
        super().__init__()
        self.cells = nn.PixelUnshuffle(fold)
        self.inside = nn.Conv2d(channels * fold**2, width, 1)
        self.around = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, K, H, W) to (B, width, H/f, W/f)."""
        x = self.inside(self.cells(x))
        return x + self.around(nn.functional.gelu(x))


@configurable("map")
class MapCondition(Condition):
    """A map that lies over the picture: segmentation, depth, pose, edges or line art, a mask, a picture to keep.

    It is heard in the map channel, with one more channel that tells where it is said; unsaid, a learnt vector is heard
    in every place. Lines are heard white on black, however they are drawn; a tensor of numbers is heard as it is.

    Args:
        map_kind: what it shows. Segmentation is one-hot and resized to the nearest; the others are smooth.
        size: of the map.
        channels: of the map; for segmentation the number of classes.
        grid: side of what the network sees, where that is coarser than the map (codes): a learnt layer folds what lies
            in each cell, so that nothing of it is averaged away. None: the map's own.
        width: channels in which a folded map is heard.
        before: whether it shows what was there before an edit, whose instruction the words are.

    Raises:
        ConfigurationError: for a grid that does not divide the map.
    """

    def __init__(
        self,
        map_kind: MapKind,
        size: int = 64,
        channels: int = 1,
        grid: int | None = None,
        width: int = 64,
        before: bool = False,
    ) -> None:
        super().__init__()
        if grid is not None and (grid < 1 or size % grid):
            raise ConfigurationError(f"a map of side {size} on a grid of {grid}", hint=f"a grid that divides {size}")
        self.map_kind, self.size, self.channels, self.before = map_kind, size, channels, before
        self.cell = 1 if grid is None else size // grid
        self.heard = channels if self.cell == 1 else width

    def prepare(self, vector: int, token: int) -> None:
        """Create what is heard where nothing is said, and the fold of a fine map."""
        self.null = nn.Parameter(torch.randn(self.heard) * 0.02)
        self.folded = Folded(self.channels, self.cell, self.heard) if self.cell > 1 else nn.Identity()

    def sizes(self, vector: int, token: int) -> Sizes:
        """Its channels, and one that tells whether it is said."""
        return Sizes(maps=self.heard + 1)

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn maps (files, PIL, arrays, tensors) into (B, K, size, size): bytes, or numbers in [-1, 1].

        A segmentation is (B, 1, size, size) class numbers, or one-hot (B, K, size, size) if a tensor is among them.
        """
        each = [None if v is None else self._map(v) for v in values]
        exact = self.map_kind == "segmentation"
        if exact and any(planes is not None and planes.is_floating_point() for planes in each):
            each = [None if planes is None else self.numbers(planes[None])[0] for planes in each]
            exact = False
        maps = in_one(each, (1 if exact else self.channels, self.size, self.size))
        if exact and len(maps) and int(maps.max()) >= self.channels:
            raise _classes(self.channels, f"shape {tuple(maps.shape[2:])} with values up to {int(maps.max())}")
        return Said((maps,), torch.tensor([v is not None for v in values], dtype=torch.bool))

    def numbers(self, values: Tensor) -> Tensor:
        """Return parsed maps as the numbers that are heard, (B, K, size, size)."""
        if self.map_kind == "segmentation" and values.dtype == torch.uint8:
            classes = torch.arange(self.channels, device=values.device).view(1, -1, 1, 1)
            return (values == classes).float()
        return as_numbers(values)

    def encode(self, said: Said) -> Channels:
        """Return the maps with a channel of ones where they are said, (B, heard + 1, H, W)."""
        return self.told(self.folded(self.numbers(said.values[0])), said.present)

    def told(self, x: Tensor, present: Tensor) -> Channels:
        """Return what is heard of maps (B, heard, H, W) that are said in some of the rows."""
        null = self.null.to(x.dtype).view(1, -1, 1, 1)
        where = present.to(x.dtype).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return Channels(maps=torch.cat([where_said(present, x, null), where], 1))

    def _map(self, value: Any) -> Tensor:
        given = isinstance(value, str | PathLike | Image.Image)
        if self.map_kind == "segmentation":
            return self._segmentation(value, given)
        read = map_read(as_pil(value), self.map_kind, self.channels) if given else value
        planes = to_planes(read, self.size, self.channels, smooth=self.map_kind != "mask")
        if self.map_kind == "edges" and planes.dtype == torch.uint8:
            return torch.from_numpy(light_lines(planes.numpy()))
        return planes

    def _segmentation(self, value: Any, given: bool) -> Tensor:
        if isinstance(value, Tensor) and value.is_floating_point():
            return to_planes(value, self.size, self.channels)
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.shape == (self.size, self.size, 1):
            return to_planes(value, self.size, 1)
        image = as_pil(value) if given or not isinstance(value, np.ndarray) else None
        numbers = np.asarray(value).squeeze() if image is None else class_numbers(image)
        if numbers is None:
            raise _classes(self.channels, "colours")
        if numbers.ndim != 2 or int(numbers.max()) >= self.channels or int(numbers.min()) < 0:
            raise _classes(self.channels, f"shape {numbers.shape} with values up to {int(numbers.max())}")
        nearest = squared(Image.fromarray(numbers.astype(np.uint8)), self.size, Image.Resampling.NEAREST)
        return torch.from_numpy(np.array(nearest))[None]


def _classes(channels: int, got: str) -> ConditionError:
    return ConditionError(
        f"a segmentation map holds class numbers 0..{channels - 1}, got {got}",
        hint="an 8-bit grey or palette PNG whose values are classes",
    )


@configurable("codes")
class CodedCondition(MapCondition):
    """A picture that a model over codes hears as codes: to keep, or as it was before an edit.

    The family over codes codes it (`lienzo.families.latent`), so that what stays as it is can be heard as what has to
    be drawn.

    Args:
        code: (C, h, w) of the codes.
        size: of the picture.
        channels: of the picture.
        before: whether it shows what was there before an edit, whose instruction the words are.
    """

    def __init__(self, code: tuple[int, int, int], size: int = 64, channels: int = 3, before: bool = False) -> None:
        super().__init__("picture", size, channels, before=before)
        self.code, self.heard = tuple(code), code[0]

    def encode(self, said: Said) -> Channels:
        """Return codes with a channel of ones where they are said.

        Raises:
            ConfigurationError: for pictures that nobody has coded.
        """
        codes = said.values[0]
        if tuple(codes.shape[1:]) != self.code:
            if bool(said.present.any()):
                raise ConfigurationError("a picture to be heard as codes, but nothing codes it", hint="kind = 'map'")
            codes = self.null.new_zeros(len(codes), *self.code)
        return self.told(codes, said.present)
