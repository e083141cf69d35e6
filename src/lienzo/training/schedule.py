"""The step size as a pure function of images seen, so that resumed, restarted and many-process runs agree on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lienzo.training.settings import Decay

STABLE = 0.75  # share of a warmup-stable-decay run before its decay begins


@dataclass(frozen=True)
class Cut:
    """An early end: from `start` the step size falls linearly to 0 at `end`, whatever the schedule says.

    Attributes:
        start, end: images seen.
    """

    start: int
    end: int


@dataclass(frozen=True)
class Schedule:
    r"""Warm-up, then one of four ways down, for n images seen out of N.

    With w the warm-up and u = clip((n - w) / (N - w), 0, 1) the step size is peak · min(1, n / w) times

    - cosine: (1 + cos(πu)) / 2;
    - linear: 1 - u;
    - constant: 1;
    - warmup-stable-decay: 1 up to u = 0.75, then 1 - √((u - 0.75) / 0.25): the best of the shapes compared in "Scaling
      Laws and Compute-Optimal Training Beyond Fixed Training Durations" (Hägele et al., 2024).

    Args:
        peak: the largest step size.
        total: N, images.
        warmup: w, images; cut to a tenth of the run.
        decay: the way down.
    """

    peak: float
    total: int
    warmup: int
    decay: Decay

    def at(self, seen: int, cut: Cut | None = None) -> float:
        """Return the step size for a step that begins after `seen` images."""
        warmup = min(self.warmup, self.total // 10)
        rise = min(1.0, (seen + 1) / (warmup + 1))
        u = min(max((seen - warmup) / max(self.total - warmup, 1), 0.0), 1.0)
        value = self.peak * rise * fall(self.decay, u)
        if cut is not None and seen >= cut.start:
            value *= min(max((cut.end - seen) / max(cut.end - cut.start, 1), 0.0), 1.0)
        return value

    def flat(self, seen: int) -> bool:
        """Tell whether the step size neither rises nor falls around `seen` images."""
        warmup = min(self.warmup, self.total // 10)
        last = warmup + STABLE * (self.total - warmup)
        return self.decay == "warmup-stable-decay" and warmup <= seen < last

    def end(self, cut: Cut | None = None) -> int:
        """Return after how many images the run is over."""
        return self.total if cut is None else min(self.total, cut.end)


def fall(decay: Decay, u: float) -> float:
    """Return the share of the peak that is left after a share u in [0, 1] of the way down."""
    if decay == "cosine":
        return (1 + math.cos(math.pi * u)) / 2
    if decay == "linear":
        return 1 - u
    if decay == "warmup-stable-decay":
        return 1 - math.sqrt(max(u - STABLE, 0.0) / (1 - STABLE))
    return 1.0
