"""A run in the terminal: what it says, its bar, and the command that goes on with it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from lienzo.api.find import folder_of
from lienzo.api.train import default_out, planned
from lienzo.training import Bar, Observer, TrainResult
from lienzo.training.card import duration
from lienzo.training.recipes import Listeners, Recipe, carry_out, overridden
from lienzo.training.recipes.stages import leads
from lienzo.training.recipes.validation import Validation


@dataclass(frozen=True)
class Wish:
    """What was asked for, before anything is opened.

    Attributes:
        source, out, recipe, budget, start: as `lienzo train` was given them.
        values: tables of the recipe.
    """

    source: str | None
    out: Path | None
    recipe: Path | None
    budget: str | None
    start: str | None
    values: Mapping[str, Any]


def run(
    wish: Wish, settings: Sequence[str], *, fresh: bool = False, dry: bool = False,
    validation_every: float | None = None,
) -> None:  # fmt: skip
    """Plan a run, carry it out, say where its results lie."""
    out, terminal = wish.out or default_out(wish.source, wish.recipe), Terminal()
    recipe = planned(
        wish.source, out=out, recipe=wish.recipe, budget=wish.budget, start=wish.start,
        overrides=overridden(wish.values, settings), tell=terminal.tell,
    )  # fmt: skip
    if dry:
        print(json.dumps(recipe.model_dump(mode="json", exclude_unset=True), indent=1, ensure_ascii=False))
        return

    def observers(stage: str) -> list[Observer]:
        checks = [] if validation_every is None else [Validation(recipe, validation_every)]
        return [Bar(terminal.console), *checks]

    listeners = Listeners(observers, terminal.tell, terminal.count)
    result = carry_out(recipe, out, resume=not fresh, listeners=listeners, again=again(), find=folder_of)
    if not result.finished:
        raise typer.Exit(130)
    terminal.tell("\n".join(ending(recipe, out, result)))


class Terminal:
    """Says sentences on standard error; of several processes, only the one that leads."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, quiet=not leads())
        self._shown = -1

    def tell(self, sentence: str) -> None:
        """Print a sentence as it is."""
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def count(self, what: str, done: int, of: int) -> None:
        """Print each tenth of a preparation."""
        tenth = 10 * done // max(of, 1)
        if tenth != self._shown:
            self._shown = tenth
            self.tell(f"{what}: {done:,} of {of:,}")


def again() -> str:
    """Return the command that goes on with this run: what was typed, without --fresh."""
    words = [word for word in sys.argv[1:] if word != "--fresh"]
    return shlex.join(["lienzo", *words])


def ending(recipe: Recipe, out: Path, result: TrainResult) -> list[str]:
    """Return what a person needs to know at the end."""
    spent = f"done: {result.seen:,} images in {duration(result.seconds)}"
    sheet = max((out / "samples").glob("step-*.png"), default=None)
    lines = [f"{spent}; the model is in {out}"]
    lines += [f"  samples: {sheet}"] if sheet else []
    lines += [f"  losses:  {out / 'loss.png'}"] if (out / "loss.png").is_file() else []
    lines += [f"  card:    {result.folder / 'README.md'}"]
    prompt = next(iter(recipe.samples.prompts), "")
    words = ["lienzo", "generate", *([prompt] if prompt else []), "--model", str(out), "--out", "out"]
    return [*lines, f"  use it:  {shlex.join(words)}"]
