"""`examples/walk.py` on somebody's own picture: upright, with its map however that names its classes."""

from __future__ import annotations

import json
import shlex
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import lienzo
from lienzo.editing import read_class

FILE = Path(__file__).parents[2] / "examples" / "walk.py"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = spec_from_file_location("walk", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "walk", module)  # where its data classes look for their names
    spec.loader.exec_module(module)
    return module


def test_a_picture_of_ones_own(example: ModuleType, tmp_path: Path, fake_model: Path, monkeypatch: pytest.MonkeyPatch):
    pixels, exif = np.zeros((24, 32, 3), np.uint8), Image.Exif()
    pixels[:12] = 255
    exif[0x0112] = 3
    Image.fromarray(pixels[::-1, ::-1]).save(tmp_path / "photo.png", exif=exif)
    Image.fromarray((pixels[..., 0] > 0).astype(np.uint8)).save(tmp_path / "map.png")
    (tmp_path / "map.png.json").write_text(json.dumps({"1": "building", "0": "sky"}))
    monkeypatch.setattr(sys, "argv", ["walk.py", "--picture", str(tmp_path / "photo.png")])
    with pytest.raises(SystemExit):
        example.main()
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--map", str(tmp_path / "map.png"), "--out", str(out),
                                      "--model", str(fake_model)])  # fmt: skip
    monkeypatch.setattr(example, "walk", lambda *_: [])
    example.main()
    assert (np.asarray(Image.open(out / "building.png")) == pixels).all()
    assert read_class(out / "map.png", "building", (32, 24)).mask[:12].all()


def test_the_command_of_several_tries_says_which_file_is_meant(
    example: ModuleType, tmp_path: Path, fake_model: Path
):  # fmt: skip
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(tmp_path / "building.png")
    step = example.edited(
        lienzo.load(fake_model), tmp_path, "building.png", "snow.png", "snow", count=2, options={"steps": 1}
    )
    assert any("snow-0.png of that command" in line or "snow-1.png of that command" in line for line in step.told)


def test_what_a_model_is_told_beside_the_style_stands_in_the_command(
    example: ModuleType, tmp_path: Path, fake_model: Path
):  # fmt: skip
    asked = {"context": 1, "said": {"style": "noto", "background": "white"}}
    words = shlex.split(example.command(lienzo.load(fake_model), tmp_path, "a.png", "b.png", "a dog", asked))
    assert words[words.index("--context") + 1] == "1"
    assert words[words.index("--style") + 1] == "noto"
    assert words[words.index("--said") + 1] == "background=white"
