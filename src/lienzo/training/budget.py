"""What fits into a given time on this machine: measure a few candidates, take the largest that sees enough images.

The rule, in full. A candidate is fed well enough if the budget lets it see `needed(pictures)` images: forty times every
picture, but at least 100,000 and at most 2,000,000. Of the candidates, smallest first, the largest that is fed well
enough wins; if none is, the smallest. It then sees as many images as nine tenths of the time allow, with a batch that
leaves the optimiser at least 2,000 steps where that is possible. The rest of the time is for samples, checkpoints and
what the measurement could not know; the run's own clock puts its end off where that is too much, and ends it early with
a decay where it is not enough (`Clock`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lienzo.core import Batch, ConfigurationError, Family
from lienzo.training.card import amount, duration
from lienzo.training.clock import clock_of
from lienzo.training.distributed import Team
from lienzo.training.measure import faster_precision, seconds_per_step
from lienzo.training.run import Chosen, Run
from lienzo.training.settings import TrainingSettings

EPOCHS, FEWEST, MOST = 40, 100_000, 2_000_000
STEPS, BATCHES = 2_000, (16, 32, 64, 128, 256)
MARGIN = 0.9
MEASURING = 0.06  # of the budget may go into measuring
OPEN = {"images": None, "precision": "auto"}  # values by which a person leaves the choice to the measurement
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Candidate:
    """A size that a model may have.

    Attributes:
        name: for people, e.g. "small: 6 blocks of width 256".
        make: builds the family.
        learning_rate: the step size that suits it at a batch of 64.
        most: images after which it has nothing more to learn.
    """

    name: str
    make: Callable[[], Family] = field(repr=False)
    learning_rate: float = 1e-3
    most: int | None = None


@dataclass(frozen=True)
class Pace:
    """What a candidate takes on this machine.

    Attributes:
        seconds: for an image, in training.
        precision: in which that was.
        parameters: how many are trained.
    """

    seconds: float
    precision: str
    parameters: int


@dataclass(frozen=True)
class Plan:
    """What a run within a budget will be.

    Attributes:
        candidate: the winner.
        settings: complete, with images, batch, schedule and what is left of the budget.
        pace: of the winner.
        why: what was picked and why, a sentence each.
    """

    candidate: Candidate
    settings: TrainingSettings
    pace: Pace
    why: tuple[str, ...]


Measure = Callable[[Candidate, float], Pace]


def needed(pictures: int) -> int:
    """Return how many images a run should see at least, for a set of so many pictures."""
    return min(max(EPOCHS * pictures, FEWEST), MOST)


def plan(
    candidates: Sequence[Candidate], pictures: int, settings: TrainingSettings, measure: Measure, *,
    reserve: float = 0.0, now: Callable[[], float] | None = None,
) -> Plan:  # fmt: skip
    """Pick a size, a batch and a schedule for `settings.budget_seconds`.

    Args:
        candidates: smallest first. They are measured in this order until one is too slow.
        pictures: how many the data has.
        settings: what the user asked for. What was said is kept.
        measure: candidate, patience in s → its pace; `pace_of` with the data filled in.
        reserve: s that samples and the like will take besides the margin.
        now: a monotonic clock, s; None: the one that counts the budget.

    Raises:
        ConfigurationError: without candidates or a budget.
    """
    budget, now = settings.budget_seconds, now or clock_of(settings)
    if budget is None or not candidates:
        raise ConfigurationError("a plan needs a budget and at least one candidate", hint="budget_seconds, e.g. 1800")
    begun, want = now(), min(needed(pictures), candidates[0].most or MOST)
    patience = budget * MEASURING / len(candidates)
    chosen, pace, why = candidates[0], Pace(0.0, "float32", 0), list[str]()
    for number, candidate in enumerate(candidates):
        found = measure(candidate, patience)
        left = max(budget - (now() - begun) - reserve, budget / 2) * MARGIN
        sees = int(left / found.seconds)
        why.append(
            f"{candidate.name}: {amount(found.parameters, 'parameter')}, {1 / found.seconds:.1f} images/s in "
            f"{found.precision}, so {amount(sees, 'image')} in the time; {want:,} are wanted"
        )
        if number == 0 or sees >= want:
            chosen, pace = candidate, found
        if sees < want or now() - begun > budget * MEASURING:
            break
    remaining = max(budget - (now() - begun), 0.1 * budget)  # a busy machine measures for longer than it may
    remaining = max(remaining - reserve, remaining / 2)
    images = max(int(remaining * MARGIN / pace.seconds), 1)
    images = min(images, chosen.most or images)
    complete = _completed(settings, chosen, images, pace.precision, remaining)
    assert complete.images is not None
    picked = f"picked {chosen.name}: {amount(complete.images, 'image')} in batches of {complete.batch_size}"
    short = _short(complete.images, want, pace, budget, now() - begun) if complete.extend else []
    return Plan(chosen, complete, pace, (*why, picked, *short))


def _short(images: int, want: int, pace: Pace, budget: float, measuring: float) -> list[str]:
    """Say how long it would take where the time is short, and what measuring took where that was much of it."""
    if images >= want / 2:
        return []
    took = f"measuring took {duration(measuring)}; " if measuring > 0.2 * budget else ""
    enough = duration(want * pace.seconds / MARGIN)
    return [f"{took}the time is short: the images that are wanted take about {enough} here, and pictures get better "
            "until then"]  # fmt: skip


def _completed(
    settings: TrainingSettings, candidate: Candidate, images: int, precision: str, seconds: float
) -> TrainingSettings:
    """Fill in what the user left open."""
    said = settings.model_dump(exclude_unset=True)
    given = {name: value for name, value in said.items() if OPEN.get(name, ...) != value}
    batch = given.get("batch_size") or max([b for b in BATCHES if images / b >= STEPS], default=BATCHES[0])
    planned: dict[str, Any] = {
        "batch_size": batch,
        "images": images,
        "extend": given.get("images") is None and candidate.most is None,
        "precision": precision,
        "learning_rate": candidate.learning_rate * (batch / 64) ** 0.5,
        "warmup": images // 20,
        "ema_half_life": images / 20,
    }
    return TrainingSettings.checked({**planned, **given, "budget_seconds": seconds})


def pace_of(
    candidate: Candidate, patience: float, *, feed: Callable[[Family], Callable[[int], Batch]],
    settings: TrainingSettings,
) -> Pace:  # fmt: skip
    """Build a candidate and take a few steps with it.

    Args:
        candidate: what to build.
        patience: s that it may take, about; at least three steps are taken.
        feed: family → its data: number of images seen → batch.
        settings: precision, device and optimiser count; the batch is the feed's.
    """
    if settings.threads:
        import torch

        torch.set_num_threads(settings.threads)
    team = Team.alone(settings.device)
    family, precision = candidate.make().to(team.device), settings.precision
    batch_at = feed(family)
    if precision == "auto":
        precision, _ = faster_precision(family, batch_at(0), team.device, patience / 2)
    run = Run(family, settings, Chosen(1, precision, team.device.type, 0, 1), team)
    seconds = seconds_per_step(run, batch_at, patience / 2)
    return Pace(seconds / len(batch_at(0)), precision, sum(p.numel() for p in run.trained.values()))


def seconds_of(text: str) -> float:
    """Read a length of time.

    >>> seconds_of("90"), seconds_of("30m"), seconds_of("1h30m"), seconds_of("1.5 h")
    (90.0, 1800.0, 5400.0, 5400.0)

    Raises:
        ConfigurationError: for anything else, or nothing.
    """
    compact = text.replace(" ", "").lower()
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        compact += "s"
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", compact)
    total = sum(float(number) * UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != compact or total <= 0:
        raise ConfigurationError(f"{text!r} is no length of time", hint="30m, 2h, 1h30m, or a number of seconds")
    return total
