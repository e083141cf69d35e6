"""What an edit did, measured on the pictures themselves: what was kept, what changed, how well the words are met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lienzo.editing.canvas import Canvas
from lienzo.editing.masks import Mask
from lienzo.evaluation.scorer import english_captions, load_scorer

BAND = 512  # rows that are compared at once
VISIBLE = 8  # of 255: a change that may be seen


@dataclass(frozen=True)
class Changes:
    """How far a picture is from what it was, of 255.

    Attributes:
        kept_largest, kept_mean: where nothing may change; None where everything may.
        kept_share: how much of the picture that is.
        mean: where it may change.
        visible: share of the pixels that may change and did so by more than 8.
    """

    kept_largest: int | None
    kept_mean: float | None
    kept_share: float
    mean: float
    visible: float


def changes(before: Canvas, after: Canvas, mask: Mask | None) -> Changes:
    """Compare two pictures of one size, colours and transparency, pixel by pixel.

    Args:
        before: as it was.
        after: of the same size.
        mask: what may change; None: everything.
    """
    wide, high = before.size
    largest, kept_sum, kept_count, sum_, visible, count = 0, 0, 0, 0, 0, 0
    for top in range(0, high, BAND):
        box = (0, top, wide, min(top + BAND, high))
        gap = _gap(before, after, box)
        open_ = np.ones(gap.shape, np.bool_) if mask is None else mask[box[1] : box[3]]
        kept, changed = gap[~open_], gap[open_]
        largest = max(largest, int(kept.max(initial=0)))
        kept_sum, kept_count = kept_sum + int(kept.sum()), kept_count + kept.size
        sum_, count, visible = sum_ + int(changed.sum()), count + changed.size, visible + int((changed > VISIBLE).sum())
    some = kept_count > 0
    return Changes(
        largest if some else None, kept_sum / kept_count if some else None, kept_count / max(1, kept_count + count),
        sum_ / max(1, count), visible / max(1, count),
    )  # fmt: skip


def _gap(before: Canvas, after: Canvas, box: tuple[int, int, int, int]) -> NDArray[np.int16]:
    """Return the largest difference of a pixel's channels, (h, W)."""
    a, b = (np.asarray(c.colour.crop(box), np.int16) for c in (before, after))
    gap = np.abs(a - b).max(-1)
    if before.alpha is not None and after.alpha is not None:
        a, b = (np.asarray(c.crop(box), np.int16) for c in (before.alpha, after.alpha))
        gap = np.maximum(gap, np.abs(a - b))
    return gap


@dataclass(frozen=True)
class Met:
    """How well words fit a picture before and after, by the scorer that ships.

    Attributes:
        before, after: cosine of picture and words.
        rank_before, rank_after: share of the emoji's English captions that fit the picture less well than the words.
    """

    before: float
    after: float
    rank_before: float
    rank_after: float


def met(before: Image.Image, after: Image.Image, words: str) -> Met:
    """Score words against a picture before and after; the scorer knows emoji drawings, not photographs."""
    scorer = load_scorer()
    seen, own, others = scorer.see([before, after]), scorer.read([words]), scorer.read(english_captions())
    fits = seen @ own.T
    below = (seen @ others.T < fits).float().mean(1)
    return Met(*fits.flatten().tolist(), *below.tolist())


def sheet(before: Image.Image, after: Image.Image, mask: Mask | None, side: int = 320) -> Image.Image:
    """Lay before, after and their difference (× 4, what is kept in blue) side by side."""
    scale = side / max(before.size)
    size = (max(1, round(before.width * scale)), max(1, round(before.height * scale)))
    kernel = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    small = [image.convert("RGB").resize(size, kernel) for image in (before, after)]
    gap = np.abs(np.asarray(small[0], np.int16) - np.asarray(small[1], np.int16)) * 4
    shown = np.asarray(gap.clip(0, 255), np.uint8).copy()
    if mask is not None:
        kept = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.NEAREST)
        shown[np.asarray(kept) == 0, 2] = np.maximum(shown[np.asarray(kept) == 0, 2], 96)
    head, edge = 22, 6
    paper = Image.new("RGB", (3 * size[0] + 4 * edge, size[1] + head + edge), "white")
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(13)
    for n, (name, image) in enumerate(
        zip(("before", "after", "difference x 4"), (*small, Image.fromarray(shown)), strict=True)
    ):
        left = edge + n * (size[0] + edge)
        paper.paste(image, (left, head))
        draw.text((left, 4), name if n < 2 or mask is None else f"{name}; blue: kept", (40, 40, 40), font)
    return paper
