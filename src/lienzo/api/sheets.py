"""Pictures side by side on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

GAP, PAPER, INK = 4, (255, 255, 255), (40, 40, 40)


def grid(
    images: Sequence[Image.Image], columns: int | None = None, *, scale: int | None = None,
    rows_named: Sequence[str] = (), columns_named: Sequence[str] = (),
) -> Image.Image:  # fmt: skip
    """Lay pictures of one size on white.

    Args:
        images: row after row.
        columns: pictures a row; by default about as many as rows.
        scale: how many pixels a pixel is drawn with; by default so that a picture is at least 64 wide.
        rows_named: written above each row.
        columns_named: written above the first.
    """
    columns = min(columns or math.ceil(math.sqrt(len(images))), len(images))
    scale = scale or max(1, math.ceil(64 / images[0].width))
    width, height = (side * scale for side in images[0].size)
    font, line = _font(max(10, width // 8))
    head, above = (line if columns_named else 0), (line if rows_named else 0)
    rows = math.ceil(len(images) / columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, head + rows * (height + above + GAP) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, name in enumerate(columns_named):
        draw.text((GAP + number * (width + GAP) + width / 2, 2), name, INK, font, anchor="ma")
    for number, name in enumerate(rows_named):
        draw.text((GAP, head + number * (height + above + GAP) + 2), name, INK, font)
    for number, image in enumerate(images):
        left = GAP + number % columns * (width + GAP)
        top = head + GAP + number // columns * (height + above + GAP) + above
        sheet.paste(image.convert("RGB").resize((width, height), Image.Resampling.NEAREST), (left, top))
    return sheet


def _font(size: int) -> tuple[ImageFont.ImageFont | ImageFont.FreeTypeFont, int]:
    font = ImageFont.load_default(size)
    return font, size + 6
