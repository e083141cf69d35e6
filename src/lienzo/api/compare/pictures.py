"""The pictures of the page: everybody's samples one below the other, and what lies nearest to them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from lienzo.api.compare.drawing import REAL, SAMPLES
from lienzo.api.compare.ranks import number
from lienzo.api.compare.rows import key

Values = dict[str, Any]
SIDE, GAP = 96, 0.06  # pixels of a picture at least, and the gap beside it as a share of its side
MOST = 64 * 1024  # bytes of a sheet that is shown to the last bit


def samples(report: Values, out: Path) -> str:
    """Return everybody's samples, real pictures first."""
    said = report["data"]["said"]
    drawn = {name: out / "measured" / name for name, one in report["entrants"].items() if one["sampling"]}
    there = {name: folder for name, folder in drawn.items() if (folder / SAMPLES).is_file()}
    if not there:
        return ""
    heads = _cells([escape(words) for words in said], "heads") if any(said) else ""
    real = _sheet(next(iter(there.values())) / REAL, len(said), "real, held out", f"Real pictures of {_list(said)}")
    numbers = {name: i for i, name in enumerate(report["entrants"])}
    sheets = [
        _sheet(folder / SAMPLES, len(said), f"{key(numbers[name])}{escape(name)}", f"{name} drew {_list(said)}")
        for name, folder in there.items()
    ]
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Samples"><div class="strip">{heads}{real}' + (
        f"{''.join(sheets)}</div></div>"
    )


def near(report: Values, out: Path) -> str:
    """Return the first samples with their nearest training pictures below, and how far these are."""
    parts: list[str] = []
    columns = len(report["data"]["said"])
    for i, (name, one) in enumerate(report["entrants"].items()):
        folder, told = out / "measured" / name, one["nearest"]
        if told is None or not (folder / SAMPLES).is_file():
            continue
        head = f"{key(i)}{escape(name)}"
        rows = [_sheet(folder / SAMPLES, columns, head, f"The first samples of {name}", first=True)]
        for space, words in (("pixels", "by pixels"), ("features", f"by {told['extractor']}")):
            ratios = [d / told[space]["typical"] if told[space]["typical"] else 0 for d in told[space]["distances"]]
            alt = f"Training pictures nearest to the first samples of {name} {words}"
            rows.append(_sheet(folder / f"near-{space}.png", columns, f"<small>{escape(words)}</small>", alt))
            rows.append(_cells([number(ratio, 2) for ratio in ratios], "distances"))
        parts.append(f'<div class="strip">{"".join(rows)}</div>')
    if not parts:
        return ""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Nearest pictures">{"".join(parts)}</div>'


def data_of(path: Path, columns: int, *, first: bool = False) -> tuple[str, int, int]:
    """Return a sheet as a data URI, its pictures enlarged and set apart; and its width and height.

    Args:
        path: of the sheet, pictures side by side without a gap.
        columns: how many.
        first: its first row alone.
    """
    with Image.open(path) as image:
        source = image.convert("RGB") if image.mode not in ("L", "RGB") else image.copy()
    side = source.width // columns
    rows = 1 if first else source.height // side
    scale = max(1, -(-SIDE // side))
    tile, gap = side * scale, max(2, round(side * scale * GAP))
    sheet = Image.new("LA" if source.mode == "L" else "RGBA", (columns * (tile + gap), rows * (tile + gap)))
    for number_ in range(rows * columns):
        x, y = number_ % columns, number_ // columns
        part = source.crop((x * side, y * side, (x + 1) * side, (y + 1) * side))
        part = part.resize((tile, tile), Image.Resampling.NEAREST)
        part.putalpha(255)
        sheet.paste(part, (x * (tile + gap) + gap // 2, y * (tile + gap) + gap // 2))
    return f"data:image/webp;base64,{base64.b64encode(encoded(sheet.convert('RGBA'))).decode('ascii')}", *sheet.size


def encoded(sheet: Image.Image) -> bytes:
    """Return a sheet as WebP: to the last bit while that is small, else in fewer bytes and as good to the eye."""
    exact = _webp(sheet, lossless=True)  # two thirds of a PNG
    return exact if len(exact) <= MOST else _webp(sheet, quality=90, method=6)


def _webp(sheet: Image.Image, **how: Any) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, format="WEBP", **how)
    return buffer.getvalue()


def _sheet(path: Path, columns: int, head: str, alt: str, *, first: bool = False) -> str:
    uri, width, height = data_of(path, columns, first=first)
    image = f'<img src="{uri}" alt="{escape(alt)}" width="{width}" height="{height}">'
    return f'<div class="who">{head}</div>{image}'


def _cells(words: Sequence[str], kind: str) -> str:
    inside = "".join(f"<span>{word}</span>" for word in words)
    return f'<div></div><div class="cells {kind}" style="--n:{len(words)}">{inside}</div>'


def _list(said: Sequence[str]) -> str:
    return ", ".join(said) if any(said) else "whatever comes"
