"""How fast a run is, when it will end, and whether it must end earlier to keep to its budget."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import torch

from lienzo.training.run import Run
from lienzo.training.schedule import Cut
from lienzo.training.settings import TrainingSettings

TAIL = 0.1  # an early end is a decay over at most this share of the images seen
LATEST = 0.65  # share of the run from which on, and before whose decay, its end may be put off
USED = 0.985  # share of what is then left of the budget that the new end is planned to use
GAIN, MOST = 1.02, 4  # the least growth for which it is, and the largest: a longer warm-up would not be over
APART = 0.2  # s of work between two marks: the speed is that of the last 50 of them


def clock_of(settings: TrainingSettings) -> Callable[[], float]:
    """Return the clock, s, that a budget is counted by: wall time, or this process's processor time a thread."""
    if settings.clock == "wall":
        return time.monotonic
    threads = settings.threads or torch.get_num_threads()
    return lambda: time.process_time() / threads


class Clock:
    """Adds the time that passes to the run's counters, and knows its speed.

    Args:
        run: whose counters it moves.
        since: when the sitting began, by that clock; None: now.
        now: a monotonic clock, s.
    """

    def __init__(self, run: Run, since: float | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self.run, self.now = run, now
        self._last = now() if since is None else since
        self._worked, self._paused = 0.0, 0.0
        self._marks: deque[tuple[float, int]] = deque(maxlen=50)  # s of work, images seen
        self._longest = 0.0

    def tick(self) -> float:
        """Add the time since the last tick to the run's; return it."""
        now = self.now()
        passed, self._last = now - self._last, now
        self.run.counters.seconds += passed
        return passed

    def work(self) -> None:
        """Add the time since the last tick, which went into a step."""
        self._worked += self.tick()
        seen = self.run.counters.seen
        if self._marks and self._marks[-1][1] >= seen:  # the run went back
            self._marks.clear()
        if not self._marks or self._worked - self._marks[-1][0] >= APART:
            self._marks.append((self._worked, seen))

    def pause(self) -> None:
        """Add the time since the last tick, which went into saving and showing."""
        passed = self.tick()
        self._paused += passed
        self._longest = max(self._longest, passed)

    @property
    def speed(self) -> float:
        """Images a second lately, pauses left out; 0 where it is not known yet."""
        if len(self._marks) < 3:
            return 0.0
        (since, start), (until, stop) = self._marks[0], self._marks[-1]
        return (stop - start) / max(until - since, 1e-9)

    @property
    def progress(self) -> float:
        """Images a second, with pauses as frequent as they have been."""
        return self.speed * self._worked / max(self._worked + self._paused, 1e-9)

    @property
    def remaining(self) -> float | None:
        """Seconds that the run still takes at this speed."""
        images = self.run.end - self.run.counters.seen
        return images / self.progress if self.progress else None

    def early_end(self, step: int) -> int:
        """Return after how many images the run should end if its budget asks for that now, else 0.

        Nothing happens while the end is far: the run may yet catch up. Once what is left of the time holds no more
        than a tenth of the images seen, the step size must begin to fall.

        Args:
            step: images of a step.
        """
        counters, budget = self.run.counters, self.run.settings.budget_seconds
        if budget is None or not self.speed:
            return 0
        left = max(budget - counters.seconds - 1.5 * self._longest, 0.0) * self.progress - step
        reach = counters.seen + max(int(left), 1)
        late = reach < self.run.end * (1.0 if counters.cut is None else 0.995)
        return reach if late and left <= TAIL * counters.seen else 0

    def late_end(self) -> int:
        """Return after how many images the run should end if its budget has room for more than planned, else 0.

        The start measures a few steps and plans with a margin. Shortly before the step size begins to fall, when the
        speed is known well, the end is put where the budget ends: only where nobody says how many images it shall see,
        and only while the schedule is flat, so that the step size does not jump.
        """
        run, counters = self.run, self.run.counters
        settings, planned = run.settings, run.chosen.images
        budget, fixed = settings.budget_seconds, settings.images is not None and not settings.extend
        if budget is None or fixed or counters.cut is not None or not self.speed:
            return 0
        if not (run.schedule.flat(counters.seen) and counters.seen >= LATEST * planned):
            return 0
        left = (budget - counters.seconds - 1.5 * self._longest) * USED
        reach = min(counters.seen + int(left * self.progress), MOST * planned, settings.most or MOST * planned)
        return reach if reach > GAIN * planned else 0

    def stretch(self, end: int) -> str:
        """Put off the run's end until after `end` images; return what to say."""
        planned = self.run.chosen.images
        self.run.choose(replace(self.run.chosen, images=end))
        return f"faster than planned: going on to {end:,} images in the place of {planned:,}"

    def cut(self, end: int) -> str:
        """End the run early, after `end` images; return what to say."""
        counters = self.run.counters
        start = counters.cut.start if counters.cut else counters.seen
        counters.cut = Cut(start, min(end, self.run.end))
        planned = self.run.chosen.images
        return f"slower than planned: ending after {counters.cut.end:,} of {planned:,} images to keep to the budget"
