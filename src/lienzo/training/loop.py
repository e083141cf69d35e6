"""The one loop: it trains any family, and knows of none more than its loss.

Everything random in a step comes from the batch's streams, and the batch is a function of the number of images seen;
so weights, optimisers, average and a few counters are a run's whole state, and a run that was killed ends with the
weights of one that was not, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lienzo.core import DataError, Family
from lienzo.training.ahead import Ahead, BatchAt
from lienzo.training.card import About
from lienzo.training.clock import Clock, clock_of
from lienzo.training.distributed import Team
from lienzo.training.folder import locked, prepare
from lienzo.training.fuse import part
from lienzo.training.keeper import Keeper
from lienzo.training.observers import Observer
from lienzo.training.recover import PATIENCE, NotFiniteError, TrainingError
from lienzo.training.run import Run
from lienzo.training.settings import TrainingSettings
from lienzo.training.signals import Stop
from lienzo.training.start import begin
from lienzo.training.step import advance
from lienzo.training.voices import Voices


@dataclass(frozen=True)
class TrainResult:
    """How a sitting ended.

    Attributes:
        family: with averaged weights, in evaluation mode.
        folder: the last checkpoint.
        finished: whether the run is over; if not, it was interrupted and can go on.
        step, seen: steps done and images seen.
        seconds: of training, all sittings together.
        losses: of the last step; empty if there was none.
    """

    family: Family = field(repr=False)
    folder: Path
    finished: bool
    step: int
    seen: int
    seconds: float
    losses: dict[str, float]


def train(
    family: Family,
    batch_at: BatchAt,
    settings: TrainingSettings,
    out: Path | str,
    *,
    observers: Sequence[Observer] = (),
    resume: bool = True,
    about: About | None = None,
    again: str = "",
    stop: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Train a family, or go on where an earlier sitting in the same folder stood.

    Under `torchrun`, every process calls this; each takes its share of every batch.

    Args:
        family: p(x | c). Parameters that ask for no gradient stay as they are.
        batch_at: number of images seen → the next batch: a pure function, e.g. `lienzo.data`'s `Loader.batch_at`.
        settings: see `TrainingSettings`.
        out: the run's folder.
        observers: who listens, on the process that leads.
        resume: go on from the folder's checkpoints; False demands that it has none.
        about: what the model card says of the data.
        again: the command that goes on with this run, said when it is interrupted.
        stop: asked before every step; True ends the sitting as Ctrl-C does, for callers that own the run's thread.

    Returns:
        how it ended; after Ctrl-C too, with `finished` False.

    Raises:
        CheckpointError: if the folder cannot be written, or the run's end could not be saved.
        ConfigurationError: if the folder is in use or holds another model's run.
        DataError: if a picture is not finite.
        TrainingError: if the loss stays NaN after several smaller step sizes.
    """
    team, out = Team.join(settings.device), Path(out)
    again = again or "the same command again"
    notes: list[str] = []
    try:
        if team.leads:
            prepare(out)
        with locked(out, team.leads):
            now = clock_of(settings)
            since = now()
            run = begin(family, batch_at, settings, out, team, resume=resume, tell=notes.append)
            return Sitting(run, batch_at, out, observers, about, Clock(run, since, now)).go(notes, again, stop)
    finally:
        team.leave()


class Sitting:
    """One stretch of a run, from its start or a checkpoint to its end or an interruption."""

    def __init__(
        self, run: Run, batch_at: BatchAt, out: Path, observers: Sequence[Observer], about: About | None, clock: Clock
    ) -> None:
        self.run, self.clock = run, clock
        gpu = run.team.device.type != "cpu"  # on a CPU a second thread would only take its cores
        self.ahead = Ahead(batch_at, run.settings.batch_size, run.team.device) if gpu else None
        self.batch_at = self.ahead or batch_at
        self.voices = Voices(run, self.clock, out, observers)
        self.keeper = Keeper(run, out, self.voices, about)
        self.relapses = 0  # NaN since the last safe state
        self.losses: dict[str, float] = {}
        self.step_images = 0

    def go(self, notes: Sequence[str], again: str, stop: Callable[[], bool]) -> TrainResult:
        """Train until the run is over or someone asks to stop."""
        self.voices.begin(notes)
        self.run.family.train()
        try:
            with Stop() as signal:
                while not self.run.done and not self.stops(signal.asked or stop()):
                    if self.keeper.look():
                        self.relapses = 0
                    self.step()
                return self.close(again)
        finally:
            if self.ahead is not None:
                self.ahead.close()

    def step(self) -> None:
        """Take one step, and tell of it; go back where it brought NaN."""
        batch = self.batch_at(self.run.counters.seen)
        try:
            done = advance(self.run, batch)
        except NotFiniteError as problem:
            if not bool(batch.x.isfinite().all()):
                raise DataError(f"pictures after image {self.run.counters.seen:,} hold NaN or infinity") from None
            self.go_back(str(problem))
        else:
            self.losses = done.losses
            self.step_images = done.images
            self.clock.work()
            self.voices.tell(done)

    def go_back(self, problem: str) -> None:
        """Return to the last safe state with half the step size.

        Raises:
            TrainingError: if that has not helped several times over.
        """
        before, self.relapses = self.run.counters, self.relapses + 1
        if self.relapses > PATIENCE:
            what = f"after image {before.seen:,} {problem}, even with {before.factor:.2g} of the step size"
            raise TrainingError(what, hint="a smaller learning_rate, or precision float32")
        self.keeper.safe.restore(self.run)
        now = self.run.counters
        now.factor, now.rollbacks, now.seconds = before.factor / 2, before.rollbacks + 1, before.seconds
        now.rows = before.rows
        self.voices.rewind()
        self.voices.say(
            f"{problem} at step {before.step}: back to step {now.step} with {now.factor:.3g} of the step size"
        )

    def stops(self, asked: bool) -> bool:
        """Agree with the other processes on an interruption or another end; return whether to stop."""
        team, counters, clock = self.run.team, self.run.counters, self.clock
        ends = [clock.early_end(self.step_images), clock.late_end()] if team.leads else [0, 0]
        stop, early, late = team.largest([int(asked), *ends])
        if early or late:  # written down at once, so that a resumed run ends where this one does
            first = counters.cut is None
            message = clock.cut(early) if early else clock.stretch(late)
            if first:
                self.keeper.urgent = True
                self.voices.say(message)
        return bool(stop) or self.run.done

    def close(self, again: str) -> TrainResult:
        """Save, tell, and leave the averaged weights in the family."""
        run, counters, finished = self.run, self.run.counters, self.run.done
        self.clock.tick()
        folder = self.keeper.finish(again)
        if not finished:
            self.voices.say(f"stopped and saved at step {counters.step}; to go on: {again}")
        run.family.zero_grad(set_to_none=True)
        run.family.eval()
        run.average.keep()
        part(run.family)
        self.voices.hear(lambda o: o.ended(run, finished))
        run.team.wait()
        return TrainResult(
            run.family, folder, finished, counters.step, counters.seen, counters.seconds, self.losses
        )  # fmt: skip
