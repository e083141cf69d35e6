"""A run in the terminal: what it says, its bar, and the command that goes on with it."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from lienzo.api.find import folder_of
from lienzo.api.train import default_out, planned
from lienzo.training import Bar, Observer, TrainResult
from lienzo.training.budget import seconds_of
from lienzo.training.card import duration
from lienzo.training.checkpoint import checkpoints
from lienzo.training.observers import Record
from lienzo.training.recipes import Listeners, Recipe, carry_out, overridden
from lienzo.training.recipes.stages import CODER, leads
from lienzo.training.recipes.validation import Validation
from lienzo.training.run import Run


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
    out, terminal, steps = wish.out or default_out(wish.source, wish.recipe), Terminal(), Steps()
    if wish.budget is not None and wish.budget.strip().replace(".", "").isdecimal():
        terminal.tell(f"budget: {duration(seconds_of(wish.budget))} (a bare number is seconds; minutes: 30m)")
    with stoppable(out, terminal):
        recipe = planned(
            wish.source, out=out, recipe=wish.recipe, budget=wish.budget, start=wish.start,
            overrides=overridden(wish.values, settings), tell=terminal.tell,
        )  # fmt: skip
    if dry:
        print(json.dumps(recipe.model_dump(mode="json", exclude_unset=True), indent=1, ensure_ascii=False))
        return

    def observers(stage: str) -> list[Observer]:
        checks: list[Observer] = [steps] if stage == "model" else []
        if validation_every is not None:
            checks.append(Validation(recipe, validation_every, terminal.tell))
        return [Bar(terminal.console), *checks]

    listeners = Listeners(observers, terminal.tell, terminal.count)
    with stoppable(out, terminal):
        result = carry_out(recipe, out, resume=not fresh, listeners=listeners, again=again(), find=folder_of)
    if not result.finished:
        raise typer.Exit(130)
    terminal.tell("\n".join(ending(recipe, out, result, new=steps.taken)))


@contextlib.contextmanager
def stoppable(out: Path, terminal: Terminal) -> Generator[None]:
    """Within the block, a Ctrl-C that no step could take as a wish ends the command with a word on what is saved."""
    try:
        yield
    except KeyboardInterrupt:
        saved = next((f for run in (out, out / CODER) for f in checkpoints(run)), None)
        kept = "nothing was learnt yet" if saved is None else f"what is saved is {saved}"
        terminal.tell(f"stopped at once; {kept}; to go on: {again()}")
        raise typer.Exit(130) from None


class Steps(Observer):
    """Knows whether a sitting took any step.

    Attributes:
        taken: whether it did.
    """

    taken = False

    def stepped(self, run: Run, record: Record) -> None:
        """Remember."""
        self.taken = True


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


def ending(recipe: Recipe, out: Path, result: TrainResult, *, new: bool = True) -> list[str]:
    """Return what a person needs to know at the end; `new` where this sitting learnt something."""
    spent = f"{result.seen:,} images in {duration(result.seconds)}"
    sheet = max((out / "samples").glob("step-*.png"), default=None)
    lines = [f"done: {spent}; the model is in {out}"]
    if not new:
        lines = [f"this run is finished ({spent}), and nothing was learnt now; the model is in {out}",
                 f"  to learn more: --out NEW --from {shlex.quote(str(out))}"]  # fmt: skip
    lines += [f"  samples: {sheet}"] if sheet else []
    lines += [f"  losses:  {out / 'loss.png'}"] if (out / "loss.png").is_file() else []
    lines += [f"  card:    {result.folder / 'README.md'}"]
    prompt = next(iter(recipe.samples.prompts), "")
    words = ["lienzo", "generate", *([prompt] if prompt else []), "--model", str(out), "--out", "out"]
    return [*lines, f"  use it:  {shlex.join(words)}"]
