"""When a run's state is copied, in memory and onto the disk, and what happens when the disk refuses."""

from __future__ import annotations

from pathlib import Path

from lienzo.core import CheckpointError
from lienzo.training import checkpoint
from lienzo.training.card import About, render
from lienzo.training.folder import is_full
from lienzo.training.run import Run, Snapshot
from lienzo.training.voices import Voices

SAFE_EVERY = 20  # steps between copies in memory: where a NaN goes back to, and what timed checkpoints hold


class Keeper:
    """Keeps a run's state.

    Timed checkpoints are written only at steps where the state is copied in memory too, so that a resumed run goes
    back, if it meets NaN, to the very step to which an uninterrupted one does.

    Args:
        run: whose state.
        out: the run's folder.
        voices: who hears of it.
        about: for the model card.
    """

    def __init__(self, run: Run, out: Path, voices: Voices, about: About | None) -> None:
        self.run, self.out, self.voices, self.about = run, out, voices, about
        self.safe = Snapshot.of(run)
        self.urgent = False  # write at the next chance
        self._saved_at = run.counters.seconds

    def look(self) -> bool:
        """Copy the state if it is time to, onto the disk too if it is time for that; return whether it was copied."""
        counters, fresh = self.run.counters, False
        if counters.step % SAFE_EVERY == 0 and counters.step != self.safe.counters.step:
            self.safe, fresh = Snapshot.of(self.run, into=self.safe), True
        due = counters.seconds - self._saved_at >= self.run.settings.checkpoint_every
        if self.urgent or (due and counters.step == self.safe.counters.step > 0):
            self.save()
        return fresh

    def save(self) -> bool:
        """Write a checkpoint; a full disk costs that checkpoint and nothing else. Return whether it was written."""
        run, self.urgent, self._saved_at = self.run, False, self.run.counters.seconds
        if not run.team.leads:
            return True
        try:
            folder = self._write()
        except OSError as error:
            reason = "the disk is full" if is_full(error) else str(error)
            self.voices.say(f"could not save step {run.counters.step}: {reason}; what was saved before is untouched")
            return False
        self.voices.hear(lambda o: o.saved(run, folder))
        self.voices.clock.pause()
        return True

    def _write(self) -> Path:
        """Write a checkpoint; on a full disk, once more after older ones made room."""
        card = render(self.run, self.about)
        try:
            folder = checkpoint.save(self.run, self.out, card)
        except OSError as error:
            if not is_full(error) or len(checkpoint.checkpoints(self.out)) < 2:
                raise
            checkpoint.prune(self.out, 1)
            folder = checkpoint.save(self.run, self.out, card)
        checkpoint.prune(self.out, self.run.settings.keep)
        return folder

    def finish(self, again: str) -> Path:
        """Write the last checkpoint of a sitting and return its folder.

        Raises:
            CheckpointError: if it could not be written.
        """
        saved = self.save()
        newest = next(iter(checkpoint.checkpoints(self.out)), None)
        if saved:
            return newest or self.out
        kept = f"the newest checkpoint is {newest.name}" if newest else "there is no checkpoint"
        hint = f"make room, then go on: {again}"
        raise CheckpointError(f"the run's last state could not be saved in {self.out}; {kept}", hint=hint)
