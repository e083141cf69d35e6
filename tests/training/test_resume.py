"""A run that was killed or interrupted ends with the weights of one that was not, bit for bit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny_family import Game, Tiny, batch_at, same, settings, weights

import lienzo
from lienzo.training import Observer, Record, Say, load, train
from lienzo.training.checkpoint import resolve
from lienzo.training.log import read_log
from lienzo.training.run import Run

WORKER = Path(__file__).with_name("worker.py")
SOURCE = str(Path(lienzo.__file__).parents[1])
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCE, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}

HANDLER = signal.getsignal(signal.SIGINT)  # a shell's background jobs are started with interruptions ignored


def start(out: Path, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(WORKER), str(out), *map(str, arguments)], env=ENVIRONMENT)


def curve(out: Path) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in read_log(out / "log.jsonl") if "loss" in line]


@pytest.mark.slow
def test_killed_at_any_instant_and_resumed_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    images = 8 * 200
    train(Tiny(), batch_at, settings(images=images), tmp_path / "whole")
    out, chance = tmp_path / "killed", random.Random(3)
    # while weights are written; between the rename and the pointer; before a step that no checkpoint holds; any time
    for where, count in (("write_tensors", 5), ("point", 2), ("step", 8 * 95)):
        assert start(out, images, where, count).wait() == -signal.SIGKILL
    process = start(out, images, "slow")
    while not (tmp_path / "started").exists():
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.5))
    process.kill()
    process.wait()
    assert start(out, images).wait() == 0
    assert same(weights(out), weights(tmp_path / "whole"))
    assert curve(out) == curve(tmp_path / "whole")
    assert not list((out / "checkpoints").glob(".*")), "what a killed process left behind is gone"


class Interrupt(Observer):
    """Presses Ctrl-C after some step."""

    def __init__(self, step: int, times: int = 1) -> None:
        self.step, self.times = step, times

    def stepped(self, run: Run, record: Record) -> None:
        for _ in range(self.times if record.step == self.step else 0):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("family", [Tiny, Game])
def test_interrupted_it_saves_says_how_to_go_on_and_ends_with_the_same_bits(tmp_path: Path, family: type[Tiny]) -> None:
    whole = train(family(), batch_at, settings(), tmp_path / "whole")
    said: list[str] = []
    first = train(
        family(), batch_at, settings(), tmp_path / "cut", observers=[Interrupt(27), Say(said.append)], again="lienzo it"
    )
    assert (first.finished, first.step) == (False, 27)
    assert "lienzo it" in said[-1]
    second = train(family(), batch_at, settings(), tmp_path / "cut")
    assert second.finished
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    assert signal.getsignal(signal.SIGINT) is HANDLER
    loaded = load(tmp_path / "cut").state_dict()
    assert same(loaded, whole.family.state_dict())


def test_a_caller_in_another_thread_can_stop_it(tmp_path: Path) -> None:
    asked = iter([False] * 30 + [True])
    with ThreadPoolExecutor() as pool:
        first = pool.submit(train, Tiny(), batch_at, settings(), tmp_path, stop=lambda: next(asked)).result()
    assert (first.finished, first.step) == (False, 30)
    assert train(Tiny(), batch_at, settings(), tmp_path).finished


def test_a_second_interruption_ends_it_at_once_and_loses_only_what_was_not_saved(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Tiny(), batch_at, settings(), tmp_path, observers=[Interrupt(33, times=2)])
    assert resolve(tmp_path).name == "step-000000020"
    assert signal.getsignal(signal.SIGINT) is HANDLER
    assert train(Tiny(), batch_at, settings(), tmp_path).finished


def test_a_run_that_is_over_stays_as_it_is_and_a_longer_one_goes_on(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(), tmp_path)
    before = weights(tmp_path)
    assert train(Tiny(), batch_at, settings(), tmp_path).step == 60
    assert same(weights(tmp_path), before)
    said: list[str] = []
    assert train(Tiny(), batch_at, settings(images=8 * 80), tmp_path, observers=[Say(said.append)]).step == 80
    assert any("images 480 → 640" in message for message in said)
