"""How fast a run is, when it will end, and whether it must end earlier to keep to its budget."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from lienzo.training.run import Run
from lienzo.training.schedule import Cut

TAIL = 0.1  # an early end is a decay over at most this share of the images seen


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
        self._marks: deque[tuple[float, int]] = deque(maxlen=64)
        self.closing = 0.0  # s that the run's end takes: the longest pause for saving and showing so far

    def tick(self) -> float:
        """Add the time since the last tick; return it."""
        now = self.now()
        passed, self._last = now - self._last, now
        self.run.counters.seconds += passed
        return passed

    def pause(self) -> None:
        """Add the time since the last tick, which went into saving and showing."""
        self.closing = max(self.closing, self.tick())

    def mark(self) -> None:
        """Remember where the run is now; a run that went back forgets what it remembered."""
        counters = self.run.counters
        if self._marks and self._marks[-1][1] >= counters.seen:
            self._marks.clear()
        self._marks.append((counters.seconds, counters.seen))

    @property
    def speed(self) -> float:
        """Images a second lately, pauses included; 0 where it is not known yet."""
        if len(self._marks) < 3:
            return 0.0
        (since, start), (until, stop) = self._marks[0], self._marks[-1]
        return (stop - start) / max(until - since, 1e-9)

    @property
    def remaining(self) -> float | None:
        """Seconds that the run still takes at this speed."""
        images = self.run.end - self.run.counters.seen
        return images / self.speed if self.speed else None

    def early_end(self) -> int:
        """Return after how many images the run should end if its budget asks for that now, else 0.

        Nothing happens while the end is far: the run may yet catch up. Once what is left of the time holds no more
        than a tenth of the images seen, the step size must begin to fall.
        """
        counters, budget = self.run.counters, self.run.settings.budget_seconds
        if budget is None or not self.speed:
            return 0
        a_step = (self._marks[-1][1] - self._marks[0][1]) / (len(self._marks) - 1)
        left = max(budget - counters.seconds - 1.5 * self.closing, 0.0) * self.speed - a_step
        reach = counters.seen + max(int(left), 1)
        late = reach < self.run.end * (1.0 if counters.cut is None else 0.995)
        return reach if late and left <= TAIL * counters.seen else 0

    def cut(self, end: int) -> str:
        """End the run early, after `end` images; return what to say."""
        counters = self.run.counters
        start = counters.cut.start if counters.cut else counters.seen
        counters.cut = Cut(start, min(end, self.run.end))
        planned = self.run.chosen.images
        return f"slower than planned: ending after {counters.cut.end:,} of {planned:,} images to keep to the budget"
