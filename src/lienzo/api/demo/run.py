"""From a model to a page."""

from __future__ import annotations

import time
from pathlib import Path

from lienzo.api.demo.draw import Painter, Tell
from lienzo.api.demo.page import page
from lienzo.api.files import write_text
from lienzo.api.find import DEFAULT
from lienzo.api.model import load

SEED = 7


def demo(
    out: Path | str, model: str = DEFAULT, *, seed: int = SEED, tell: Tell = lambda sentence: None
) -> Path:  # fmt: skip
    """Write a page of pictures: prompts by styles, the way from noise to one of them, classes by styles.

    Args:
        out: a folder; gets `index.html`, `prompts.png`, `steps.png`, `classes.png`, and `pictures/` with records.
        model: whose pictures.
        seed: of all of them.
        tell: hears what is under way.

    Returns:
        the page.
    """
    since, out = time.monotonic(), Path(out)
    used = load(model)
    tell(f"{used.name}: {sum(p.numel() for p in used.family.parameters()):,} parameters, "
         f"loaded in {time.monotonic() - since:.1f} s")  # fmt: skip
    painter = Painter(used, seed, out, tell)
    sections = [section for section in (painter.prompts(), painter.way(), painter.groups_by_style()) if section]
    sections = sections or [painter.unconditional()]
    return write_text(out / "index.html", page(used, sections, time.monotonic() - since))
