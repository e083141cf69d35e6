"""What a run tells while it is on its way, and who may listen."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lienzo.training.run import Run


@dataclass(frozen=True)
class Record:
    """Where a run stands after a step.

    Attributes:
        step: steps done.
        seen, end: images seen, and after how many it is over.
        losses: by name, of this step.
        learning_rate: its step size.
        images_per_second: lately, without the pauses for saving and showing.
        seconds: how long the run has taken, all sittings together.
        remaining: how long it still takes, s; None where that is not known yet.
        memory: bytes that this process holds, on the GPU where there is one.
    """

    step: int
    seen: int
    end: int
    losses: dict[str, float]
    learning_rate: float
    images_per_second: float
    seconds: float
    remaining: float | None
    memory: int

    @property
    def loss(self) -> float:
        """The first player's loss."""
        return next(iter(self.losses.values()))

    def line(self) -> dict[str, Any]:
        """Return the log's line."""
        plain = {"step": self.step, "images": self.seen, **self.losses, "learning_rate": self.learning_rate}
        return plain | {"images_per_second": round(self.images_per_second, 2), "seconds": round(self.seconds, 2)}


class Observer:
    """Listens to a run on the process that leads; every method may be left as it is.

    What an observer raises for want of disk or memory is said and forgotten; it never ends a run.
    """

    def started(self, run: Run, out: Path) -> None:
        """A sitting begins, anew or at the state of a checkpoint."""

    def stepped(self, run: Run, record: Record) -> None:
        """A step is done."""

    def said(self, message: str) -> None:
        """Something happened that a person should know."""

    def saved(self, run: Run, checkpoint: Path) -> None:
        """A checkpoint was written."""

    def ended(self, run: Run, finished: bool) -> None:
        """The sitting is over; `finished` where the run is too."""


class Say(Observer):
    """Hands every message to a function.

    Args:
        tell: e.g. `print`.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def said(self, message: str) -> None:
        self._tell(message)


def resident_memory() -> int:
    """Return the bytes of memory that this process holds; its largest so far where the system tells no more."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _peak_memory()


def _peak_memory() -> int:
    try:
        import resource
        import sys
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
