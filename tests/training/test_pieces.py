"""The formulas and the small parts: schedules, averages, settings, log, export, card, what observers write."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from tiny_family import SETTINGS, Tiny, batch_at, close, settings, weights
from torch import nn

from lienzo.conditions import Bus
from lienzo.core import CheckpointError, Conditions, ConfigurationError, Streams
from lienzo.families.gan import GAN
from lienzo.training import About, Bar, Board, Curve, SampleGrid, TrainingSettings, export, load, train
from lienzo.training.ema import Average, ema_decay
from lienzo.training.grid import sheet
from lienzo.training.log import Log, read_log
from lienzo.training.observers import Record
from lienzo.training.rounding import LARGEST, restored, rounded
from lienzo.training.run import copy
from lienzo.training.schedule import Cut, Schedule
from lienzo.training.tensors import read_tensors, write_tensors


def test_schedules_at_points_known_by_hand() -> None:
    cosine = Schedule(2.0, 1000, 100, "cosine")
    assert cosine.at(49) == pytest.approx(2 * 50 / 101)
    assert cosine.at(100) == 2.0
    assert cosine.at(550) == pytest.approx(1.0)
    assert Schedule(2.0, 1000, 100, "linear").at(775) == pytest.approx(0.5)
    stable = Schedule(2.0, 1000, 0, "warmup-stable-decay")
    assert [stable.at(n) for n in (0, 500, 750, 1000)] == [2.0, 2.0, 2.0, 0.0]
    assert stable.at(812) == pytest.approx(2 * (1 - math.sqrt(0.062 / 0.25)))
    assert Schedule(2.0, 1000, 0, "constant").at(999) == 2.0


@given(st.sampled_from(["cosine", "linear", "constant", "warmup-stable-decay"]), st.integers(1, 10**6), st.data())
def test_a_schedule_never_leaves_its_bounds_and_a_cut_ends_it(decay, total, data) -> None:
    schedule = Schedule(1.0, total, data.draw(st.integers(0, total * 2)), decay)
    start = data.draw(st.integers(0, total))
    cut = Cut(start, data.draw(st.integers(start, total)))
    seen = data.draw(st.integers(0, total))
    assert 0 <= schedule.at(seen, cut) <= schedule.at(seen) <= 1
    assert schedule.at(cut.end, cut) == 0
    assert schedule.end(cut) == cut.end


def test_after_a_half_life_old_weights_count_half() -> None:
    weight = nn.Parameter(torch.zeros(3))
    average = Average({"w": weight}, half_life=64, ramp=1e9)
    weight.data.fill_(1)
    for step in range(8):
        average.update(8, 8 * (step + 1))
    assert torch.allclose(average.tensors["w"], torch.full((3,), 0.5))
    assert ema_decay(10, 100, 1000, 0.1) == 0.5, "the ramp: half-life 0.1 · 100"


def test_an_average_applied_is_taken_back() -> None:
    weight = nn.Parameter(torch.ones(2))
    average = Average({"w": weight}, 0, 1)
    weight.data.fill_(5)
    with average.applied():
        assert weight.tolist() == [1, 1]
    assert weight.tolist() == [5, 5]
    average.keep()
    assert weight.tolist() == [1, 1]


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match=r"'bach_size'.*\n.*batch_size"):
        TrainingSettings.checked({"bach_size": 3})
    with pytest.raises(ConfigurationError, match=r"'decay'.*'slowly'"):
        TrainingSettings.checked({"decay": "slowly"})
    with pytest.raises(ConfigurationError, match="unknown device 'tpu9'"):
        train(Tiny(), batch_at, settings(device="tpu9"), "never")
    assert settings(keep=5, learning_rate=0.1).changed(SETTINGS) == {"learning_rate": (0.001, 0.1)}


def test_a_run_needs_a_length(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="how long"):
        train(Tiny(), batch_at, settings(images=None), tmp_path)


def test_a_log_forgets_what_came_after_and_torn_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = Log(path)
    for step in range(5):
        log.write({"step": step})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"step": 2, "lo')
    log.rewind(3)
    assert [line["step"] for line in read_log(path)] == [0, 1, 2, 3]


def test_a_second_copy_takes_the_memory_of_the_first() -> None:
    first = copy({"w": torch.zeros(3), "of another shape": torch.zeros(2)})
    told = {"w": torch.ones(3), "of another shape": torch.ones(4), "new": torch.ones(1)}
    second = copy(told, into=first)
    assert second["w"].data_ptr() == first["w"].data_ptr()
    assert all(torch.equal(second[name], tensor) for name, tensor in told.items())
    assert second["new"].data_ptr() != told["new"].data_ptr()


def test_shared_tensors_are_written_once(tmp_path: Path) -> None:
    weight = torch.arange(3.0)
    write_tensors({"a": weight, "b": weight, "c": weight[:2]}, tmp_path / "t")
    assert set(read_tensors(tmp_path / "t")) == {"a", "c"}


@pytest.mark.parametrize(("precision", "within"), [("float32", 0.0), ("float16", 1e-3), ("int8", 1e-2), ("int6", 4e-2)])
def test_exported_weights_are_close_and_small(tmp_path: Path, precision, within: float) -> None:
    train(Tiny(width=64), batch_at, settings(), tmp_path / "run", about=About(name="tiny one"))
    folder = export(tmp_path / "run", tmp_path / "small", precision)
    original, shipped = load(tmp_path / "run").state_dict(), load(folder).state_dict()
    assert all(t.dtype == torch.float32 for t in shipped.values())
    assert close(original, shipped, within)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "# tiny one" in card
    assert (f"rounded to {precision}" in card) == (precision in LARGEST), "its figures are of other weights"
    size = {"float32": 4, "float16": 2, "int8": 1, "int6": 0.75}[precision] * 64 * 32
    assert size < (folder / "model.safetensors").stat().st_size < size + 2000
    with pytest.raises(CheckpointError, match="not empty"):
        export(tmp_path / "run", folder)


def test_a_critic_is_not_given_away(tmp_path: Path) -> None:
    torch.manual_seed(0)
    gan, streams = GAN((1, 4, 4), Bus({}), latent=4, widths=(8, 8)), Streams(0, range(3))
    train(gan, batch_at, settings(images=24), tmp_path / "run")
    folder = export(tmp_path / "run", tmp_path / "small", "float32")
    assert not any(name.startswith("duel.") for name in read_tensors(folder / "model.safetensors"))
    assert any(":duel." in name for name in weights(tmp_path / "run"))
    drawn = [load(place).sample(Conditions(count=3), streams=streams) for place in (tmp_path / "run", folder)]
    assert torch.equal(*drawn)


@pytest.mark.parametrize("precision", ["int8", "int6"])
def test_integers_come_back_as_they_were(precision) -> None:
    """A kernel of 37 · 31 numbers, which neither four nor a row's length divides, at every value that there is."""
    most = LARGEST[precision]
    q = (torch.arange(37 * 31) % (2 * most + 1) - most).view(37, 31, 1, 1)
    q[:, 0] = most
    tensor = q * torch.linspace(0.1, 2, 37).view(-1, 1, 1, 1)
    tensor[5] = 0
    within = 1e-6 if precision == "int8" else 2**-11  # a scale of 16 bits
    torch.testing.assert_close(restored(rounded("w", tensor, precision)), {"w": tensor}, rtol=within, atol=0)


