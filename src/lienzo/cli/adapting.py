"""An adapter's run in the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import typer

from lienzo.api.adapt.run import Lesson, Wish, begun, checked, default_out, taught
from lienzo.cli.training import Terminal, again
from lienzo.training import Bar, Observer, TrainResult
from lienzo.training.card import duration
from lienzo.training.recipes import Listeners, overridden


def run(
    wish: Wish, settings: Sequence[str], *, out: Path | None, budget: str | None, fresh: bool, threads: int | None
) -> None:  # fmt: skip
    """Teach what is wished for, look at it, say how to use it."""
    folder, terminal, training = out or default_out(wish), Terminal(), overridden({}, settings)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
        training = {"threads": threads, **training}
    lesson = begun(wish, folder, budget=budget, training=training, tell=terminal.tell)

    def observers(stage: str) -> list[Observer]:
        return [Bar(terminal.console)]

    listeners = Listeners(observers, terminal.tell, terminal.count)
    result = taught(lesson, folder, resume=not fresh, listeners=listeners, again=again())
    if not result.finished:
        raise typer.Exit(130)
    found = checked(lesson, folder, terminal.tell)
    terminal.tell("\n".join(ending(lesson, folder, result, found)))


def ending(lesson: Lesson, out: Path, result: TrainResult, found: Sequence[str]) -> list[str]:
    """Return what a person needs to know at the end."""
    words = [lesson.wish.concept] if lesson.wish.concept else []
    shown = ["--map", f"{lesson.adapter.name}=FILE"] if lesson.adapter.name else []
    use = shlex.join(["lienzo", "generate", *words, "--model", str(out), *shown, "--out", "out"])
    spent = f"done: {result.seen:,} images in {duration(result.seconds)}; the model with its adapter is {out}"
    return [spent, *(f"  {line}" for line in found), f"  card:    {result.folder / 'README.md'}", f"  use it:  {use}"]
