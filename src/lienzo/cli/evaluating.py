"""An evaluation in the terminal: the bar, and the table of figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lienzo.api.evaluate import default_file, evaluate
from lienzo.api.model import load
from lienzo.api.words import read_pairs
from lienzo.core import ConfigurationError, Scores, require
from lienzo.data.pixels import Policy

SCORED = 64  # pictures, where nobody says how many


def run(
    model: str, data: str, count: int, seeds: int, features: str | None, scored: int | None, out: Path | None, *,
    finders: Sequence[str] = (), policy: Policy | None = None, where: Sequence[str] = (), as_json: bool,
    threads: int | None,
) -> None:  # fmt: skip
    """Measure, write, show."""
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

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        report = evaluate(
            used,
            data,
            count=count,
            seeds=seeds,
            features=features,
            scored=wanted,
            out=path,
            finders=named,
            policy=policy,
            where=read_pairs(where, "label", "style=noto") if where else None,
            progress=progress,
        )
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
    console.print(
        f"{report['model']['name']} on {about['source']} ({about['split']}): {report['settings']['count']} pictures a "
        f"seed, {len(report['seeds'])} seeds; {features['name']} {features['sha256'][:12]}, {features['dimension']} "
        f"features; floor: as many real pictures ({about['floor_from']})", soft_wrap=True, markup=False,
    )  # fmt: skip
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for head in ("figure", "model", "real"):
        table.add_column(head, justify="left" if head == "figure" else "right")
    for name, figure in report["figures"].items():
        share = f" ({figure['of_real']:.1%} of real)" if "of_real" in figure else ""
        table.add_row(Text(name, "cyan"), _value(figure) + share, _value(figure["floor"]))
    told = report["likelihood"]
    if told is not None:
        what = f"likelihood, bits/dim ({told['kind']}, {told['pictures']} pictures)"
        table.add_row(Text(what, "cyan"), f"{told['mean']:.3f} ± {told['error']:.3f}", "")
    console.print(table)
    for name, why in report["refused"].items():
        console.print(f"{name} is refused: {why['why']}; {why['instead']}", soft_wrap=True, markup=False)
    console.print(f"written: {path}", soft_wrap=True, markup=False)


def _value(told: dict[str, Any]) -> str:
    if not told:
        return ""
    spread = f" ± {told['deviation']:.2g}" if told["deviation"] is not None else ""
    return f"{told['mean']:.4g}{spread}"