def test_muon_trains_and_resumes(tmp_path: Path) -> None:
    train(Tiny(), batch_at, settings(optimiser="muon"), tmp_path / "whole")
    train(Tiny(), batch_at, settings(optimiser="muon", images=8 * 40), tmp_path / "part")
    names = set(weights(tmp_path / "whole"))
    assert "state/optimiser.safetensors:model.into.momentum_buffer" in names
    assert "state/optimiser.safetensors:model.bias.exp_avg" in names


def test_the_card_says_what_it_cost(tmp_path: Path) -> None:
    about = About(name="a name", data="squares", data_licence="CC0-1.0", conditions={"style": "noto or twemoji"})
    folder = train(Tiny(), batch_at, settings(), tmp_path, about=about).folder
    card = (folder / "README.md").read_text(encoding="utf-8")
    for part in ("license: other", "squares", "CC0-1.0", "`style`: noto or twemoji", "480 images in 60 steps", "torch"):
        assert part in card


def test_observers_write_what_they_promise(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tensorboard")
    terminal, plain = io.StringIO(), io.StringIO()
    bars = [Bar(Console(file=terminal, force_terminal=True)), Bar(Console(file=plain), every=0)]
    watchers = [*bars, SampleGrid(Conditions(count=6), columns=3), Curve(), Board()]
    train(Tiny(), batch_at, settings(samples_every=1e-9), tmp_path, observers=watchers)
    assert "images/s" in terminal.getvalue()
    assert plain.getvalue().count("loss") == 60
    assert len(list((tmp_path / "samples").glob("*.png"))) == 60
    picture = Image.open(tmp_path / "samples" / "step-000000060.png")
    assert picture.size == (3 * 64 + 2 * 16, 2 * 64 + 16)
    assert json.loads(picture.text["lienzo"])["step"] == 60
    assert Image.open(tmp_path / "loss.png").size[0] > 500
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_run_that_ends_early_is_no_more_than_whole() -> None:
    lines = io.StringIO()
    Bar(Console(file=lines), every=0).stepped(None, Record(4, 128, 97, {"loss": 1.0}, 1e-3, 30.0, 20.0, -1.0, 0))  # type: ignore[arg-type]
    assert "100.0 %" in lines.getvalue()
    assert "-1 s" not in lines.getvalue()


def test_a_bar_breaks_no_command_and_knows_no_speed_at_first() -> None:
    lines, command = io.StringIO(), "to go on: lienzo train " + "a-folder-of-pictures " * 8
    bar = Bar(Console(file=lines, width=80), every=0)
    bar.said(command)
    assert lines.getvalue() == command + "\n"
    bar.stepped(None, Record(1, 16, 97, {"loss": 1.0}, 1e-3, 0.0, 1.0, None, 0))  # type: ignore[arg-type]
    assert "… images/s" in lines.getvalue()


def test_watching_does_not_change_what_is_learnt(tmp_path: Path) -> None:
    alone = train(Tiny(), batch_at, settings(), tmp_path / "alone").family
    watchers = [SampleGrid(Conditions(count=2))]
    seen = train(Tiny(), batch_at, settings(samples_every=1e-9), tmp_path / "seen", observers=watchers).family
    assert all(torch.equal(a, b) for a, b in zip(alone.parameters(), seen.parameters(), strict=True))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_a_sheet_holds_every_picture(channels: int) -> None:
    pictures = torch.linspace(-1, 1, 5).view(5, 1, 1, 1).expand(5, channels, 2, 2)
    paper = sheet(pictures, columns=2, scale=2)
    assert paper.shape == (3 * 4 + 2 * 2, 2 * 4 + 2, {2: 1, 5: 3}.get(channels, channels))
    assert [int(paper[r, c, 0]) for r, c in ((0, 0), (0, 6), (6, 0), (6, 6), (12, 0), (12, 6))] == [
        0,
        64,
        128,
        191,
        255,
        255,
    ]


def test_the_last_sheet_is_not_drawn_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    few = settings(images=16, samples_every=1e-9)
    train(Tiny(), batch_at, few, tmp_path / "a", observers=[SampleGrid(Conditions(count=6), tell=said.append)])
    assert said == ["drawing the last sheet: 6 samples …"], "between them a bar moves"
    monkeypatch.setattr("lienzo.training.grid.EVERY", 0.0)
    train(Tiny(), batch_at, few, tmp_path / "b", observers=[SampleGrid(Conditions(count=1), tell=said.append)])
    assert said[1:] == ["drawing the last sheet: 1 sample …", "drawing the last sheet: step 1 of 1"]
