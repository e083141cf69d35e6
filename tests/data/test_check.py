"""A check reads everything, never stops, and gives every bad file its reason."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lienzo.data import check, open_source
from lienzo.data.alike import groups_of, near_pairs
from lienzo.data.decode import decode
from lienzo.data.pixels import Ask
from lienzo.data.workers import Worker

MAKE = Path(__file__).parents[2] / "benchmarks" / "damaged" / "make.py"


@pytest.fixture(scope="module")
def damaged():
    if not MAKE.exists():
        pytest.skip("the benchmarks are not here")
    spec = importlib.util.spec_from_file_location("damaged_make", MAKE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["damaged_make"] = module
    spec.loader.exec_module(module)
    return module


def test_two_hundred_damaged_pictures(damaged, tmp_path):
    expected = damaged.make(tmp_path / "set", count=200)
    report = check(tmp_path / "set")
    bad = {entry.file: entry.reason for entry in report.bad}
    notes = {entry.file: entry.notes for entry in report.converted}
    assert report.usable + len(bad) == 200
    assert set(bad) == {name for name, (verdict, _) in expected.items() if verdict == "bad"}
    for name, (verdict, reason) in expected.items():
        assert verdict != "bad" or (bad[name] and reason in ("", bad[name])), name
        assert verdict != "converted" or reason in notes[name], name
        assert verdict != "fine" or name not in notes, name
    assert not {"too slow", "crashed the decoder"} & set(bad.values())
    assert report.seconds < 120
    dataset = open_source(tmp_path / "set", split="all", cache=tmp_path / "cache", max_bad_share=0.9, progress=False)
    assert len(dataset) == report.usable
    listed = [json.loads(line) for line in dataset.quarantine.read_text().splitlines()]
    assert {entry["file"]: entry["reason"] for entry in listed} == bad
    assert len(list((tmp_path / "set").iterdir())) == 200


def test_the_report_as_text_and_as_json(make):
    folder = make.folder(["train/cat/a.png", "train/cat/b.png", "train/dog/c.png", "test/dog/d.png"])
    (folder / "train" / "dog" / "[bold]e.png").write_bytes(b"nothing")
    (folder / "notes.md").write_text("by hand")
    report = check(folder)
    content = json.loads(report.to_json())
    assert content["classes"] == {"label": {"cat": 2, "dog": 2}}
    assert content["splits"] == {"train": 3, "test": 1}
    assert content["ignored"] == ["notes.md"]
    assert content["bad"] == [
        {"file": "train/dog/[bold]e.png", "reason": "not an image", "detail": "no known format begins like this"}
    ]
    assert content["ok"] is False
    assert content["sizes"]["smallest"] == [20, 16]
    assert content["sizes"]["below 64 px"] == 4
    text = report.text()
    assert "train/dog/[bold]e.png" in text
    assert "not an image" in text
    assert "label (2 classes)" in text


def test_captions_are_counted(make):
    folder = make.folder(["a.png", "b.png", "c.png", "d.png"])
    for name, text in (("a", "a red dog"), ("b", "A Dog!"), ("c", "perro")):
        (folder / f"{name}.txt").write_text(text)
    (folder / "d.txt").write_bytes(b"caf\xe9 \xff\xfe")
    report = check(folder)
    said = report.captions
    assert (said.with_text, said.distinct, said.vocabulary, said.most_words) == (3, 3, 4, 3)
    assert said.common[0] in (("a", 2), ("dog", 2))
    assert [(entry.file, entry.reason) for entry in report.bad] == [("d.png", "unreadable caption")]


def test_metadata_that_does_not_fit(make):
    folder = make.folder(["a.png"])
    rows = [{"file_name": "a.png", "text": "fine"}, {"file_name": "gone.png", "text": "nobody"}, "{", {"text": "x"}]
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    report = check(folder)
    assert report.usable == 1
    assert {entry.file: entry.reason for entry in report.bad} == {
        "metadata.jsonl:2 → gone.png": "label without image",
        "metadata.jsonl:3": "unreadable metadata",
        "metadata.jsonl:4": "unreadable metadata",
    }


def test_an_empty_class_is_a_label_without_an_image(make):
    folder = make.folder(["cat/a.png", "dog/b.png"])
    (folder / "fox").mkdir()
    assert [(entry.file, entry.reason) for entry in check(folder).bad] == [("fox/", "label without image")]


def test_duplicates_and_leaks(make):
    folder = make.folder([f"train/{n}.png" for n in range(6)])
    (folder / "test").mkdir()
    make.picture(0, (200, 160)).save(folder / "train" / "large.png")
    make.picture(0, (200, 160)).save(folder / "test" / "same.bmp")
    make.picture(0, (200, 160)).save(folder / "test" / "near.jpg", quality=80)
    report = check(folder)
    assert report.same == (("test/same.bmp", "train/large.png"),)
    leaks = {(leak.first, leak.second, leak.how) for leak in report.leaks}
    assert ("test/same.bmp", "train/large.png", "same") in leaks
    assert ("test/near.jpg", "train/0.png", "near") in leaks
    assert not any({leak.first, leak.second} & {f"train/{n}.png" for n in range(1, 6)} for leak in report.leaks)
    assert not report.ok


def test_tables_and_tars_are_checked_too(make):
    report = check(make.tars(2, 5, bad=1))
    assert (report.usable, len(report.bad)) == (8, 2)
    assert report.bad[0].file == "train-000.tar/00000"
    tar = make.path / "train-001.tar"
    tar.write_bytes(tar.read_bytes()[:9000])
    assert "unreadable tar" in {entry.reason for entry in check(tar).bad} or check(tar).usable < 4
    (make.path / "not.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(Exception, match="not a Parquet file"):
        check(make.path / "not.parquet")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_dead_links_do_not_stop_anything(make):
    folder = make.folder(["a.png"])
    os.mkfifo(folder / "pipe.png")
    (folder / "dead.png").symlink_to(folder / "nowhere.png")
    (folder / "loop").symlink_to(folder)
    report = check(folder)
    assert {entry.file: entry.reason for entry in report.bad} == {
        "pipe.png": "not a file", "dead.png": "cannot be opened"
    }  # fmt: skip
    dataset = open_source(folder, split="all", cache=make.path / "c", max_bad_share=0.9, progress=False)
    assert len(dataset) == 1


def test_a_picture_that_takes_too_long(make):
    worker = Worker(seconds=0.001)
    try:
        assert worker.decode(make.encoded(make.picture(0, (2000, 2000))), Ask(8)).reason == "too slow"
        worker.seconds = 60
        assert worker.decode(make.encoded(make.picture(0)), Ask(8)).pixels.shape == (8, 8, 3)
    finally:
        worker.close()


def test_a_decoder_that_crashes(make):
    worker = Worker(seconds=60)
    worker._process = subprocess.Popen(
        [sys.executable, "-c", "import sys, os; sys.stdin.buffer.read(9); os.abort()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert worker.decode(make.encoded(make.picture(0)), Ask(8)).reason == "crashed the decoder"
        assert worker.decode(make.encoded(make.picture(0)), Ask(8)).reason == ""
    finally:
        worker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is bounded on Linux alone")
def test_a_picture_that_would_fill_the_memory(make):
    worker = Worker(seconds=60)
    try:
        assert worker.decode(make.encoded(make.picture(0)), Ask(100_000)).reason == "out of memory"
        assert worker.decode(make.encoded(make.picture(0)), Ask(8)).reason == ""
    finally:
        worker.close()


def test_depths_keep_their_values(make):
    sixteen = Image.fromarray(np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16))
    found = decode(make.encoded(sixteen), Ask(16))
    assert found.notes == ("16-bit",)
    assert (found.pixels[..., 0].ravel() == np.arange(256)).all()


def test_a_turned_picture_is_set_upright(make):
    exif = Image.Exif()
    exif[0x0112] = 6
    flat = Image.new("RGB", (40, 20), "white")
    flat.paste("black", (0, 0, 20, 20))  # the left half, which turning by 90° to the right puts on top
    pixels = decode(make.encoded(flat, "JPEG", exif=exif, quality=95), Ask(8, "squash")).pixels
    assert pixels[:3].max() < 60
    assert pixels[5:].min() > 200


def test_the_same_picture_in_two_formats_has_one_content(make):
    picture = make.picture(3)
    files = make.encoded(picture, "BMP"), make.encoded(picture.convert("RGBA"), "PNG")
    one, other = (decode(file, Ask(8)) for file in files)
    assert one.content == other.content
    assert one.content != decode(make.encoded(make.picture(4)), Ask(8)).content


def test_near_pictures_are_found_among_many(make):
    pictures = [make.picture(n, (64, 64)) for n in range(300)]
    touched = [make.encoded(p.resize((50, 50)), "JPEG", quality=85) for p in pictures[:20]]
    found = [decode(data, Ask(8)) for data in [*map(make.encoded, pictures), *touched]]
    looks = np.array([f.look for f in found], np.uint64)
    thumbs = np.frombuffer(b"".join(f.thumb for f in found), np.uint8).reshape(-1, 192)
    pairs = {tuple(pair) for pair in near_pairs(looks, thumbs).tolist()}
    expected = {(n, 300 + n) for n in range(20)}
    assert len(pairs & expected) >= 18
    assert not pairs - expected
    groups = groups_of([f.content for f in found], looks, thumbs)
    assert sum(groups[n] == groups[300 + n] for n in range(20)) >= 18


def test_a_uniform_set_is_not_one_group():
    """Pictures that all look alike are not copies of one another: a split must still be possible."""
    contents = [f"{n}" for n in range(1000)]
    groups = groups_of(contents, np.zeros(1000, np.uint64), np.zeros((1000, 192), np.uint8))
    assert len(set(groups)) == 1000
