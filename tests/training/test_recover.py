"""NaN is rolled back, exhausted memory is shared out; both are said, and nothing saved is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_family import Tiny, batch_at, close, same, settings, weights

from lienzo.core import Batch, ConfigurationError, DataError, Loss
from lienzo.training import Say, TrainingError, train
from lienzo.training.checkpoint import resolve, stored
from lienzo.training.log import read_log


class Breaks(Tiny):
    """NaN after `at` images, `times` times."""

    def __init__(self, at: int, times: int) -> None:
        super().__init__()
        self.at, self.times = at, times

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        found = super().loss(batch, player)
        if batch.streams.indices[0] == self.at and self.times > 0:
            self.times -= 1
            return replace(found, total=found.total * float("nan"))
        return found


def test_a_nan_is_rolled_back_with_half_the_step_size(tmp_path: Path) -> None:
    said: list[str] = []
    done = train(Breaks(8 * 47, 1), batch_at, settings(), tmp_path, observers=[Say(said.append)])
    assert done.finished
    assert all(bool(p.isfinite().all()) for p in done.family.parameters())
    assert said == ["loss is nan at step 47: back to step 40 with 0.5 of the step size"]
    counters = stored(resolve(tmp_path))[0]
    assert (counters.factor, counters.rollbacks) == (0.5, 1)
    lines = [line for line in read_log(tmp_path / "log.jsonl") if "loss" in line]
    assert [line["step"] for line in lines] == list(range(5, 61, 5))
    assert lines[-2]["learning_rate"] < 0.51 * settings().learning_rate


def test_a_run_resumed_before_a_nan_ends_as_one_that_was_not(tmp_path: Path) -> None:
    train(Breaks(8 * 47, 1), batch_at, settings(), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(Breaks(8 * 47, 0), dying(8 * 45), settings(), tmp_path / "cut")
    train(Breaks(8 * 47, 1), batch_at, settings(), tmp_path / "cut")
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


def dying(at: int):
    def feed(seen: int) -> Batch:
        if seen == at:
            raise KeyboardInterrupt
        return batch_at(seen)

    return feed


def test_a_nan_that_stays_ends_the_run_and_keeps_what_was_saved(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="after image 376 loss is nan"):
        train(Breaks(8 * 47, 99), batch_at, settings(), tmp_path)
    assert resolve(tmp_path).name == "step-000000040"


def test_pictures_that_are_not_finite_are_named(tmp_path: Path) -> None:
    def feed(seen: int) -> Batch:
        batch = batch_at(seen)
        return replace(batch, x=batch.x * (float("inf") if seen == 80 else 1))

    with pytest.raises(DataError, match="after image 80"):
        train(Tiny(), feed, settings(), tmp_path)


class Large(Tiny):
    """Finds memory for `room` pictures at most, as one of the errors says that torch raises."""

    def __init__(self, room: int, error: Exception) -> None:
        super().__init__()
        self.room, self.error = room, error

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        if len(batch) > self.room:
            raise self.error
        return super().loss(batch, player)


ERRORS = [
    torch.cuda.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS)
def test_exhausted_memory_halves_what_is_computed_at_once(tmp_path: Path, error: Exception) -> None:
    train(Tiny(), batch_at, settings(), tmp_path / "large")
    said: list[str] = []
    train(Large(3, error), batch_at, settings(), tmp_path / "small", observers=[Say(said.append)])
    assert [m.split(";")[0] for m in said] == [f"memory ran out: {n} pictures at once from now on" for n in (4, 2)]
    assert stored(resolve(tmp_path / "small"))[0].rows == 2
    a, b = weights(tmp_path / "small"), weights(tmp_path / "large")
    name = "model.safetensors:mean"  # a running mean sees other batches
    assert close({n: t for n, t in a.items() if n != name}, {n: t for n, t in b.items() if n != name}, 1e-5)


def test_a_picture_that_does_not_fit_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="single picture"):
        train(Large(0, MemoryError()), batch_at, settings(), tmp_path)


def test_other_errors_are_not_taken_for_memory(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        train(Large(3, RuntimeError("a bug")), batch_at, settings(), tmp_path)


def test_accumulation_gives_the_step_of_the_whole_batch(tmp_path: Path) -> None:
    whole = train(Tiny(), batch_at, settings(), tmp_path / "whole").family
    parts = train(Tiny(), batch_at, settings(accumulate=3), tmp_path / "parts").family
    assert torch.allclose(whole.get_parameter("into"), parts.get_parameter("into"), atol=1e-6)
