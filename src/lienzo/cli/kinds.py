"""The list of sources in the terminal; it needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lienzo.data import SourceInfo


def show_sources(found: Sequence[SourceInfo]) -> None:
    """Print sources of pictures."""
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for head in ("source", "pictures", "what", "licence"):
        table.add_column(head)
    for info in found:
        what = info.what if info.available else f"{info.what} — not here: {info.why_not}"
        style = "cyan" if info.available else "dim"
        table.add_row(Text(info.name, style), f"{info.count:,}" if info.count else "", Text(what), Text(info.licence))
    Console(highlight=False).print(table)
