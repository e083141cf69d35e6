"""The loss on held-out pictures, from time to time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from lienzo.conditions import Bus
from lienzo.core import DataError
from lienzo.data import Loader
from lienzo.training.log import Log
from lienzo.training.observers import Observer, Record
from lienzo.training.recipes.make import open_data
from lienzo.training.recipes.parts import Recipe
from lienzo.training.run import Run

PICTURES = 512  # at most, the same ones with the same noise each time


class Validation(Observer):
    """Writes the averaged weights' loss on the validation split into `validation.jsonl`, and says it.

    The loss is that of training, as the family defines it: what it leaves unsaid at random is unsaid here too, the
    same each time.

    Args:
        recipe: whose source is held out.
        every: s between measurements.
        tell: hears each.

    Raises:
        DataError: if the source has no validation split.
    """

    def __init__(self, recipe: Recipe, every: float, tell: Callable[[str], None] = lambda sentence: None) -> None:
        self.recipe, self.every, self.tell = recipe, every, tell
        self._step = 0
        self._data = open_data(recipe.data, "validation")
        if not len(self._data):
            raise DataError(f"{self._data.name} has no validation split", hint="leave --validation-every out")

    def started(self, run: Run, out: Path) -> None:
        """Remember where to write, and forget what was measured after the state that the run goes on from."""
        self._log, self._last = Log(out / "validation.jsonl"), run.counters.seconds
        self._rewind(run.counters.step)

    def stepped(self, run: Run, record: Record) -> None:
        """Measure if it is time; a step that came before is a run that went back."""
        if record.step <= self._step:
            self._rewind(record.step - 1)
        self._step = record.step
        if record.seconds - self._last >= self.every:
            with run.average.applied():
                self._write(run)
            self._last = run.counters.seconds

    def ended(self, run: Run, finished: bool) -> None:
        """Measure once more; the family holds the averages already."""
        self._write(run)

    def _rewind(self, step: int) -> None:
        self._log.rewind(step)
        self._step = step

    def _write(self, run: Run) -> None:
        losses = {f"validation.{name}": value for name, value in self.measure(run).items()}
        self._log.rewind(run.counters.step - 1)  # a finished run that is opened again measures the same once more
        self._log.write({"step": run.counters.step, "images": run.counters.seen, **losses})
        self.tell(f"validation after {run.counters.seen:,} images: loss {losses['validation.loss']:.4f}")

    @torch.no_grad()
    def measure(self, run: Run) -> dict[str, float]:
        """Return the loss and its parts over the held-out pictures."""
        family, training, bus = run.family, run.family.training, getattr(run.family, "bus", None)
        size, data = run.settings.batch_size, self.recipe.data
        size = min(size, len(self._data), PICTURES)
        loader = Loader(self._data, bus or Bus({}), batch_size=size, seed=0, background=data.background)
        sums: dict[str, float] = {}
        batches = max(1, min(len(self._data), PICTURES) // size)
        family.eval()
        try:
            for number in range(batches):
                loss = family.loss(loader.batch_at(number * size).to(run.team.device), family.players[0])
                for name, value in {"loss": loss.total, **loss.parts}.items():
                    sums[name] = sums.get(name, 0.0) + float(value) / batches
        finally:
            family.train(training)
        return sums
