"""A run within a budget: what is picked, that it ends in time, and that its step size has fallen by then."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tiny_family import SETTINGS, Tiny, batch_at, same, settings, weights

from lienzo.core import Batch, ConfigurationError
from lienzo.training import (
    Candidate,
    Observer,
    Record,
    Say,
    TrainingSettings,
    budget,
    loop,
    pace_of,
    plan,
    seconds_of,
    start,
    train,
)
from lienzo.training.budget import MARGIN, Pace, needed
from lienzo.training.checkpoint import resolve, stored
from lienzo.training.clock import clock_of
from lienzo.training.log import read_log
from lienzo.training.run import Run


class FakeTime:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


SPEEDS = {"S": 1000.0, "M": 300.0, "L": 100.0, "XL": 30.0}  # images/s
CANDIDATES = [Candidate(name, Tiny) for name in SPEEDS]


def planned(seconds: float, pictures: int = 1000, **changes: object):
    clock = FakeTime()

    def measure(candidate: Candidate, patience: float) -> Pace:
        clock.now += min(patience, 5.0)
        return Pace(1 / SPEEDS[candidate.name], "bfloat16", 10)

    wanted = TrainingSettings.checked({"budget_seconds": seconds, **changes})
    return plan(CANDIDATES, pictures, wanted, measure, now=clock), clock.now - 100


@pytest.mark.parametrize(("seconds", "name"), [(5, "S"), (120, "S"), (600, "M"), (1800, "L"), (24 * 3600, "XL")])
def test_the_largest_that_sees_enough_is_picked_and_fits(seconds: float, name: str) -> None:
    made, measuring = planned(seconds)
    assert made.candidate.name == name
    assert made.settings.images is not None
    assert made.settings.budget_seconds == pytest.approx(seconds - measuring)
    used = measuring + made.settings.images / SPEEDS[name]
    assert 0.85 * seconds < used < 0.95 * seconds
    assert made.settings.images >= needed(1000) or name == "S"
    assert made.settings.precision == "bfloat16"
    assert any(name in sentence for sentence in made.why)


def test_what_the_user_said_is_kept() -> None:
    made = planned(1800, batch_size=48, learning_rate=0.007, decay="cosine", ema_half_life=123)[0].settings
    assert (made.batch_size, made.learning_rate, made.decay, made.ema_half_life) == (48, 0.007, "cosine", 123)
    small, large = planned(5)[0].settings, planned(24 * 3600)[0].settings
    assert (small.batch_size, large.batch_size) == (16, 256)
    assert large.learning_rate == pytest.approx(2e-3)


def test_a_short_time_is_said_with_what_would_be_enough() -> None:
    def told(seconds: float, **changes: object) -> str:
        return planned(seconds, **changes)[0].why[-1]

    assert "measuring took 1 s; the time is short" not in told(20)  # 1.2 s of them
    assert "about 1 min 51 s here" in told(20)  # 100,000 images at 1,000 a second, nine tenths of the time
    assert "time is short" not in told(600)
    assert "time is short" not in told(20, images=500), "a number that was asked for is not too small"
    slow, clock = Candidate("S", Tiny), FakeTime()

    def measure(candidate: Candidate, patience: float) -> Pace:
        clock.now += 12
        return Pace(0.1, "float32", 1)

    made = plan([slow], 10, TrainingSettings(budget_seconds=30), measure, now=clock)
    assert made.why[-1].startswith("measuring took 12 s; the time is short")
    assert "1 parameter, 10.0 images/s" in made.why[0]


def test_what_is_fitted_wants_no_more_than_it_can_use() -> None:
    fitted = Candidate("fitted", Tiny, most=5_000)
    made = plan([fitted], 10, TrainingSettings(budget_seconds=30), lambda c, p: Pace(0.1, "float32", 1))
    assert "5,000 are wanted" in made.why[0]
    assert "picked" in made.why[-1]


def test_measuring_counts_by_the_clock_of_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr(budget, "clock_of", lambda settings: clock)

    def measure(candidate: Candidate, patience: float) -> Pace:
        clock.now += 20
        return Pace(1.0, "float32", 1)

    wanted = TrainingSettings(budget_seconds=100, clock="processor")
    assert plan(CANDIDATES[:1], 10, wanted, measure).settings.budget_seconds == 80


def test_a_plan_needs_a_budget() -> None:
    with pytest.raises(ConfigurationError, match="budget"):
        plan(CANDIDATES, 10, TrainingSettings(), lambda c, p: Pace(1, "float32", 1))
    for wrong in ("", "soon", "3x", "m", "0", "1h-3m"):
        with pytest.raises(ConfigurationError, match="no length of time"):
            seconds_of(wrong)


def test_a_real_family_is_measured_and_left_as_it_was() -> None:
    made: list[Tiny] = []

    def make() -> Tiny:
        made.append(Tiny())
        return made[-1]

    pace = pace_of(Candidate("tiny", make), 0.2, feed=lambda family: batch_at, settings=settings(precision="auto"))
    assert 0 < pace.seconds < 1
    assert pace.parameters == 272
    assert same(made[0].state_dict(), Tiny().state_dict())


@pytest.mark.parametrize("slower", [1.0, 1.5, 4.0])
def test_a_run_ends_in_time_with_a_small_step_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slower: float
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(loop, "clock_of", lambda settings: clock)
    wanted = settings(
        images=8 * int(12.5 / 0.1 * MARGIN),
        budget_seconds=12.5,
        decay="constant",
        warmup=0,
        checkpoint_every=1e9,
        log_every=1,
    )

    def feed(seen: int) -> Batch:  # planned: 8 images in 0.1 s
        clock.now += 0.1 * (slower if seen > 200 else 1)
        return batch_at(seen)

    said: list[str] = []
    done = train(Tiny(), feed, wanted, tmp_path, observers=[Say(said.append)])
    assert done.finished
    assert done.seconds <= 12.5 + 0.1 * slower, "at most one step late"
    last = [line for line in read_log(tmp_path / "log.jsonl") if "loss" in line][-1]
    if slower == 1.0:
        assert (done.seen, said) == (896, [])
    else:
        assert done.seconds > 11
        assert last["learning_rate"] < 0.1 * wanted.learning_rate
        assert said[0].startswith("slower than planned: ending after")


def test_a_long_pause_is_not_taken_for_slowness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr(loop, "clock_of", lambda settings: clock)

    def feed(seen: int) -> Batch:
        clock.now += 0.1
        return batch_at(seen)

    class Pause(Observer):
        def stepped(self, run: Run, record: Record) -> None:
            clock.now += 3.0 if record.step == 90 else 0.0  # 1 s of work is left, and 8 s of budget

    wanted = settings(images=8 * 100, budget_seconds=20.0, checkpoint_every=1e9)
    assert train(Tiny(), feed, wanted, tmp_path, observers=[Pause()]).seen == 800


def test_an_early_end_is_kept_by_a_resumed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr(loop, "clock_of", lambda settings: clock)
    wanted = settings(images=8 * 100, budget_seconds=10.0, checkpoint_every=1e9)

    def feed(seen: int) -> Batch:
        clock.now += 0.2
        return batch_at(seen)

    def killed_after_the_cut(seen: int) -> Batch:
        if seen >= 8 * 47:
            raise KeyboardInterrupt
        return feed(seen)

    train(Tiny(), feed, wanted, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(Tiny(), killed_after_the_cut, wanted, tmp_path / "cut")
    train(Tiny(), feed, wanted, tmp_path / "cut")
    whole, cut = (stored(resolve(tmp_path / name))[0] for name in ("whole", "cut"))
    assert whole.cut == cut.cut is not None
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def test_a_run_that_is_faster_than_planned_uses_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr(loop, "clock_of", lambda settings: clock)
    monkeypatch.setattr(start, "seconds_per_step", lambda run, feed, patience: 0.2)  # slower than it will be
    wanted = settings(images=None, budget_seconds=40.0, warmup=100, checkpoint_every=1e9, log_every=1)

    def feed(seen: int) -> Batch:
        clock.now += 0.1
        return batch_at(seen)

    said: list[str] = []
    done = train(Tiny(), feed, wanted, tmp_path / "whole", observers=[Say(said.append)])
    assert done.finished
    assert 0.97 * 40 < done.seconds <= 40.1
    assert done.seen > 1.9 * 8 * int(40 * MARGIN / 0.2)
    assert any(line.startswith("faster than planned: going on to") for line in said)
    sizes = [line["learning_rate"] for line in read_log(tmp_path / "whole" / "log.jsonl") if "loss" in line]
    top = sizes.index(max(sizes))
    assert sizes[top:] == sorted(sizes[top:], reverse=True), "never up again"
    assert sizes[-1] < 0.1 * wanted.learning_rate

    def killed(seen: int) -> Batch:
        if seen >= 0.8 * done.seen:
            raise KeyboardInterrupt
        return feed(seen)

    with pytest.raises(KeyboardInterrupt):
        train(Tiny(), killed, wanted, tmp_path / "killed")
    assert stored(resolve(tmp_path / "killed"))[2].images == stored(resolve(tmp_path / "whole"))[2].images
    train(Tiny(), feed, wanted, tmp_path / "killed")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_without_a_number_of_images_the_run_measures_itself(tmp_path: Path) -> None:
    said: list[str] = []
    wanted = SETTINGS.model_copy(update={"images": None, "budget_seconds": 3.0})
    done = train(Tiny(), batch_at, wanted, tmp_path, observers=[Say(said.append)])
    assert done.finished
    assert done.seconds < 4.0
    assert "images/s" in said[0]


def test_a_budget_of_the_processor_counts_no_waiting() -> None:
    waiting = TrainingSettings(clock="processor", threads=1, budget_seconds=60)
    now = clock_of(waiting)
    since, wall = now(), time.monotonic()
    time.sleep(0.2)
    while time.monotonic() - wall < 0.4:
        pass
    assert now() - since < 0.35  # the sleep is not in it, the work is
    assert now() - since > 0.02
    two = clock_of(waiting.model_copy(update={"threads": 2}))
    assert two() < 0.6 * now()
    assert clock_of(waiting.model_copy(update={"clock": "wall"})) is time.monotonic


@pytest.mark.parametrize(
    ("most", "budget", "measured", "ends"),
    [(400, 40.0, 0.1, "images"), (400, 4.0, 0.1, "time"), (2000, 40.0, 0.2, "images")],
    ids=["long before the time", "the time first", "faster than planned"],
)
def test_a_run_ends_with_its_images_or_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, budget: float, measured: float, ends: str
) -> None:
    clock, said = FakeTime(), list[str]()
    monkeypatch.setattr(loop, "clock_of", lambda settings: clock)
    monkeypatch.setattr(start, "seconds_per_step", lambda run, feed, patience: measured)

    def feed(seen: int) -> Batch:
        clock.now += 0.1
        return batch_at(seen)

    wanted = settings(images=None, most=most, budget_seconds=budget, checkpoint_every=1e9)
    done = train(Tiny(), feed, wanted, tmp_path, observers=[Say(said.append)])
    assert done.finished
    if ends == "images":
        assert done.seen == most
        assert done.seconds < 0.7 * budget
    else:
        assert done.seen < most
        assert 0.9 * budget < done.seconds <= budget + 0.1
    assert ("the 400 images that are asked for take about 5 of 40 s" in said[0]) == (most == 400 and budget == 40)
