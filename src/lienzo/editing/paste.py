"""What a model drew, put back into the picture.

Where the mask does not allow a change, every pixel of the result is the original's own, never resampled: the seam is
blended inside the change alone. Bands of rows are put back one after another, so that a large picture takes little
more memory than itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from lienzo.editing.canvas import Canvas, with_colours
from lienzo.editing.region import Box, Region
from lienzo.editing.seams import soft

BAND = 256  # rows
FAINT, CLEAR = 12, 48  # of 255: up to here nothing has changed; from here on all is new
Numbers = NDArray[np.floating[Any]]


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
    return pasted(canvas, region, drawn, None if region.mask is None else soft(region.mask, feather), still)


def pasted(canvas: Canvas, region: Region, drawn: Tensor, weight: Numbers | None, still: Tensor | None) -> Canvas:
    """Return the canvas with what was drawn in its region, `weight` (H, W) of it, None: all; see `put_back`."""
    colour, alpha = canvas.colour.copy(), None if canvas.alpha is None else canvas.alpha.copy()
    news = _News(drawn, still, region.frame)
    left, upper = region.box[:2]
    for top in range(0, region.size[1], BAND):
        part = (0, top, region.size[0], min(top + BAND, region.size[1]))
        rows = slice(top, part[3])
        box = (left, upper + top, left + part[2], upper + part[3])
        own = np.asarray(colour.crop(box))
        opaque = None if alpha is None else np.asarray(alpha.crop(box))
        new, opaquer = _mixed(own, opaque, news, part, 1.0 if weight is None else weight[rows, :, None])
        if region.mask is not None:
            new = np.where(region.mask[rows, :, None], new, own)
        colour.paste(Image.fromarray(new), box[:2])
        if alpha is not None and opaquer is not None:
            alpha.paste(Image.fromarray(opaquer), box[:2])
    return with_colours(canvas, colour, alpha)


class _News:
    """What a model drew over a frame of the picture, part by part."""

    def __init__(self, drawn: Tensor, still: Tensor | None, frame: tuple[int, int]) -> None:
        self.drawn, self.still, self.frame = drawn, still, frame
        self.change = None if still is None else _change(drawn, still, frame[0] / drawn.shape[-1])

    def over(self, before: Numbers, part: Box) -> tuple[Numbers, Numbers | float]:
        """Return a part as it is now, before + (drawn − still) where these are alike, and how much of it is new.

        Beside a change the model draws paper where paper was seen: that is nothing new.
        """
        after = enlarged(self.drawn, self.frame, part)
        if self.still is None or self.change is None:
            return after, 1.0
        kept = before + after - enlarged(self.still, self.frame, part)
        change = _enlarged(self.change, self.frame, part, Image.Resampling.BILINEAR)[..., None]
        new = _clear(change)
        now = new * after + (1 - new) * kept
        return now, new * _clear(np.abs(now.clip(0, 255) - before).max(-1, keepdims=True))


def _clear(change: Numbers) -> Numbers:
    return np.clip((change - FAINT) / (CLEAR - FAINT), 0, 1)


def _change(drawn: Tensor, still: Tensor, scale: float) -> Numbers:
    """Return how much a model changed, of 255, at its own size: what lies beside a change has changed too."""
    size = ((drawn - still).abs().amax(0) * 127.5).clamp(max=255).to(torch.uint8).cpu().numpy()
    wide = Image.fromarray(size).filter(ImageFilter.MaxFilter(3))
    return np.asarray(wide.filter(ImageFilter.GaussianBlur(1 + 0.5 / max(1.0, scale))), np.float32)


def _mixed(
    own: NDArray[np.uint8], opaque: NDArray[np.uint8] | None, news: _News, part: Box, weight: Numbers | float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Return colours and opacity, so that on white paper `weight` of what is new is seen and the rest as it was.

    A pixel becomes opaque by as much as it is new: what the model left as it was stays transparent.
    """
    if opaque is None:
        before = own.astype(np.float32)
        after, _ = news.over(before, part)
        return _bytes(before + weight * (after - before)), None
    share = opaque[..., None].astype(np.float32) / 255
    before = share * own + (1 - share) * 255
    after, new = news.over(before, part)
    opaquer = _bytes(255 * (share + weight * new * (1 - share)))
    share = opaquer.astype(np.float32) / 255
    ink = before + weight * (after - before) - 255 * (1 - share)
    colours = np.divide(ink, share, out=own.astype(np.float32), where=share > 0)
    return _bytes(colours), opaquer[..., 0]


def _bytes(values: Numbers) -> NDArray[np.uint8]:
    return values.round().clip(0, 255).astype(np.uint8)


def enlarged(x: Tensor, frame: tuple[int, int], part: Box | None = None) -> Numbers:
    """Return (H, W, 3) in [0, 255] of a picture (C, H, W) in [-1, 1] enlarged to a frame, or of a part of that."""
    part = (0, 0, *frame) if part is None else part
    planes = [_enlarged(plane.numpy(), frame, part) for plane in (x.float().cpu() + 1) * 127.5]
    return np.stack(planes * (3 if len(planes) == 1 else 1), -1)


def _enlarged(
    plane: Numbers, frame: tuple[int, int], part: Box, kernel: Image.Resampling = Image.Resampling.BICUBIC
) -> Numbers:
    """Return a part of a plane at the frame's size: the pixels beside the part count as they do in the whole."""
    image = Image.fromarray(np.ascontiguousarray(plane))
    left, right = (place * image.width / frame[0] for place in part[::2])
    top, bottom = (place * image.height / frame[1] for place in part[1::2])
    size = (part[2] - part[0], part[3] - part[1])
    return np.asarray(image.resize(size, kernel, (left, top, right, bottom)), np.float32)
