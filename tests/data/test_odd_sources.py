"""Sources as people really have them: odd names, spreadsheets of many countries, gaps, few pictures."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lienzo.core import DataError
from lienzo.data import open_source
from lienzo.data.alike import place_of
from lienzo.data.splits import rows_of
from lienzo.data.workers import Worker


def opened(spec, cache, **options):
    return open_source(spec, cache=cache, progress=False, **{"size": 8, "split": "all"} | options)


def all_of(dataset, column):
    return dataset.values(column, range(len(dataset)))


def test_a_class_called_train_beside_others_is_a_class(make, cache):
    folder = make.folder(["train/a.png", "car/b.png", "car/c.png"])
    assert opened(folder, cache).columns["label"].classes == ("car", "train")


def test_a_name_that_is_no_utf8(make, cache):
    folder = make.folder(["cat/a.png", "dog/b.png"])
    odd = os.fsdecode(b"ni\xf1o.png")
    (folder / "cat" / "a.png").rename(folder / "cat" / odd)
    (folder / "dog" / os.fsdecode(b"\xf1.png")).write_bytes(b"no picture")
    dataset = opened(folder, cache, max_bad_share=0.5)
    assert len(dataset) == 2
    assert json.loads(dataset.quarantine.read_text("utf-8"))["file"] == "dog/\ufffd.png"


def test_metadata_as_people_write_them(make, cache):
    """Semicolons, Windows separators, accents as macOS spells them, line separators within a text."""
    folder = make.folder(["img/cafe\u0301.png", "b.png"])
    rows = ["file_name;text", "img\\caf\u00e9.png;a cup, hot", "b.png;a tree"]
    (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")
    assert all_of(opened(folder, cache), "text") == [["a tree"], ["a cup, hot"]]
    (folder / "metadata.csv").unlink()
    lines = [{"file_name": "b.png", "text": "a\u2028b"}, {"file_name": "img/caf\u00e9.png", "text": "c"}]
    (folder / "metadata.jsonl").write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")
    dataset = opened(folder, cache)
    assert all_of(dataset, "text") == [["a\u2028b"], ["c"]]
    assert not dataset.quarantine.read_text()


def test_a_gap_in_a_label_column_is_unsaid(make, cache):
    folder = make.folder(["a.png", "b.png", "c.png"])
    rows = [{"file_name": f"{name}.png", "kind": kind} for name, kind in zip("abc", (1, float("nan"), 2), strict=True)]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert all_of(opened(folder, cache), "kind") == ["1", None, "2"]


def test_metadata_cannot_name_maps_elsewhere(make, cache):
    secret = make.folder(["secret.png"], under="elsewhere")
    folder = make.folder(["a.png", "b.png"])
    rows = [{"file_name": "a.png", "edges_file_name": str(secret / "secret.png")}, {"file_name": "../elsewhere/x.png"}]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    dataset = opened(folder, cache, max_bad_share=0.5)
    assert len(dataset) == 2
    assert "edges" not in dataset.columns
    reasons = [json.loads(line)["reason"] for line in dataset.quarantine.read_text().splitlines()]
    assert sorted(reasons) == ["label without image", "outside the folder"]


def test_pictures_that_a_table_names_are_part_of_its_key(make, cache):
    folder = make.folder(["1.png", "2.png"])
    cells = [{"bytes": None, "path": "1.png"}, {"bytes": make.encoded(make.picture(5)), "path": "2.png"}]
    pq.write_table(pa.table({"image": cells}), make.path / "set" / "t.parquet")
    before = opened(folder / "t.parquet", cache).pictures([0])
    make.picture(9).save(folder / "1.png")
    assert (opened(folder / "t.parquet", cache).pictures([0]) != before).any()


def test_a_segmentation_in_black_and_white_is_warned_of(make, cache, caplog):
    black = Image.new("L", (20, 16))
    black.paste(255, (0, 0, 9, 9))
    rows = {"img": [make.encoded(make.picture(1))], "segmentation": [make.encoded(black)]}
    pq.write_table(pa.table(rows), make.path / "t.parquet")
    opened(make.path / "t.parquet", cache)
    assert "has 2 values, the largest 255" in caplog.text


def test_a_tar_whose_name_has_brackets(make, cache):
    make.tars(1, 3)
    (make.path / "train-000.tar").rename(make.path / "a [1].tar")
    assert len(opened(make.path / "a [1].tar", cache)) == 3


@pytest.mark.parametrize(("name", "hint"), [("a.zip", "unpack it first"), ("a.jpg", "the folder that it lies")])
def test_a_file_that_is_no_set(tmp_path, name, hint):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=hint):
        open_source(tmp_path / name)


def test_the_home_of_nobody():
    with pytest.raises(DataError, match="knows no such user"):
        open_source("~nobody-of-this-name/photos")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_some_group_always_stays_in_training(count):
    low = [name for name in map(str, range(2000)) if place_of(name) < 0.05][:count]  # all would be held out
    assert len(low) == count
    assert len(rows_of("train", [""] * count, low, "set")) >= 1


def test_reading_says_how_far_it_is(make, cache, capsys, monkeypatch):
    monkeypatch.setattr("lienzo.data.telling.EVERY", 0.0)
    folder = make.folder(["a.png", "b.png"])
    open_source(folder, size=8, cache=cache)
    assert f"reading {folder}: 2\n" in capsys.readouterr().err


def test_a_damaged_table_among_others_is_reported(make, cache):
    (make.path / "set").mkdir()
    cells = [{"bytes": make.encoded(make.picture(n)), "path": None} for n in range(3)]
    pq.write_table(pa.table({"image": cells}), make.path / "set" / "a.parquet")
    (make.path / "set" / "b.parquet").write_bytes(b"PAR1 no table PAR1")
    dataset = opened(make.path / "set", cache, max_bad_share=0.5)
    assert len(dataset) == 3
    assert "unreadable table" in dataset.quarantine.read_text()


def test_a_process_is_ended_once_by_two(monkeypatch):
    """The thread that decodes meets the end of its process while the closer is waiting for it."""
    worker = Worker()

    class Process:
        def kill(self):
            pass

        def communicate(self):
            worker.close()

    worker._process = Process()
    worker.close()
    assert worker._process is None
