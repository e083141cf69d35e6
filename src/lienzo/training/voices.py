"""How a sitting tells of itself: to the log, and to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from lienzo.training.clock import Clock
from lienzo.training.fuse import unfused
from lienzo.training.log import Log
from lienzo.training.observers import Observer, Record, resident_memory
from lienzo.training.recover import is_out_of_memory
from lienzo.training.run import Run
from lienzo.training.step import Step


class Voices:
    """The log and the observers of the process that leads; silent on the others.

    Args:
        run: of which they tell.
        clock: its speed; what telling takes is added to the run's time.
        out: the run's folder.
        observers: who listens.
    """

    def __init__(self, run: Run, clock: Clock, out: Path, observers: Sequence[Observer]) -> None:
        self.run, self.clock, self.out = run, clock, out
        self.observers = observers if run.team.leads else ()
        self.log = Log(out / "log.jsonl" if run.team.leads else None)

    def begin(self, notes: Sequence[str]) -> None:
        """Tell that a sitting begins, and what its beginning had to say."""
        self.rewind()
        self.hear(lambda o: o.started(self.run, self.out))
        for note in notes:
            self.say(note)

    def rewind(self) -> None:
        """Forget what was logged after the step at which the run now stands."""
        self.log.rewind(self.run.counters.step)

    def tell(self, done: Step) -> None:
        """Tell of a step; every few steps, write their means into the log."""
        run, counters, clock = self.run, self.run.counters, self.clock
        if not run.team.leads:
            return
        for note in done.notes:
            self.say(note)
        memory = torch.cuda.memory_allocated() if run.team.device.type == "cuda" else resident_memory()
        record = Record(
            counters.step, counters.seen, run.end, done.losses, done.learning_rate, clock.speed, counters.seconds,
            clock.remaining, memory,
        )  # fmt: skip
        counters.pending = (*counters.pending, done.losses)
        if counters.step % run.settings.log_every == 0 or run.done:
            means = {n: sum(each[n] for each in counters.pending) / len(counters.pending) for n in done.losses}
            self.log.write({**record.line(), **means})
            counters.pending = ()
        self.hear(lambda o: o.stepped(run, record))
        clock.pause()

    def say(self, message: str) -> None:
        """Tell a person, and the log."""
        if self.run.team.leads:
            self.log.write({"step": self.run.counters.step, "said": message})
            self.hear(lambda o: o.said(message))

    def hear(self, call: Callable[[Observer], None]) -> None:
        """Let every observer hear; one that finds no disk or memory is told of, not obeyed."""
        for observer in self.observers:
            try:
                with unfused():
                    call(observer)
            except (OSError, RuntimeError, MemoryError) as error:
                if not isinstance(error, OSError) and not is_out_of_memory(error):
                    raise
                self.log.write({"step": self.run.counters.step, "said": f"{type(observer).__name__}: {error}"})
