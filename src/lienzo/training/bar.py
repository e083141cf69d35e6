"""A progress bar in the terminal: loss, images a second, time left, memory."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from lienzo.training.card import duration
from lienzo.training.observers import Observer, Record
from lienzo.training.run import Run


class Bar(Observer):
    """Shows where a run stands; where the output is no terminal, a plain line from time to time.

    Args:
        console: where to; None: standard error.
        every: s between plain lines.
        smoothing: of the loss that is shown: how many steps count.
    """

    def __init__(self, console: Console | None = None, every: float = 30.0, smoothing: float = 50.0) -> None:
        self.console = console or Console(stderr=True)
        self.every, self.smoothing = every, smoothing
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._loss, self._shown = float("nan"), float("-inf")

    def started(self, run: Run, out: Path) -> None:
        """Begin the bar."""
        self._loss, self._shown = float("nan"), float("-inf")
        if self.console.is_terminal:
            columns = (TextColumn("{task.percentage:>5.1f} %"), BarColumn(), TextColumn("{task.description}"))
            self._progress = Progress(*columns, console=self.console, refresh_per_second=4)
            self._task = self._progress.add_task("…", total=run.end, completed=run.counters.seen)
            self._progress.start()

    def stepped(self, run: Run, record: Record) -> None:
        """Move the bar."""
        fresh = self._loss != self._loss  # NaN: the first step
        self._loss = record.loss if fresh else self._loss + (record.loss - self._loss) / self.smoothing
        if self._progress is not None:
            self._progress.update(self._task, completed=record.seen, total=record.end, description=self.words(record))
        elif record.seconds - self._shown >= self.every or record.seen >= record.end:
            self._shown = record.seconds
            share = min(100, 100 * record.seen / record.end)  # the end is brought forward where steps are slow
            self.console.print(f"{share:5.1f} %  {self.words(record)}", highlight=False)

    def words(self, record: Record) -> str:
        """Return a record in a few words."""
        left = "…" if record.remaining is None else duration(max(0.0, record.remaining))
        speed = f"{record.images_per_second:.1f}" if record.images_per_second else "…"
        return f"loss {self._loss:.4f}  {speed} images/s  {left} left  {record.memory / 2**30:.2f} GiB"

    def said(self, message: str) -> None:
        """Print above the bar."""
        self.console.print(message, highlight=False, markup=False, soft_wrap=True)  # commands are to be copied whole

    def ended(self, run: Run, finished: bool) -> None:
        """End the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
