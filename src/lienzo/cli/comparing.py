"""A comparison in the terminal: one bar for the whole, what is said, and the words at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lienzo.api.compare import compare
from lienzo.api.train import default_out
from lienzo.cli.training import again
from lienzo.training.recipes import overridden


def run(
    source: str, families: Sequence[str], models: Sequence[str], budget: str | None, out: Path | None,
    tables: Mapping[str, Any], settings: Sequence[str], asked: Mapping[str, Any],
) -> None:  # fmt: skip
    """Compare, and show where the report lies.

    Raises:
        typer.Exit: after Ctrl-C, once what there was is saved.
    """
    folder = out or Path("compare") / default_out(source, None).name
    console = Console(stderr=True)
    percent, what = TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.description}")
    columns = (percent, BarColumn(), TimeElapsedColumn(), what)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("…", total=1.0)

        def tell(sentence: str) -> None:
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)

        def progress(what: str, share: float) -> None:
            bar.update(task, completed=share, description=what)

        try:
            report = compare(
                source, families=families, models=models, budget=budget, out=folder, tell=tell, progress=progress,
                **asked, **overridden(tables, settings),
            )  # fmt: skip
        except KeyboardInterrupt:
            tell(f"stopped; to go on: {again()}")
            raise typer.Exit(130) from None
    for one in report["words"]:
        print(" ".join(part.replace("`", "") for part in (one["text"], one["basis"]) if part))
    print(f"the report: {folder / 'report.html'}; as data: {folder / 'report.json'}")
    if any(one["status"] == "failed" for one in report["entrants"].values()):
        raise typer.Exit(1)
