"""Lists in the terminal: models and families."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lienzo.api.find import ModelInfo
from lienzo.core import Denoises, Encodes, Scores
from lienzo.core.registry import classes_of


def show_models(shipped: Sequence[ModelInfo], own: Sequence[ModelInfo]) -> None:
    """Print models, with their measured quality."""
    console = Console(highlight=False)
    if not shipped:
        console.print("no model ships with this installation")
    for info in [*shipped, *own]:
        console.print(Text.assemble((info.name, "bold cyan"), f"  {info.bytes / 2**20:.1f} MiB  ", info.summary))
        for name, value in info.quality.items():
            console.print(Text(f"  {name}: {value}"))
        if not info.quality:
            console.print(Text("  quality: not measured", "dim"))
        for line in info.training[:3]:
            console.print(Text(f"  {line}", "dim"))
        console.print(Text(f"  weights {info.sha256[:12]}…", "dim"))
    if not own:
        console.print(Text("models of your own: lienzo train ./photos --budget 30m", "dim"))


def family_rows() -> list[dict[str, str]]:
    """Return every family's name, what it is, its players and what it can do besides sampling."""
    able = {"scores": Scores, "encodes": Encodes, "denoises": Denoises}
    rows: list[dict[str, str]] = []
    for name, cls in sorted(classes_of("family").items()):
        words = [word for word, capability in able.items() if issubclass(cls, capability)]
        kind = str(getattr(cls, "likelihood", "")) if "scores" in words else ""
        words = [f"{word} ({kind})" if word == "scores" else word for word in words]
        first = (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
        players = ", ".join(dict.fromkeys(getattr(cls, "players", ("model",))))
        rows.append({"name": name, "what": first, "players": players, "can": ", ".join(words)})
    return rows


def show_families(rows: Sequence[dict[str, str]]) -> None:
    """Print families."""
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for head in ("family", "p(x | c)", "also"):
        table.add_column(head)
    for row in rows:
        table.add_row(Text(row["name"], "cyan"), Text(row["what"]), Text(row["can"]))
    Console(highlight=False).print(table)
