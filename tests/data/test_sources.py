"""Folders, metadata, tables and tars become the datasets that they describe."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lienzo.core import DataError
from lienzo.data import open_source


def opened(spec, cache, **options):
    return open_source(spec, cache=cache, progress=False, **{"size": 8, "split": "all"} | options)


def all_of(dataset, column):
    return dataset.values(column, range(len(dataset)))


def test_subfolders_are_labels(make, cache):
    folder = make.folder(["cat/a.png", "cat/b.png", "dog/c.jpg", "dog/big/d.png"])
    dataset = opened(folder, cache)
    assert dataset.shape == (8, 8, 3)
    assert dataset.columns["label"].classes == ("cat", "dog", "dog/big")
    assert all_of(dataset, "label") == ["cat", "cat", "dog/big", "dog"]
    expected = np.asarray(make.picture(0).resize((8, 8), Image.Resampling.LANCZOS, (2, 0, 18, 16), reducing_gap=3.0))
    assert (dataset.pictures([0])[0] == expected).all()


def test_split_folders_are_splits_and_not_labels(make, cache):
    folder = make.folder(["train/cat/a.png", "train/dog/b.png", "val/cat/c.png", "test/dog/d.png"])
    assert [len(opened(folder, cache, split=s)) for s in ("train", "validation", "test", "all")] == [2, 1, 1, 4]
    assert opened(folder, cache).columns["label"].classes == ("cat", "dog")
    assert all_of(opened(folder, cache, split="test"), "label") == ["dog"]


def test_a_class_called_test_is_a_class(make, cache):
    folder = make.folder(["test/a.png", "other/b.png"])
    assert opened(folder, cache).columns["label"].classes == ("other", "test")


ROWS = [
    {"file_name": "a.png", "text": "a red ball", "shape": "ball", "mask_file_name": "masks/a.png"},
    {"file_name": "b.png", "text": "una caja", "shape": "box", "mask_file_name": "masks/b.png"},
    {"file_name": "c.png", "text": "a blue ball", "shape": "ball", "mask_file_name": None},
]


def jsonl(file):
    file.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def csv(file):
    lines = [",".join(ROWS[0]), *(",".join(str(v) if v else "" for v in row.values()) for row in ROWS)]
    file.with_suffix(".csv").write_text("\n".join(lines) + "\n")


def parquet(file):
    pq.write_table(pa.Table.from_pylist(ROWS), file.with_suffix(".parquet"))


@pytest.mark.parametrize("write", [jsonl, csv, parquet])
def test_metadata_gives_text_labels_and_maps(make, cache, write):
    folder = make.folder(["a.png", "b.png", "c.png"])
    (folder / "masks").mkdir()
    for name in ("a", "b"):
        mask = Image.new("L", (20, 16))
        mask.paste(255, (0, 0, 10, 16))
        mask.save(folder / "masks" / f"{name}.png")
    write(folder / "metadata")
    dataset = opened(folder, cache)
    assert len(dataset) == 3  # masks are no pictures of their own
    assert {name: c.kind for name, c in dataset.columns.items()} == {"shape": "label", "text": "text", "mask": "map"}
    assert all_of(dataset, "text") == [["a red ball"], ["una caja"], ["a blue ball"]]
    assert all_of(dataset, "shape") == ["ball", "box", "ball"]
    masks = all_of(dataset, "mask")
    assert masks[2] is None
    assert masks[0].shape == (8, 8, 1)
    assert masks[0][0, :, 0].tolist() == [255] * 4 + [0] * 4


def test_a_text_file_beside_a_picture_is_its_caption(make, cache):
    folder = make.folder(["a.png", "b.png"])
    (folder / "a.txt").write_text("un perro\n", encoding="utf-8")
    assert all_of(opened(folder, cache), "text") == [["un perro"], None]


def table(make, **columns):
    pictures = [{"bytes": make.encoded(make.picture(n)), "path": None} for n in range(4)]
    return pa.table({"image": pictures, **columns})


def test_a_table_of_structs_with_class_names(make, cache):
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    written = table(make, label=[0, 1, 1, 0], caption=["a", "b", "c", "d"], split=["train", "train", "test", "train"])
    written = written.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(written, make.path / "t.parquet")
    dataset = opened(make.path / "t.parquet", cache)
    assert all_of(dataset, "label") == ["cat", "dog", "dog", "cat"]
    assert all_of(dataset, "text") == [["a"], ["b"], ["c"], ["d"]]
    assert len(opened(make.path / "t.parquet", cache, split="test")) == 1


def test_a_table_of_bytes_with_a_segmentation(make, cache):
    classes = Image.fromarray(np.arange(3, dtype=np.uint8).repeat(12).reshape(6, 6))
    rows = {"img": [make.encoded(make.picture(n)) for n in range(2)], "segmentation": [make.encoded(classes), None]}
    pq.write_table(pa.table(rows), make.path / "t.parquet")
    dataset = opened(make.path / "t.parquet", cache)
    column = dataset.columns["segmentation"]
    assert (column.map_kind, column.channels) == ("segmentation", 3)
    first, second = all_of(dataset, "segmentation")
    assert second is None
    assert set(np.unique(first)) == {0, 1, 2}


def test_a_folder_of_tables_splits_by_their_names(make, cache):
    (make.path / "d").mkdir()
    for name in ("train-00000-of-00001", "test-00000-of-00001"):
        pq.write_table(table(make), make.path / "d" / f"{name}.parquet")
    assert len(opened(make.path / "d", cache, split="test")) == 4
    assert len(opened(make.path / "d", cache)) == 8


def test_a_table_cannot_name_files_elsewhere(make, cache):
    secret = make.folder(["secret.png"], under="elsewhere")
    (make.path / "d").mkdir()
    good = {"bytes": make.encoded(make.picture(1)), "path": ""}
    bad = {"bytes": None, "path": str(secret / "secret.png")}
    pq.write_table(pa.table({"image": [bad, good]}), make.path / "d" / "t.parquet")
    assert len(opened(make.path / "d" / "t.parquet", cache, max_bad_share=0.6)) == 1


def test_tars_are_read_once_into_the_cache(make, cache):
    dataset = opened(make.tars(3, 4), cache)
    assert len(dataset) == 12
    assert dataset.columns["label"].classes == ("c0", "c1", "c2")
    assert all_of(dataset, "text")[5] == ["n 5"]


def test_a_set_of_the_hub(make, cache, monkeypatch):
    """With a library that looks like `datasets`: the real one needs a network."""
    import sys
    import types

    class Image:
        def __init__(self, decode=True):
            self.decode = decode

    class Rows(list):
        _fingerprint = "f"

        @property
        def features(self):
            return {"image": Image(), "label": types.SimpleNamespace(names=["cat", "dog"]), "text": object()}

        def cast_column(self, name, feature):
            assert not feature.decode
            return self

    cells = [{"bytes": make.encoded(make.picture(n)), "path": None} for n in range(3)]
    rows = Rows({"image": cell, "label": n % 2, "text": f"t{n}"} for n, cell in enumerate(cells))
    asked = []
    library = types.ModuleType("datasets")
    library.Image = Image
    library.load_dataset = lambda *names: asked.append(names) or {"train": rows, "test": Rows(rows[:1])}
    monkeypatch.setitem(sys.modules, "datasets", library)
    dataset = opened("hub:owner/name/small", cache)
    assert asked == [("owner/name", "small")]
    assert all_of(dataset, "label") == ["cat", "dog", "cat", "cat"]
    assert len(opened("hub:owner/name", cache, split="test")) == 1


def test_where_chooses_by_label(make, cache):
    folder = make.folder(["cat/a.png", "cat/b.png", "dog/c.png", "fox/d.png"])
    assert set(all_of(opened(folder, cache, where={"label": ["cat", "fox"]}), "label")) == {"cat", "fox"}
    with pytest.raises(DataError, match=r"no class 'dgo'.*\n.*dog"):
        opened(folder, cache, where={"label": "dgo"})
    with pytest.raises(DataError, match=r"no label 'lable'.*\n.*label"):
        opened(folder, cache, where={"lable": "dog"})


def test_transparency_is_kept_and_laid_on_white_in_grey(make, cache):
    folder = make.folder(["a.png"])
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(folder / "b.png")
    colour, grey = opened(folder, cache), opened(folder, cache, channels=1)
    assert colour.shape == (8, 8, 4)
    assert colour.columns["background"].classes == ("white", "dark", "colour")
    assert colour.pictures([0])[..., 3].min() == 255
    assert colour.pictures([1])[..., 3].max() == 0
    assert grey.shape == (8, 8, 1)
    assert grey.pictures([1]).min() == 255


@pytest.mark.parametrize(
    ("policy", "row"), [("crop", [200] * 8), ("pad", [200] * 8), ("squash", [0] * 2 + [200] * 4 + [0] * 2)]
)
def test_policies(make, cache, policy, row):
    picture = Image.new("L", (32, 16), 0)
    picture.paste(200, (8, 0, 24, 16))
    (make.path / "set").mkdir()
    picture.save(make.path / "set" / "a.png")
    pixels = opened(make.path / "set", cache, policy=policy, channels=1).pictures([0])[0, :, :, 0].astype(int)
    if policy == "pad":
        assert (pixels[[0, 1, 6, 7]] == 255).all()
        row = [0] * 2 + [200] * 4 + [0] * 2
    assert np.abs(pixels[4] - row).max() < 30  # Lanczos overshoots at an edge


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("emojy", "did you mean emoji"),
        ("nothing/of/the/kind", "one of: emoji, openmoji-maps, emoji-poses, fashion-mnist"),
        ("missing-{000..002}.tar", "no such shard: missing-000.tar"),
    ],
)
def test_what_does_not_exist(spec, said):
    with pytest.raises(DataError, match=r".*") as caught:
        open_source(spec)
    assert said in str(caught.value)


def test_a_name_that_comes_near_is_suggested(make):
    folder = make.folder(["a.png"], under="pictures")
    with pytest.raises(DataError, match=r"did you mean .*pictures"):
        open_source(folder.with_name("picturs"))


@pytest.mark.parametrize("wrong", [{"size": 0}, {"channels": 4}, {"policy": "stretch"}, {"split": "tset"}])
def test_wrong_arguments_are_named(make, cache, wrong):
    folder = make.folder(["a.png"])
    with pytest.raises(DataError, match=r"\n  try: "):
        opened(folder, cache, **wrong)


def test_a_folder_without_pictures(tmp_path, cache):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture that can be used"):
        opened(tmp_path / "empty", cache)


def test_a_validation_split_is_made_by_content(make, cache):
    names = [f"{n:03}.png" for n in range(120)]
    folder = make.folder(names)
    make.folder([f"copy-{n:03}.png" for n in range(120)])  # the same pictures again
    parts = [opened(folder, cache, split=s) for s in ("train", "validation")]
    assert 2 <= len(parts[1]) <= 30
    assert len(parts[0]) + len(parts[1]) == 240
    contents = [{picture.tobytes() for picture in part.pictures(range(len(part)))} for part in parts]
    assert not contents[0] & contents[1]  # no copy on the other side
    assert len(opened(folder, cache, split="train+validation")) == 240
    assert parts[0].fingerprint != parts[1].fingerprint


def test_a_small_set_has_a_validation_picture_too(make, cache):
    folder = make.folder(["a.png", "b.png", "c.png"])
    assert [len(opened(folder, cache, split=s)) for s in ("train", "validation")] == [2, 1]
    with pytest.raises(DataError, match=r"no picture in the split 'test'.*\n.*train, validation"):
        opened(folder, cache, split="test")
