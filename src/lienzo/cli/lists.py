"""Lists in the terminal: models and families."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lienzo.api.families import FamilyInfo
from lienzo.api.find import ModelInfo

WIDTH = 100
REAL = re.compile(r"\(([\d.e-]+)\)$")  # a card's figure ends with what as many real pictures measure
MOST = 4  # figures of a model; of more, those that tell most
TELLING = ("bits/dim", "FD-clf", "FD-emoji", "FD-pca", "label-accuracy", "of_real", "retrieval-top5")


def show_models(shipped: Sequence[ModelInfo], own: Sequence[ModelInfo]) -> None:
    """Print models, with their measured quality."""
    console = Console(highlight=False)
    if not shipped:
        console.print("no model ships with this installation")
    for info in [*shipped, *own]:
        console.print(Text.assemble((info.name, "bold cyan"), f"  {info.bytes / 2**20:.1f} MiB  ", info.summary))
        told = [name for name in info.quality if len(info.quality) <= MOST or name.startswith(TELLING)]
        for name in told:
            console.print(Text(f"  {name}: " + REAL.sub(r"(real pictures: \1)", info.quality[name])))
        if len(told) < len(info.quality):
            console.print(Text(f"  and {len(info.quality) - len(told)} more figures: lienzo models --json", "dim"))
        if not info.quality:
            console.print(Text("  quality: not measured", "dim"))
        for line in info.training[:3]:
            console.print(Text(f"  {line}", "dim"))
        console.print(Text(f"  weights {info.sha256[:12]}…", "dim"))
    if not own:
        console.print(Text("models of your own: lienzo train ./photos --budget 30m", "dim"))


def show_families(infos: Sequence[FamilyInfo]) -> None:
    """Print families, at most 100 columns wide."""
    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 1, 0), header_style="bold", width=min(console.width, WIDTH))
    least = max(len(info.name) for info in infos)
    table.add_column("family", min_width=least, max_width=least + 8)
    table.add_column("what it is, when to choose it, where it is from", ratio=1)
    table.add_column("on Fashion-MNIST", min_width=16, max_width=24)
    for info in infos:
        edits = [f"edits: {', '.join(info.edits)}"] if info.edits else []
        able = [*info.can, *edits, *([] if len(info.hears) > 1 else [f"hears {', '.join(info.hears) or 'nothing'}"])]
        lines = [line for word in able for line in wrap(word, least + 4, subsequent_indent="  ")]
        name = Text.assemble((info.name, "bold cyan"), *(f"\n  {line}" for line in lines))
        what = Text.assemble(info.what, ("\nChoose it ", "bold"), info.choose or "as its documentation says", ".")
        what.append("".join(f"\n{paper}" for paper in info.papers[:2]), "dim")
        table.add_row(name, what, _measured(info))
    console.print(table)


def _measured(info: FamilyInfo) -> Text:
    figures = {**info.quality, **info.speed}
    if not figures:
        return Text("not measured", "dim")
    lines = [f"{name}: {value}" for name, value in figures.items()]
    return Text.assemble("\n".join(lines), (f"\n{info.how}" if info.how else "", "dim"))
