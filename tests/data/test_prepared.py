"""Composed pictures that are drawn beforehand are those that are drawn when asked for; pairs stay aligned."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition
from lienzo.core import DataError
from lienzo.data import Loader, open_source
from lienzo.data.scenes.drawing import draw
from lienzo.data.telling import Lines


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch):
    """Let this process draw in the place of several others, whose start costs seconds."""

    def run(tasks, folder):
        for task in tasks:
            draw(task, folder)
            yield task["stop"] - task["first"]

    monkeypatch.setattr("lienzo.data.scenes.prepared.LEAST", 5)
    monkeypatch.setattr("lienzo.data.scenes.prepared._run", run)


@pytest.mark.parametrize("name", ["scenes", "edits", "combinations"])
def test_what_is_drawn_beforehand_is_the_same(name: str, tmp_path: Path, here: None):
    spec = {"spec": f"{name}:12", "size": 32, "split": "test+validation", "cache": tmp_path}
    spec |= {"split": "train+test"} if name != "combinations" else {}
    lazy, ready = open_source(**spec), open_source(**spec, prepare=True)
    rows = list(range(len(lazy)))
    assert len(ready) == len(lazy) == (24 if name == "combinations" else 13)
    assert ready.fingerprint == lazy.fingerprint
    assert dict(ready.columns) == dict(lazy.columns)
    assert (ready.pictures(rows) == lazy.pictures(rows)).all()
    for column in {*lazy.columns, *lazy.asides}:
        for one, other in zip(ready.values(column, rows), lazy.values(column, rows), strict=True):
            assert (one is None and other is None) or np.array_equal(one, other), column
    picked = np.array([12, 0, 12, 5])
    assert (ready.pictures(picked) == lazy.pictures(picked)).all()
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.u8")}
    assert open_source(**spec, prepare=True).pictures([3]).shape == (1, 32, 32, 4)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.u8")} == before


def test_drawing_says_how_far_it_is(tmp_path: Path, here: None, capsys: pytest.CaptureFixture[str],
                                    monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    monkeypatch.setattr("lienzo.data.telling.EVERY", 0.0)
    open_source("scenes:6", size=32, cache=tmp_path, prepare=True)
    assert "drawing scenes (train): 6 of 6\n" in capsys.readouterr().err


def test_long_work_speaks_from_time_to_time(capsys: pytest.CaptureFixture[str]):
    clock = iter([0.0, 4.0, 11.0, 11.0, 12.0]).__next__
    lines = Lines("drawing scenes", 2000, clock)
    for count in (100, 200, 300):
        lines.add(count)
    assert capsys.readouterr().err == "drawing scenes: 300 of 2,000\n"


def test_another_process_draws(tmp_path: Path):
    ready = open_source("scenes:3", size=16, cache=tmp_path, prepare=True)
    assert (ready.pictures([0, 1, 2]) == open_source("scenes:3", size=16).pictures([0, 1, 2])).all()


def test_a_process_that_fails_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lienzo.data.scenes.prepared.DRAWING", "lienzo.no_such_module")
    with pytest.raises(DataError, match="no_such_module"):
        open_source("scenes:4", size=32, cache=tmp_path, prepare=True)
    assert not list(tmp_path.glob("scenes-*/*"))


def test_a_pair_stays_aligned_through_mirroring():
    """The part that is kept is the same in the picture before and in the picture afterwards, mirrored or not."""
    data = open_source("edits:40", size=32)
    bus = Bus({"image": MapCondition("picture", 32, 3), "mask": MapCondition("mask", 32)}, vector=4, token=4)
    mirrored = 0
    for flip in (0.0, 0.5):
        batch = Loader(data, bus, batch_size=40, flip=flip).batch_at(0)
        before, mask = (bus[name].numbers(batch.conditions[name].values[0]) for name in ("image", "mask"))
        kept = (mask < 0).expand_as(before)
        assert kept.any()
        assert torch.allclose(batch.x[kept], before[kept], atol=1e-6)
        assert ((batch.x - before).abs() > 0.01).flatten(1).any(1).all()
        plain = torch.from_numpy(data.pictures(Loader(data, bus, batch_size=40).rows_at(0, 40)))
        gap = (batch.x - (plain[..., :3].permute(0, 3, 1, 2) / 127.5 - 1)).abs()
        mirrored += int((gap > 0.01).flatten(1).any(1).sum())
    assert 8 < mirrored < 32


def test_a_users_own_pairs_stay_aligned_through_the_crop(tmp_path: Path):
    """Pictures of another shape than the model's: both are cut and scaled alike."""
    rng, lines = np.random.default_rng(0), ["file_name,image_file_name,text"]
    (tmp_path / "before").mkdir()
    for number in range(6):
        before = np.asarray(Image.fromarray(rng.integers(0, 256, (6, 9, 3), np.uint8)).resize((72, 48)))
        after = before.copy()
        after[:, :30] = 0
        Image.fromarray(before).save(tmp_path / "before" / f"{number}.png")
        Image.fromarray(after).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,before/{number}.png,make the left side black")
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    data = open_source(tmp_path, size=16, cache=tmp_path / "cache", split="all")
    rows = range(len(data))
    after, before = data.pictures(rows)[..., :3], np.stack(data.values("image", rows))
    assert data.columns["image"].map_kind == "picture"
    assert (np.abs(after[:, :, 9:].astype(int) - before[:, :, 9:]) <= 1).all()
    assert (after[:, :, :4] < 40).all()


def test_a_reference_is_the_main_thing_alone_on_white():
    data = open_source("scenes:60")
    bus = Bus({"reference": ImageCondition(64, patch=32), "style": LabelCondition(list(data.columns["style"].classes))})
    shown = data.values("reference", range(60))
    assert {value is None for value in shown} == {True, False}
    planes = data.table.planes
    first = next(row for row, value in enumerate(shown) if value is not None)
    thing = planes.cast(first).cut_out(planes.scene(first).layers[0].row)
    alone = Image.new("RGBA", thing.size, "white")
    alone.alpha_composite(thing)
    box = Image.fromarray((shown[first] < 250).any(-1)).getbbox()
    assert abs(box[2] - box[0] - thing.width) <= 2
    assert (
        np.abs(shown[first].mean((0, 1)) - (255 + (np.asarray(alone)[..., :3] - 255.0).sum((0, 1)) / 64**2)).max() < 2
    )
    batch = Loader(data, bus, batch_size=60).batch_at(0)
    assert 0.6 < float(batch.conditions["reference"].present.float().mean()) < 1
    assert "reference" not in data.columns
