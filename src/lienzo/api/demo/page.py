"""The page itself: one file that needs no other, readable on a telephone, in the dark, and by a screen reader."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from lienzo.api.demo.parts import Section, Shown
from lienzo.api.find import lines_of, summary_of
from lienzo.api.model import Model

TEMPLATE = Path(__file__).parents[2] / "assets" / "demo" / "page.html"


def page(model: Model, sections: Sequence[Section], seconds: float) -> str:
    """Return the whole page as HTML."""
    count = sum(1 for section in sections for shown in section.shown if shown.file)
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        name=escape(model.name), honest=honest(model), count=count, seconds=f"{seconds:.0f}",
        sections="\n".join(section_of(section) for section in sections), card=card(model),
        weights=model.weights, model_argument=escape(model.name),
    )  # fmt: skip


def honest(model: Model) -> str:
    """Say in a few words what made these pictures."""
    count = sum(p.numel() for p in model.family.parameters())
    _, height, width = model.family.shape
    words = f"Drawn at {width} × {height} pixels by a small model of {count / 1e6:.1f} million parameters. "
    return escape(words + (summary_of(model.card) or "It knows what its pictures showed, and nothing else."))


def card(model: Model) -> str:
    """Return what the model card says of data, cost, quality and limits."""
    blocks: list[str] = []
    for title, section in (
        ("Learnt from", "Data"),
        ("Cost", "Training"),
        ("Measured", "Quality"),
        ("Limits", "Limits"),
    ):
        lines = lines_of(model.card, section) or ["not written down"]
        items = "".join(f"<li>{escape(line.replace('`', ''))}</li>" for line in lines)
        blocks.append(f"<div><h3>{title}</h3><ul>{items}</ul></div>")
    return "\n".join(blocks)


def section_of(section: Section) -> str:
    """Return one section: a table of pictures, its seed and its seconds."""
    columns = len(section.shown) // max(1, len(section.rows))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.columns)
    lines: list[str] = []
    for number, name in enumerate(section.rows):
        cells = "".join(cell(shown) for shown in section.shown[number * columns : (number + 1) * columns])
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    sheet = f'<a href="{section.name}.png">{section.name}.png</a>'
    facts = f"seed {section.seed} · {section.seconds:.1f} s in all · sheet: {sheet}"
    return (
        f'<section id="{section.name}"><h2>{escape(section.title)}</h2><p>{escape(section.about)}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(section.title)}"><table>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        f'<p class="facts">{facts}</p></section>'
    )


def cell(shown: Shown) -> str:
    """Return one picture with the command that makes it again."""
    picture = f'<img src="{data_of(shown.image)}" alt="{escape(shown.says)}" width="{shown.image.width}">'
    if not shown.file:
        return f"<td>{picture}</td>"
    again = f"<summary>again</summary><code>{escape(shown.command)}</code>"
    return f'<td><a href="{escape(shown.file)}">{picture}</a><details>{again}</details></td>'


def data_of(image: Image.Image) -> str:
    """Return a picture as a data URI."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
