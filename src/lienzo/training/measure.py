"""A few steps taken only to see how long they take: which precision is faster, how many images a second."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

import torch

from lienzo.core import Batch, Family
from lienzo.training.clock import clock_of
from lienzo.training.recover import NotFiniteError, is_out_of_memory
from lienzo.training.run import Run, Snapshot
from lienzo.training.step import advance, arithmetic

PATIENCE = 6.0  # s for one measurement


def seconds_per_step(run: Run, batch_at: Callable[[int], Batch], patience: float) -> float:
    """Return the median time of whole steps, data and all, s, on every process of the run's team the same.

    Steps are taken for `patience` s, at least two after one to warm up; then the run is put back where it was.
    """
    kept, times, seconds, state = Snapshot.of(run), list[float](), 0.0, torch.get_rng_state()
    now = clock_of(run.settings)
    while not run.team.largest([int(len(times) >= 3 and seconds > patience)])[0]:
        since = now()
        with contextlib.suppress(NotFiniteError):
            advance(run, batch_at(run.counters.seen))
        _finish(run.team.device)
        times.append(now() - since)
        seconds += times[-1]
    rows = run.counters.rows  # what memory allowed
    kept.restore(run)
    run.counters.rows = rows
    run.family.zero_grad(set_to_none=True)
    torch.set_rng_state(state)
    longest = run.team.largest([round(1e6 * sorted(times[1:])[len(times) // 2 - 1])])[0]
    return longest / 1e6


def faster_precision(
    family: Family, batch: Batch, device: torch.device, patience: float = PATIENCE
) -> tuple[Literal["float32", "bfloat16"], str]:
    """Return "float32" or "bfloat16", whichever takes less time on a batch, and a sentence that says so.

    Both are tried in turn, once to warm up, then for `patience` s; the shortest time of each counts, since whatever
    else the machine does can only lengthen it.
    """
    plain, half, begun, rounds, held = math.inf, math.inf, time.monotonic(), 0, batch.to(device)
    with undisturbed(family):
        while rounds < 2 or (rounds < 6 and time.monotonic() - begun < patience):
            times = [seconds_per_gradient(family, held, precision, device) for precision in ("float32", "bfloat16")]
            if rounds > 0:
                plain, half = min(plain, times[0]), min(half, times[1])
            rounds += 1
    chosen = "bfloat16" if half < 0.97 * plain else "float32"  # a tie goes to the exacter one
    return chosen, f"precision: {chosen} (a gradient takes {plain:.3g} s in float32, {half:.3g} s in bfloat16)"


def seconds_per_gradient(family: Family, batch: Batch, precision: str, device: torch.device) -> float:
    """Return the time of every player's loss and gradient on a batch, s; inf where memory or numbers run out."""
    since = time.monotonic()
    try:
        for player in family.players:
            with arithmetic(precision, device):
                total = family.loss(batch.rows(0, len(batch)), player).total
            total.backward()
            if not math.isfinite(float(total.detach())):
                return math.inf
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return math.inf
    _finish(device)
    return time.monotonic() - since


@contextmanager
def undisturbed(family: Family) -> Generator[None]:
    """Put back a family's buffers and gradients after the block, and torch's global generator."""
    kept, state = {n: b.detach().clone() for n, b in family.named_buffers()}, torch.get_rng_state()
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in family.named_buffers():
                buffer.copy_(kept[name])
        family.zero_grad(set_to_none=True)
        torch.set_rng_state(state)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
