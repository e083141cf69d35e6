"""A run's folder: what a mistaken command, an interruption and a way back leave of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lienzo.api.train import default_out, planned
from lienzo.core import ConfigurationError
from lienzo.training.log import read_log
from lienzo.training.observers import Observer, Record
from lienzo.training.recipes import Listeners, Recipe, carry_out, overridden
from lienzo.training.recipes.validation import Validation
from lienzo.training.run import Run

STEPS: dict[str, Any] = {"batch_size": 8, "images": 16, "precision": "float32", "device": "cpu"}
TINY: dict[str, Any] = {
    "data": {"source": "emoji", "size": 16, "where": {"style": "noto", "group": "activities"}},
    "bus": {"vector": 16, "token": 16},
    "network": {"kind": "transformer", "patch": 4, "width": 16, "depth": 1, "heads": 2},
    "conditions": {"background": {}},
    "training": STEPS,
    "samples": {"count": 2, "options": {"steps": 2}},
}
VAE: dict[str, Any] = {"family": {"kind": "vae", "codes": 4, "widths": [8, 16]}, "training": STEPS}
CODED: dict[str, Any] = {
    **TINY,
    "network": {**TINY["network"], "patch": 1},
    "codes": {"variants": 2, "recipe": VAE},
}


@pytest.fixture(autouse=True)
def _no_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lienzo.training.recipes.stages.Curve", Observer)  # matplotlib takes longer than all the rest


def test_a_mistaken_command_leaves_a_run_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photos = tmp_path / "my photos"
    photos.mkdir()
    carry_out(Recipe.checked(TINY), tmp_path / "run")
    written = [(tmp_path / "run" / name) for name in ("recipe.json", "generate.json")]
    before = [file.read_bytes() for file in written]
    other = {**TINY, "name": "other", "generate": {"options": {"steps": 3}}}
    with pytest.raises(ConfigurationError, match="holds another model"):
        carry_out(Recipe.checked({**other, "bus": {"vector": 8, "token": 16}}), tmp_path / "run")
    for recipe in (other, {**CODED, "name": "other"}):
        with pytest.raises(ConfigurationError, match="holds a run already"):
            carry_out(Recipe.checked(recipe), tmp_path / "run", resume=False)
    assert not (tmp_path / "run" / "coder").exists()
    assert [file.read_bytes() for file in written] == before
    with pytest.raises(ConfigurationError, match=r"learns emoji, not .*my photos"):
        planned(photos, out=tmp_path / "run", recipe=TINY)
    stored = overridden(TINY, [f"data.source={photos}"])
    (tmp_path / "run" / "recipe.json").write_text(json.dumps(stored))
    monkeypatch.chdir(photos.parent)
    for same in ("my photos", "./my photos/", photos):
        assert planned(same, out=tmp_path / "run", recipe=stored).data.source == str(same)


def test_the_same_command_goes_on_whatever_the_family_is_called(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.json").write_text(json.dumps(CODED))
    again = planned("emoji", out=tmp_path / "run", budget="1m", overrides={"family": {"kind": "latent"}})
    assert again.family["kind"] == "diffusion"
    assert again.codes is not None
    with pytest.raises(ConfigurationError, match="holds a run of the family 'diffusion', not 'gan'"):
        planned("emoji", out=tmp_path / "run", budget="1m", overrides={"family": {"kind": "gan"}})


class CutError(Exception):
    pass


class Interrupts(Observer):
    def stepped(self, run: Run, record: Record) -> None:
        raise CutError


def test_a_first_stage_that_was_interrupted_can_be_gone_on_with(tmp_path: Path):
    timed = Recipe.checked({**CODED, "training": {**STEPS, "clock": "processor"}})
    with pytest.raises(CutError):
        carry_out(timed, tmp_path / "run", listeners=Listeners(lambda stage: [Interrupts()]))
    recipe = planned(None, out=tmp_path / "run")
    assert recipe == timed
    settings = json.loads((tmp_path / "run" / "coder" / "settings.json").read_text())["settings"]
    assert settings["clock"] == "processor", "both stages share one budget"
    assert not (tmp_path / "run" / "latest").exists()


def test_the_folder_of_a_recipe_for_other_pictures_bears_both_names(tmp_path: Path):
    (tmp_path / "a.toml").write_text("[data]\nsource = 'emoji'\n")
    (tmp_path / "b.toml").write_text("[training]\nimages = 8\n")
    assert default_out("emoji", tmp_path / "a.toml") == Path("runs/a")
    assert default_out("./my photos/", tmp_path / "a.toml") == Path("runs/a-my-photos")
    assert default_out("./my photos/", tmp_path / "b.toml") == Path("runs/b-my-photos")
    assert default_out(None, tmp_path / "a.toml") == Path("runs/a")


def test_validation_forgets_what_a_run_went_back_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    validation = Validation(Recipe.checked(TINY), 0.0, said.append)
    monkeypatch.setattr(validation, "measure", lambda run: {"loss": 0.5})
    result = carry_out(Recipe.checked(TINY), tmp_path, listeners=Listeners(lambda stage: [validation]))
    log = tmp_path / "validation.jsonl"
    assert [line["step"] for line in read_log(log)] == [1, 2]
    assert said[-1] == "validation after 16 images: loss 0.5000"
    log.write_text(log.read_text() + json.dumps({"step": 9, "validation.loss": 1.0}) + "\n")  # of an abandoned branch
    carry_out(Recipe.checked(TINY), tmp_path, listeners=Listeners(lambda stage: [validation]))
    assert [line["step"] for line in read_log(log)] == [1, 2]
    assert result.finished
    validation._step = 7  # as if it had stood there before the run went back
    validation._log.write({"step": 5, "validation.loss": 1.0})
    validation.every = 1e9
    validation.stepped(None, Record(3, 24, 80, {"loss": 0.1}, 0.1, 1.0, 1.0, None, 0))  # type: ignore[arg-type]
    assert [line["step"] for line in read_log(log)] == [1, 2]


def test_encoding_counts_by_the_clock_of_the_budget(tmp_path: Path):
    timed = {**CODED, "training": {**STEPS, "clock": "processor", "threads": 1}}
    listeners = Listeners(count=lambda what, done, of: time.sleep(0.3))  # as if other work had the machine
    carry_out(Recipe.checked(timed), tmp_path, listeners=listeners)
    (codes,) = tmp_path.glob("codes-*/meta.json")
    assert 0 < json.loads(codes.read_text())["seconds"] < 0.3
