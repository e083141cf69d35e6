"""An evaluation in the terminal: the bar, and the table of figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lienzo.api.evaluate.run import default_file, evaluate
from lienzo.api.evaluate.said import between, by_chance, fewer, judged, likelihood, listed, value, worst_classes
from lienzo.api.model import load
from lienzo.api.words import read_pairs
from lienzo.cli.training import again
from lienzo.core import ConfigurationError, Scores, require
from lienzo.data.pixels import Policy
from lienzo.data.telling import Lines

SCORED = 64  # pictures, where nobody says how many


def run(
    model: str, data: str, count: int, seeds: int, features: str | None, scored: int | None, out: Path | None, *,
    finders: Sequence[str] = (), judge: str | None = None, policy: Policy | None = None, where: Sequence[str] = (),
    samples: int = 1, split: str = "validation+test", as_json: bool, threads: int | None,
) -> None:  # fmt: skip
    """Measure, write, show.

    Raises:
        typer.Exit: after Ctrl-C; seeds that were finished are kept.
    """
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    used = load(model)
    if scored:  # what is asked for in so many words is not left out in silence
        require(used.family, Scores)
    wanted = SCORED if scored is None else scored
    path, named = out or default_file(used), _named(finders)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}
        lines: dict[str, Lines] = {}

        def progress(what: str, done: int, total: int) -> None:
            if not bar.console.is_terminal:  # which would show no bar
                told = lines.setdefault(what, Lines(what, total))
                told.add(done - told.done)
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        try:
            report = evaluate(
                used, data, count=count, seeds=seeds, features=features, scored=wanted, samples=samples, split=split,
                out=path, finders=named, judge=judge, policy=policy,
                where=read_pairs(where, "label", "style=noto") if where else None, progress=progress,
            )  # fmt: skip
        except KeyboardInterrupt:
            bar.console.print(f"stopped; to go on: {again()}", highlight=False, markup=False, soft_wrap=True)
            raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        show(report, path)


def _named(finders: Sequence[str]) -> dict[str, str]:
    """Read MAP=NAME entries."""
    pairs = [entry.partition("=") for entry in finders]
    wrong = next(
        (entry for entry, (name, _, finder) in zip(finders, pairs, strict=True) if not (name and finder)), None
    )
    if wrong is not None:
        raise ConfigurationError(f"--finder {wrong!r}", hint="MAP=FOLDER or MAP=module:Class")
    return {name: finder for name, _, finder in pairs}


def show(report: dict[str, Any], path: Path) -> None:
    """Print the figures, each beside its floor."""
    console = Console(highlight=False)
    about, features = report["data"], report["features"]
    seeds = len(report["seeds"])
    console.print(
        f"{report['model']['name']} on {about['source']} ({about['split']}): {report['settings']['count']:,} pictures "
        f"a seed{fewer(report)}; {f'{seeds} seeds, ± is the deviation over them' if seeds > 1 else 'one seed'}; "
        f"{features['name']} {features['sha256'][:12]}, {features['dimension']} features"
        f"{judged(report)}; floor: as many real pictures ({about['floor_from']})", soft_wrap=True, markup=False,
    )  # fmt: skip
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for head in ("figure", "model", "real"):
        table.add_column(head, justify="left" if head == "figure" else "right")
    for name, figure in report["figures"].items():
        share = f" ({figure['of_real']:.1%} of real{by_chance(figure)})" if "of_real" in figure else by_chance(figure)
        table.add_row(Text(name, "cyan"), value(figure) + share, value(figure["floor"]) if figure["floor"] else "")
    console.print(table)
    if report["likelihood"] is not None:
        console.print(f"likelihood, bits/dim: {likelihood(report['likelihood'])}", soft_wrap=True, markup=False)
    for name in (name for name in report["figures"] if between(report, name)):
        console.print(f"{name}{between(report, name)}", soft_wrap=True, markup=False)
    if worst := worst_classes(report):
        console.print(f"classes least recalled: {listed(worst)}", soft_wrap=True, markup=False)
    for name, why in report["refused"].items():
        console.print(f"{name} is refused: {why['why']}; {why['instead']}", soft_wrap=True, markup=False)
    console.print(f"written: {path}", soft_wrap=True, markup=False)
