from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)).save(tmp_path / "house.png")
    mask = Image.new("L", (20, 20))
    mask.paste(255, (0, 0, 10, 20))
    mask.save(tmp_path / "left.png")
    return tmp_path / "house.png"


def test_an_edit_with_its_files_and_the_way_back(call: Call, house: Path, fake_model: Path):
    before = house.read_bytes()
    keep = house.with_name("left.png")
    code, output, error = call("edit", house, "snow", "--keep", keep, "--model", fake_model)
    assert code == 0, error
    assert "kept 50%: changed by 0 on average, 0 at most" in output
    assert house.read_bytes() == before
    names = {path.name for path in house.parent.iterdir()}
    assert names == {"house.png", "left.png", "house-edit.png", "house-edit-sheet.png", "house-edit-mask.png"}
    code, output, _ = call("reproduce", house.with_name("house-edit.png"))
    assert code == 0
    assert "the same, in every pixel" in output


def test_json_for_programs(call: Call, house: Path, fake_model: Path):
    out = house.with_name("a.png")
    code, output, _ = call(
        "edit", house, "--how", "variation", "--count", 2, "--json", "--out", out, "--model", fake_model
    )
    told = json.loads(output)
    assert code == 0
    assert [Path(file).name for file in told["files"]] == ["a-0.png", "a-1.png"]
    assert told["how"] == "variation"
    assert told["changes"][0]["kept_largest"] is None


def test_the_original_is_never_written_over_unless_asked(call: Call, house: Path, fake_model: Path):
    before = house.read_bytes()
    code, _, error = call("edit", house, "snow", "--out", house, "--model", fake_model)
    assert code == 2
    assert "is the picture itself" in error
    assert house.read_bytes() == before
    code, _, _ = call("edit", house, "snow", "--out", house, "--overwrite", "--model", fake_model)
    assert code == 0
    assert house.read_bytes() != before
    code, _, error = call("edit", house, "snow", "--out", house.with_suffix(".jpg"), "--model", fake_model)
    assert code == 2
    assert "written as PNG" in error


def test_the_ways_are_listed(call: Call):
    code, output, _ = call("edit", "--hows")
    assert code == 0
    assert "lienzo edit house.png --how variation" in output
