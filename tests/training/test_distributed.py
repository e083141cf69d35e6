"""Two processes give the weights of one, also when one of them is killed and the team starts again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from test_resume import ENVIRONMENT, WORKER
from tiny_family import Tiny, batch_at, close, settings, weights

from lienzo.training import train
from lienzo.training.checkpoint import checkpoints
from lienzo.training.log import read_log

IMAGES = 8 * 40


@pytest.mark.slow
@pytest.mark.parametrize("death", [(), ("rank1", 8 * 25)])
def test_two_processes_give_the_weights_of_one(tmp_path: Path, death: tuple[object, ...]) -> None:
    train(Tiny(), batch_at, settings(images=IMAGES), tmp_path / "one")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
    command = [*torchrun, str(WORKER), str(tmp_path / "two"), str(IMAGES), *map(str, death)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert close(weights(tmp_path / "two"), weights(tmp_path / "one"), 1e-5)
    steps = [line["step"] for line in read_log(tmp_path / "two" / "log.jsonl") if "loss" in line]
    assert steps == list(range(5, 41, 5))
    resumed = any("going on from" in line.get("said", "") for line in read_log(tmp_path / "two" / "log.jsonl"))
    assert resumed == bool(death)


@pytest.mark.slow
def test_two_processes_learn_over_the_same_coder(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, str(WORKER.with_name("coded_worker.py")), str(tmp_path / "run")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "run").glob("codes-*"))) == 1  # named by the coder's weights: both had the last ones
    assert [folder.name for folder in checkpoints(tmp_path / "run")] == ["step-000000002"]
