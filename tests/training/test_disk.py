"""A full disk, a folder that may not be written, damaged files, two runs in one folder: nothing saved is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_family import Tiny, batch_at, same, settings, weights

from lienzo.core import CheckpointError, ConfigurationError
from lienzo.training import Observer, Record, SampleGrid, Say, load, train
from lienzo.training import checkpoint as checkpoints
from lienzo.training.folder import locked
from lienzo.training.log import read_log
from lienzo.training.run import Run


def full(after: int, until: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full for some calls of the writer of tensors."""
    original, calls = checkpoints.write_tensors, [0]

    def write(tensors, path):
        calls[0] += 1
        if after < calls[0] <= until:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(tensors, path)

    monkeypatch.setattr(checkpoints, "write_tensors", write)


def test_a_full_disk_costs_one_checkpoint_and_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(Tiny(), batch_at, settings(), tmp_path / "whole")
    full(4, 5, monkeypatch)  # the second checkpoint
    said: list[str] = []
    assert train(Tiny(), batch_at, settings(), tmp_path / "full", observers=[Say(said.append)]).finished
    assert said == ["could not save step 40: the disk is full; what was saved before is untouched"]
    assert same(weights(tmp_path / "full"), weights(tmp_path / "whole"))


def test_a_disk_that_stays_full_fails_at_the_end_and_names_what_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(Tiny(), batch_at, settings(), tmp_path / "whole")
    full(4, 10**6, monkeypatch)
    with pytest.raises(CheckpointError, match=r"newest checkpoint is step-000000020\n.*lienzo go on"):
        train(Tiny(), batch_at, settings(), tmp_path / "full", again="lienzo go on")
    monkeypatch.undo()
    assert train(Tiny(), batch_at, settings(), tmp_path / "full").finished
    assert same(weights(tmp_path / "full"), weights(tmp_path / "whole"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if not shutil.which("mount") or os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


class Fill(Observer):
    """Fills the disk after some step and frees it after another."""

    def __init__(self, path: Path, fill: int, free: int) -> None:
        self.path, self.fill, self.free = path, fill, free

    def stepped(self, run: Run, record: Record) -> None:
        if record.step == self.fill:
            with self.path.open("wb", buffering=0) as file:
                while True:  # ends with ENOSPC, which the loop takes from any observer
                    file.write(bytes(4096))
        if record.step == self.free:
            self.path.unlink()


def test_a_disk_that_is_really_full(tmp_path: Path, small_disk: Path) -> None:
    train(Tiny(), batch_at, settings(), tmp_path / "whole")
    said: list[str] = []
    watchers = [Fill(small_disk / "filler", 25, 55), Say(said.append), SampleGrid(batch_at(0).conditions)]
    assert train(Tiny(), batch_at, settings(samples_every=1e-9), small_disk / "run", observers=watchers).finished
    assert [m.split(":")[0] for m in said] == ["could not save step 40"]
    assert same(weights(small_disk / "run"), weights(tmp_path / "whole"))
    steps = [line["step"] for line in read_log(small_disk / "run" / "log.jsonl") if "loss" in line]
    assert steps == sorted(set(steps)), "no duplicate and no torn line"


def test_a_disk_that_is_too_small_says_so(small_disk: Path) -> None:
    with pytest.raises(CheckpointError, match="make room"):
        train(Tiny(width=3000), batch_at, settings(), small_disk / "run")


def test_a_folder_that_may_not_be_written_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(seen: int):
        raise AssertionError

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CheckpointError, match=r"cannot write to the folder .*Read-only"):
        train(Tiny(), never, settings(), tmp_path / "run")


def test_a_path_through_a_file_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot write"):
        train(Tiny(), batch_at, settings(), tmp_path / "file" / "run")


@pytest.mark.parametrize("harm", ["flip", "cut", "delete", "manifest"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(tmp_path: Path, harm: str) -> None:
    train(Tiny(), batch_at, settings(), tmp_path)
    before = weights(tmp_path)
    newest = checkpoints.resolve(tmp_path)
    file = newest / ("manifest.json" if harm == "manifest" else "state/raw.safetensors")
    content = bytearray(file.read_bytes())
    if harm in ("delete", "manifest"):
        file.unlink()
    elif harm == "cut":
        file.write_bytes(content[:-7])
    else:
        content[-3] ^= 1
        file.write_bytes(content)
    said: list[str] = []
    assert checkpoints.resolve(tmp_path).name == "step-000000040"
    assert train(Tiny(), batch_at, settings(), tmp_path, observers=[Say(said.append)]).step == 60
    assert said[0].startswith("checkpoint step-000000060 is damaged (")
    assert same(weights(tmp_path), before)


def test_when_every_checkpoint_is_damaged_nothing_starts_anew_in_silence(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(), tmp_path)
    for weights_file in tmp_path.glob("checkpoints/*/model.safetensors"):
        weights_file.write_bytes(b"")
    with pytest.raises(CheckpointError, match="every checkpoint"):
        train(Tiny(), batch_at, settings(), tmp_path)
    with pytest.raises(CheckpointError, match="every checkpoint"):
        load(tmp_path)


def test_a_lost_pointer_costs_nothing(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(), tmp_path)
    (tmp_path / "latest").unlink()
    assert checkpoints.resolve(tmp_path).name == "step-000000060"
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load(tmp_path / "samples")


def test_another_model_or_a_second_run_is_refused(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(), tmp_path)
    with pytest.raises(ConfigurationError, match=r"sigma is 0\.5 there and 0\.25 here"):
        train(Tiny(sigma=0.25), batch_at, settings(), tmp_path)
    with pytest.raises(ConfigurationError, match="holds a run already"):
        train(Tiny(), batch_at, settings(), tmp_path, resume=False)
    with locked(tmp_path), pytest.raises(ConfigurationError, match="another process"):
        train(Tiny(), batch_at, settings(), tmp_path)


def test_a_run_of_an_earlier_version_goes_on_though_the_family_has_a_new_argument(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(), tmp_path)
    folder = checkpoints.resolve(tmp_path)
    config = json.loads((folder / checkpoints.CONFIG).read_text("utf-8"))
    del config["sigma"]  # as if it had come later
    (folder / checkpoints.CONFIG).write_text(json.dumps(config), encoding="utf-8")
    checkpoints.seal(folder)
    result = train(Tiny(), batch_at, settings(images=8 * 70), tmp_path)
    assert result.step == 70
    with pytest.raises(ConfigurationError, match=r"sigma is 0\.5 there and 0\.25 here"):
        train(Tiny(sigma=0.25), batch_at, settings(images=8 * 80), tmp_path)


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(images=8 * 100, keep=3), tmp_path)
    names = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert names == [f"step-{n:09d}" for n in (60, 80, 100)]
