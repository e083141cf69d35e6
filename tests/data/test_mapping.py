"""Maps of a user's pictures: where they are written, what the table says, and what is never overwritten."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from lienzo.core import ConfigurationError, DataError
from lienzo.data import open_source
from lienzo.data.mapping import MODELS, edge_map, line_art, make_maps

LINES = {"lines": ("edges", edge_map)}


def square(path, grey):
    pixels = np.full((48, 64, 3), 30, np.uint8)
    pixels[12:36, 16:48] = grey
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        square(tmp_path / ("cats" if number % 2 else "dogs") / f"{number}.png", 120 + 20 * number)
    return tmp_path


def test_training_reads_what_was_made(folder, tmp_path):
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    made = make_maps(folder, LINES, size=32)
    assert made.pictures == 6
    assert {path: path.read_bytes() for path in before} == before
    dataset = open_source(folder, size=32, cache=tmp_path / ".cache", split="all", progress=False)
    assert len(dataset) == 6
    assert dataset.columns["lines"].map_kind == "edges"
    assert dataset.columns["label"].classes == ("cats", "dogs")  # a table would else hide the folders' names
    for lines in dataset.values("lines", range(6)):
        assert 0.02 < (lines > 128).mean() < 0.3
        assert (lines[13:19, 8:24] < 128).all()


def test_nothing_is_overwritten_without_again(folder):
    make_maps(folder, LINES, size=32)
    first = folder / "maps" / "lines" / "cats" / "1.png.png"
    first.write_bytes(b"mine")
    with pytest.raises(DataError, match="there already"):
        make_maps(folder, LINES, size=32)
    assert first.read_bytes() == b"mine"
    make_maps(folder, {"depth": ("grey", lambda image: image.convert("L"))}, size=32)  # one more kind joins the table
    row = json.loads((folder / "metadata.jsonl").read_text("utf-8").splitlines()[0])
    assert set(row) == {"file_name", "label", "lines_file_name", "depth_file_name"}
    make_maps(folder, LINES, size=32, again=True)
    assert first.read_bytes() != b"mine"


def test_a_users_table_is_kept_with_all_it_says(folder):
    table = folder / "metadata.jsonl"
    table.write_text(json.dumps({"file_name": "cats/1.png", "text": "a cat", "year": 1999}) + "\n", "utf-8")
    with pytest.raises(DataError, match=r"metadata\.jsonl"):
        make_maps(folder, LINES, size=32)
    make_maps(folder, LINES, size=32, again=True)
    rows = {row["file_name"]: row for row in map(json.loads, table.read_text("utf-8").splitlines())}
    assert rows["cats/1.png"] == {"file_name": "cats/1.png", "text": "a cat", "year": 1999,
                                  "lines_file_name": "maps/lines/cats/1.png.png"}  # fmt: skip
    assert len(rows) == 6
    assert "1999" in (folder / "metadata.jsonl.before").read_text("utf-8")


def test_what_was_interrupted_goes_on(folder):
    seen = []

    def maker(image):
        seen.append(image.size)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return image.convert("L")

    with pytest.raises(KeyboardInterrupt):
        make_maps(folder, {"depth": ("grey", maker)}, size=32)
    assert not (folder / "metadata.jsonl").exists()
    assert len(open_source(folder, cache=folder / ".cache", split="all", progress=False)) == 6  # no map among them
    make_maps(folder, {"depth": ("grey", maker)}, size=32)
    assert len(seen) == 7  # three were there
    assert seen[0] == (43, 32)


def test_a_damaged_picture_is_named_and_has_no_map(folder):
    (folder / "cats" / "bad.png").write_bytes(b"no picture")
    made = make_maps(folder, LINES, size=32)
    assert list(made.unread) == ["cats/bad.png"]
    assert made.pictures == 6


def test_what_is_missing_is_said_in_a_sentence(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no picture"):
        make_maps(tmp_path, LINES)
    monkeypatch.setitem(sys.modules, "transformers", None)
    for maker in MODELS.values():
        with pytest.raises(ConfigurationError, match="transformers") as error:
            maker("model")
        assert "pip install" in str(error.value.hint)


@pytest.mark.parametrize("draw", [edge_map, line_art])
def test_lines_of_a_disc_are_its_outline(draw):
    y, x = np.mgrid[:96, :96] - 48
    away = np.hypot(x, y)
    image = Image.fromarray(np.where(away < 30, 200, 60).astype(np.uint8)).convert("RGB")
    lines = np.asarray(draw(image)) > 127
    assert np.abs(away[lines] - 30).max() < 3
    angles = np.histogram(np.arctan2(y, x)[lines], bins=36)[0]
    assert (angles > 0).all()
    assert not np.asarray(draw(Image.new("RGB", (20, 20), "grey"))).any()


def test_a_stroke_is_one_line_in_line_art_and_two_edges():
    stroke = np.full((40, 40, 3), 255, np.uint8)
    stroke[:, 19:22] = 0
    across = [(np.asarray(draw(Image.fromarray(stroke)))[20] > 127).astype(int) for draw in (line_art, edge_map)]
    assert [int((np.diff(row) == 1).sum()) for row in across] == [1, 2]


def test_a_table_beside_the_pictures_that_would_hide_ours_is_refused(folder):
    first, later = folder / "cats" / "metadata.csv", folder / "zoo" / "metadata.csv"
    first.write_text("file_name,text\n1.png,a cat\n", "utf-8")
    square(folder / "zoo" / "9.png", 200)
    later.write_text("file_name,text\n9.png,a bear\n", "utf-8")
    with pytest.raises(DataError, match=r"zoo.*would hide"):
        make_maps(folder, LINES, size=32)
    later.unlink()
    make_maps(folder, LINES, size=32)
    dataset = open_source(folder, size=32, cache=folder / ".cache", split="all", progress=False)
    assert all(lines is not None for lines in dataset.values("lines", range(7)))  # whose table is read first
    assert ["a cat"] in dataset.values("text", range(7))


def test_no_copy_of_a_users_table_is_written_over(folder):
    table = folder / "metadata.jsonl"
    for year in (1999, 2001):
        table.write_text(json.dumps({"file_name": "cats/1.png", "year": year}) + "\n", "utf-8")
        for _ in range(2):  # the second time the table is ours, and no copy is needed
            make_maps(folder, LINES, size=32, again=True)
    copies = sorted(folder.glob("metadata.jsonl.before*"))
    assert [json.loads(copy.read_text("utf-8"))["year"] for copy in copies] == [1999, 2001]


def test_a_transparent_picture_lies_on_white_and_a_map_names_its_classes(tmp_path):
    cut = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    cut.paste((90, 90, 90, 255), (8, 8, 24, 24))
    cut.save(tmp_path / "a.png")

    def maker(image):
        made = image.convert("L")
        made.info["names"] = '{"1": "house"}'
        return made

    make_maps(tmp_path, {"segmentation": ("grey", maker)}, size=32)
    with Image.open(tmp_path / "maps" / "segmentation" / "a.png.png") as made:
        assert made.getpixel((0, 0)) == 255
        assert json.loads(made.info["names"]) == {"1": "house"}
