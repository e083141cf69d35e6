"""The part of a picture that a model looks at, and what of the picture may change there.

What the model drew is put back by `lienzo.editing.paste`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lienzo.editing.canvas import Canvas, laid
from lienzo.editing.masks import Mask

CONTEXT = 1.5  # side of the part over the longer side of what changes
LANCZOS = Image.Resampling.LANCZOS
Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Region:
    """A part of the picture around what may change, of the proportions of the model's pictures.

    Attributes:
        box: left, top, right, bottom within the picture.
        frame: width and height that the model sees, in the picture's pixels; where the picture ends, its edge is
            repeated.
        mask: of `box`: what may change; None: all.
    """

    box: Box
    frame: tuple[int, int]
    mask: Mask | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def side(self) -> int:
        """The longer side of the frame."""
        return max(self.frame)


def region_of(
    size: tuple[int, int], mask: Mask | None, model_side: int | tuple[int, int], context: float | None = None
) -> Region:
    """Return the part around what may change: with context, or at least as large as the model's pictures.

    Args:
        size: width and height of the picture.
        mask: what may change; None: everything.
        model_side: of the model's pictures, in pixels, or their width and height.
        context: side of the part over the longer side of what changes, from 1, however small
            that is; None: `CONTEXT`, and no smaller than the model's pictures.
    """
    own = (model_side, model_side) if isinstance(model_side, int) else model_side
    whole = _scale(size, own)
    if mask is None or mask.all():
        return Region((0, 0, *size), _frame(whole, own), mask)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    scale = _scale((right - left, bottom - top), own)
    seen = max(CONTEXT * scale, 1.0) if context is None else context * scale
    wide, high = _frame(min(seen, whole), own)
    x, y = _start(left, right, wide, size[0]), _start(top, bottom, high, size[1])
    box = (x, y, min(x + wide, size[0]), min(y + high, size[1]))
    return Region(box, (wide, high), mask[box[1] : box[3], box[0] : box[2]])


def _scale(size: tuple[int, int], own: tuple[int, int]) -> float:
    """Return how many pixels a pixel of the model covers, for all of this size to be seen."""
    return max(size[0] / own[0], size[1] / own[1])


def _frame(scale: float, own: tuple[int, int]) -> tuple[int, int]:
    return max(1, round(scale * own[0])), max(1, round(scale * own[1]))


def _start(first: int, last: int, side: int, length: int) -> int:
    return min(max(0, (first + last - side) // 2), max(0, length - side))


def looked_at(canvas: Canvas, region: Region, shape: tuple[int, int, int]) -> Tensor:
    """Return the region as the model sees it: (1, C, H, W) in [-1, 1]."""
    alpha = None if canvas.alpha is None else canvas.alpha.crop(region.box)
    image = laid(canvas.colour.crop(region.box), alpha).convert("RGB" if shape[0] == 3 else "L")
    return _tensor(_seen(image, region.frame, (shape[2], shape[1])), shape[0])


def as_tensor(pixels: Pixels, shape: tuple[int, int, int]) -> Tensor:
    """Return pixels (S, T, 3) at a model's size, (1, C, H, W) in [-1, 1]."""
    image = Image.fromarray(pixels).convert("RGB" if shape[0] == 3 else "L")
    return _tensor(_sized(image, (shape[2], shape[1])), shape[0])


def _tensor(image: Image.Image, channels: int) -> Tensor:
    array = np.asarray(image, np.float32).reshape(image.height, image.width, channels)
    return torch.from_numpy(array).permute(2, 0, 1)[None] / 127.5 - 1


def _seen(image: Image.Image, frame: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Bring a picture to a size, its right or its lower edge repeated up to the frame.

    The side that is full is brought to its size first: what is repeated is then small, however long the picture is.
    """
    wide, high = size
    if image.height < frame[1]:
        image, full = _sized(image, (wide, image.height)), (wide, frame[1])
    elif image.width < frame[0]:
        image, full = _sized(image, (image.width, high)), (frame[0], high)
    else:
        return _sized(image, size)
    pixels = np.asarray(image)
    gaps = ((0, full[1] - image.height), (0, full[0] - image.width), (0, 0))[: pixels.ndim]
    return _sized(Image.fromarray(np.pad(pixels, gaps, mode="edge")), size)


def _sized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, LANCZOS)


def kept_of(region: Region, shape: tuple[int, int, int]) -> Tensor:
    """Return where the model must keep what it sees: (1, 1, H, W), 1 where no pixel behind may change."""
    if region.mask is None:
        return torch.zeros(1, 1, *shape[1:])
    rows = _behind(region.mask, region.frame[1], shape[1])
    change = _behind(rows.T, region.frame[0], shape[2]).T
    return torch.from_numpy(~change).float()[None, None]


def _behind(mask: Mask, length: int, cells: int) -> Mask:
    """Return for each of the cells into which a length of rows is cut whether any row of it is meant, by column."""
    last = len(mask) - 1  # it is repeated up to the length
    starts = (min(cell * length // cells, last) for cell in range(cells))
    ends = (-(-(cell + 1) * length // cells) for cell in range(cells))
    return np.stack([mask[start:end].any(0) for start, end in zip(starts, ends, strict=True)])
