"""Files of an edit: none that was given is written over, all are looked at first, and maps come with a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture, a mask of its left half under a name that an edit would take, and a map of lines."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    for name in ("photo.png", "house-edit-0.png", "house-sheet.png"):
        Image.fromarray(noise).save(tmp_path / name)
    mask = Image.new("L", (20, 20))
    mask.paste(255, (0, 0, 10, 20))
    mask.save(tmp_path / "house-mask.png")
    lines = Image.new("L", (40, 40))
    lines.paste(255, (0, 18, 40, 21))
    lines.save(tmp_path / "lines.png")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        (["photo.png", "snow", "--keep", "house-mask.png", "--out", "house.png"], "house-mask.png", "was given"),
        (["photo.png", "hi", "--said", "outline=house-mask.png", "--out", "house.png"], "house-mask.png", "was given"),
        (["house-edit-0.png", "snow", "--count", "2", "--out", "house-edit.png"], "house-edit-0.png", "picture itself"),
        (["house-edit-0.png", "--how", "interpolate", "--like", "photo.png", "--out", "house-edit.png"],
         "house-edit-0.png", "picture itself"),
        (["house-sheet.png", "snow", "--out", "house.png", "--overwrite"], "house-sheet.png", "picture itself"),
    ],
)  # fmt: skip
def test_nothing_that_was_given_is_written_over(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], given: str, says: str
):
    monkeypatch.chdir(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, _, error = call("edit", *words, "--model", "never-loaded")
    assert code == 2
    assert given in error
    assert says in error
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_are_looked_at_before_a_model_is_loaded(call: Call, folder: Path):
    photo, never = folder / "photo.png", ("--model", "never-loaded")
    (folder / "broken.png").write_bytes(b"no picture")
    Image.new("L", (20, 20)).save(folder / "empty.png")
    (folder / "file").write_text("")
    for words, says in (
        ((folder / "broken.png", "snow"), "broken.png"), ((photo, "snow", "--keep", "nowhere.png"), "nowhere.png"),
        ((photo, "snow", "--keep", folder / "empty.png"), "selects no pixel"),
        ((photo, "snow; keep the house", "--map", folder / "house-mask.png"), "no names"),
        ((photo, "snow", "--out", folder / "file" / "a.png"), "nothing can be written"),
        ((photo, "--how", "mix", "--like", folder / "nobody.png"), "nobody.png"),
    ):  # fmt: skip
        code, _, error = call("edit", *words, *never)
        assert code == 2
        assert says in error, (says, error)
        assert "never-loaded" not in error


def test_a_map_is_said_by_its_name_and_remembered(call: Call, folder: Path, seeing_model: Path):
    out, asked, lines = folder / "a.png", ("--how", "variation", "--model", seeing_model), folder / "lines.png"
    code, _, error = call("edit", folder / "photo.png", *asked, "--said", f"outline={lines}", "--out", out)
    assert code == 0, error
    record = json.loads(Image.open(out).info["lienzo"])
    assert str(lines) in record["files"]
    code, output, _ = call("reproduce", out)
    assert code == 0
    assert "the same, in every pixel" in output
    call("edit", folder / "photo.png", *asked, "--out", folder / "b.png")
    assert (np.asarray(Image.open(out)) != np.asarray(Image.open(folder / "b.png"))).any()
    code, _, error = call("edit", folder / "photo.png", *asked, "--said", f"colour={lines}")
    assert code == 2
    assert "no condition 'colour'" in error
