"""A small contact sheet: pictures with what was said below them."""

import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

CELL, TEXT, COLUMNS, EACH = 64, 24, 12, 36


Section = tuple[str, list[Image.Image], list[str]]


def contact_sheet(sections: list[Section], file: Path, *, sample_seed: int = 0) -> None:
    """Write some pictures of each section (title, pictures, words), drawn at random, not picked."""
    font = ImageFont.load_default(9)
    blocks = [_block(title, pictures, words, sample_seed, font) for title, pictures, words in sections]
    sheet = Image.new("RGB", (blocks[0].width, sum(block.height for block in blocks)), "white")
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, quality=85, method=6)


def _block(title, pictures, words, seed, font):
    rows = sorted(random.Random(seed).sample(range(len(pictures)), min(EACH, len(pictures))))
    lines = -(-len(rows) // COLUMNS)
    width, height = CELL + 20, CELL + TEXT
    block = Image.new("RGB", (COLUMNS * width, 16 + lines * height), "white")
    pen = ImageDraw.Draw(block)
    pen.text((2, 2), f"{title}: {len(rows)} of {len(pictures)}, drawn at random", fill="black", font=font)
    for place, row in enumerate(rows):
        left, top = place % COLUMNS * width, 16 + place // COLUMNS * height
        block.paste(pictures[row].convert("RGB").resize((CELL, CELL)), (left + 10, top))
        for line, text in enumerate(words[row].split(" · ")):
            pen.text((left + 1, top + CELL + 10 * line), text[:17], fill="black", font=font)
    return block
