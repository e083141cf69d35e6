"""The part of a picture that a model looks at, and how what it drew is put back.

Where the mask does not allow a change, every pixel of the result is the original's own, never resampled: the seam is
blended inside the change alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from lienzo.editing.canvas import Canvas, laid, with_colours
from lienzo.editing.masks import Mask

CONTEXT = 1.5  # side of the part over the longer side of what changes
Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Region:
    """A square part of the picture around what may change.

    Attributes:
        box: left, top, right, bottom within the picture.
        side: of the square that the model sees, in the picture's pixels; where the picture ends, its edge is repeated.
        mask: of `box`: what may change; None: all.
    """

    box: Box
    side: int
    mask: Mask | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def region_of(size: tuple[int, int], mask: Mask | None, model_side: int) -> Region:
    """Return the part around what may change: with context, at least as large as the model's pictures.

    Args:
        size: width and height of the picture.
        mask: what may change; None: everything.
        model_side: of the model's pictures, in pixels.
    """
    wide, high = size
    if mask is None or mask.all():
        return Region((0, 0, wide, high), max(wide, high), mask)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(right - left, bottom - top)
    side = min(max(round(CONTEXT * side), model_side, side), max(wide, high))
    x, y = _start(left, right, side, wide), _start(top, bottom, side, high)
    box = (x, y, min(x + side, wide), min(y + side, high))
    return Region(box, side, mask[box[1] : box[3], box[0] : box[2]])


def _start(first: int, last: int, side: int, length: int) -> int:
    return min(max(0, (first + last - side) // 2), max(0, length - side))


def looked_at(canvas: Canvas, region: Region, shape: tuple[int, int, int]) -> Tensor:
    """Return the region as the model sees it: (1, C, H, W) in [-1, 1]."""
    box = region.box
    alpha = None if canvas.alpha is None else canvas.alpha.crop(box)
    return as_tensor(_square(np.asarray(laid(canvas.colour.crop(box), alpha)), region.side), shape)


def as_tensor(pixels: Pixels, shape: tuple[int, int, int]) -> Tensor:
    """Return a square of pixels (S, S, 3) at a model's size, (1, C, H, W) in [-1, 1]."""
    channels, high, wide = shape
    image = Image.fromarray(pixels).convert("RGB" if channels == 3 else "L")
    image = image.resize((wide, high), Image.Resampling.LANCZOS) if image.size != (wide, high) else image
    array = np.asarray(image, np.float32).reshape(high, wide, channels)
    return torch.from_numpy(array).permute(2, 0, 1)[None] / 127.5 - 1


def kept_of(region: Region, shape: tuple[int, int, int]) -> Tensor:
    """Return where the model must keep what it sees: (1, 1, H, W), 1 where no pixel behind may change."""
    if region.mask is None:
        return torch.zeros(1, 1, *shape[1:])
    change = _square(region.mask.astype(np.uint8) * 255, region.side)
    share = Image.fromarray(change).resize((shape[2], shape[1]), Image.Resampling.BOX)
    return torch.from_numpy((np.asarray(share) == 0).astype(np.float32))[None, None]


def put_back(canvas: Canvas, region: Region, seen: Tensor, drawn: Tensor, feather: int, still: Tensor | None) -> Canvas:
    """Return the canvas with what a model drew in its region.

    Args:
        canvas: as it was.
        region: what was looked at.
        seen: (C, H, W), what the model saw.
        drawn: (C, H, W), what it drew.
        feather: width of the seam in pixels, inside the change.
        still: (C, H, W), what the model makes of what it saw when nothing changes; then what it leaves as it is keeps
            the original's detail. None: all is as drawn.
    """
    wide, high = region.size
    before = np.asarray(laid(canvas.colour.crop(region.box), _crop(canvas.alpha, region.box)), np.float32)
    after = enlarged(drawn, region.side)[:high, :wide]
    if still is not None:
        after = _detailed(before, after, enlarged(still, region.side)[:high, :wide])
    weight = soft(region.mask, feather) if region.mask is not None else np.ones((high, wide), np.float32)
    mixed = (before + weight[..., None] * (after - before)).round().clip(0, 255).astype(np.uint8)
    allowed = region.mask if region.mask is not None else np.ones((high, wide), np.bool_)
    own = np.asarray(canvas.colour.crop(region.box))
    colour = canvas.colour.copy()
    colour.paste(Image.fromarray(np.where(allowed[..., None], mixed, own)), region.box[:2])
    if canvas.alpha is None:
        return with_colours(canvas, colour, None)
    opaque, alpha = np.asarray(canvas.alpha.crop(region.box), np.float32), canvas.alpha.copy()
    alpha.paste(Image.fromarray((opaque + weight * (255 - opaque)).round().astype(np.uint8)), region.box[:2])
    return with_colours(canvas, colour, alpha)


def soft(mask: Mask, feather: int) -> NDArray[np.float32]:
    """Return the weight of what is new: 0 where nothing may change, rising to 1 within `feather` pixels inside."""
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    total = mask.astype(np.float32)
    for _ in range(feather):
        image = image.filter(ImageFilter.MinFilter(3))
        total += np.asarray(image, np.float32) / 255
    return np.where(mask, total / (feather + 1), 0).astype(np.float32)


def enlarged(x: Tensor, side: int) -> NDArray[np.float32]:
    """Return (side, side, 3) in [0, 255] of a picture (C, H, W) in [-1, 1]."""
    pixels = ((x.float().cpu() + 1) * 127.5).permute(1, 2, 0).numpy()
    planes = [_sized(pixels[..., c], side) for c in range(pixels.shape[2])]
    return np.stack(planes * (3 if len(planes) == 1 else 1), -1)


def _sized(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(plane))
    image = image.resize((side, side), Image.Resampling.BICUBIC) if image.size != (side, side) else image
    return np.asarray(image, np.float32)


def _detailed(
    before: NDArray[np.float32], after: NDArray[np.float32], still: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return before + (after − still) where these are alike, `after` itself where they are not."""
    gap = after - still
    size = np.abs(gap).max(-1)
    reach = max(3, 2 * (len(size) // 64) + 1)  # two of a model's pixels: what lies beside a change has changed too
    wide = Image.fromarray(size.clip(0, 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(reach))
    near = np.asarray(wide.filter(ImageFilter.GaussianBlur(reach / 2)), np.float32)[..., None]
    new = np.clip((near - 12) / 36, 0, 1)  # grey levels: less is no change, more is one
    return (new * after + (1 - new) * (before + gap)).astype(np.float32)


def _square(pixels: Pixels, side: int) -> Pixels:
    """Repeat the right and the lower edge until the picture is a square of this side."""
    gaps = ((0, side - pixels.shape[0]), (0, side - pixels.shape[1]), (0, 0))[: pixels.ndim]
    return np.pad(pixels, gaps, mode="edge") if any(after for _, after in gaps) else pixels


def _crop(image: Image.Image | None, box: Box) -> Image.Image | None:
    return None if image is None else image.crop(box)
