"""The sets that come with the package, and Fashion-MNIST from wherever it is."""

import gzip
import io
import struct
import sys
import time
import types

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.core import DataError
from lienzo.data import Loader, candidates, compressed, fashion, open_source, sheet, sources


@pytest.fixture
def emoji():
    return open_source("emoji", split="all")


def test_emoji_open_in_less_than_a_second():
    import pyarrow.parquet  # noqa: F401 - its import is not the set's

    start = time.perf_counter()
    dataset = open_source("emoji")
    assert time.perf_counter() - start < 1
    assert len(dataset) > 5000
    assert dataset.shape == (64, 64, 4)
    assert dataset.licence == "Apache-2.0 AND CC-BY-4.0 AND MIT"


def test_emoji_say_what_they_are(emoji):
    columns = emoji.columns
    assert columns["style"].classes == ("fluent-3d", "fluent-flat", "noto", "noto-blob", "twemoji")
    assert {name for name, column in columns.items() if column.kind == "label"} >= {"group", "subgroup", "gender"}
    assert columns["text"].kind == "text"
    cat = next(i for i, texts in enumerate(emoji.values("text", range(len(emoji)))) if texts[0] == "cat")
    texts = emoji.values("text", [cat])[0]
    assert texts.count("cat") > len(texts) / 3
    assert "gato" in texts
    assert any(text.startswith("cat, ") for text in texts)


def test_no_emoji_is_in_two_splits(emoji):
    parts = [open_source("emoji", split=name) for name in ("train", "validation", "test")]
    said = [set(map(str, part.values("text", range(len(part))))) for part in parts]
    assert not said[0] & said[1]
    assert not said[0] & said[2]
    assert not said[1] & said[2]


def test_emoji_are_chosen_by_style_and_tone(emoji):
    noto = open_source("emoji", where={"style": ["noto"]})
    assert set(noto.values("style", range(len(noto)))) == {"noto"}
    assert noto.licence == "Apache-2.0"
    assert set(emoji.values("skin_tone", range(len(emoji)))) == {None}
    toned = open_source("emoji", where={"skin_tone": ["", *emoji.columns["skin_tone"].classes]})
    assert len(toned) > len(open_source("emoji"))


def test_emoji_are_decoded_as_they_were_stored_and_once(emoji):
    first, again = emoji.pictures([7, 3, 7]), emoji.pictures([7, 3, 7])
    assert (first == again).all()
    assert (first[0] == first[2]).all()
    data = emoji.table.planes._encoded[int(emoji.rows[7])]
    stored = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    assert (first[0] == stored).all()
    assert emoji.pictures(np.zeros(0, np.int64)).shape == (0, 64, 64, 4)


def test_candidates_give_the_english_caption_most_weight():
    said = candidates("dog", "perro", ["dog", "pet", "puppy", "hound"], ["mascota"])
    assert said.count("dog") > said.count("perro") > 0
    assert "dog, pet" in said
    assert "dog, dog" not in said
    assert candidates("dog", "") == ["dog"] * 4


def test_a_sheet_shows_transparency(emoji):
    shown = sheet(emoji, range(10), columns=5)
    assert shown.mode == "RGB"
    assert shown.width > 5 * 64
    assert {(255, 255, 255), (224, 224, 224)} <= {colour for _, colour in shown.getcolors(1 << 20)}


def test_openmoji_have_maps_that_lie_over_them(bus_of):
    dataset = open_source("openmoji-maps")
    assert dataset.licence == "CC-BY-SA-4.0"
    kinds = {name: (c.map_kind, c.channels) for name, c in dataset.columns.items() if c.kind == "map"}
    assert kinds == {
        "line_art": ("edges", 1), "silhouette": ("mask", 1), "segmentation": ("segmentation", 6), "order": ("depth", 1)
    }  # fmt: skip
    rows = range(0, len(dataset), 50)
    for pixels, shape, classes in zip(
        dataset.pictures(rows), dataset.values("silhouette", rows), dataset.values("segmentation", rows), strict=True
    ):
        assert set(np.unique(shape)) <= {0, 255}
        assert set(np.unique(classes)) <= set(range(6))
        assert ((shape[..., 0] > 0) == (pixels[..., 3] > 127)).mean() > 0.9
    bus = bus_of("segmentation", "text")
    Loader(dataset, bus, batch_size=4).batch_at(0)
    assert bus["segmentation"].told[0][0].shape == (64, 64, 1)
    assert open_source("openmoji-maps", size=32).values("order", [0])[0].shape == (32, 32, 1)


def test_skeletons_lie_over_their_figures(bus_of):
    dataset = open_source("emoji-poses", split="all")
    assert {info.name: info.count for info in sources()}["emoji-poses"] == len(dataset) > 40
    assert dataset.columns["pose"].map_kind == "pose"
    rows = range(len(dataset))
    bodies, drawn = dataset.pictures(rows)[..., 3] > 127, np.stack(dataset.values("pose", rows)).max(-1) > 127
    on_body = (drawn & bodies).sum((1, 2)) / drawn.sum((1, 2))
    assert np.median(on_body) > 0.9
    assert on_body.min() > 0.6, "thin arms and legs, at most; a skeleton beside its figure has nearly nothing"
    mirrored = (drawn & bodies[:, :, ::-1]).sum((1, 2)) / drawn.sum((1, 2))
    assert on_body.mean() > mirrored.mean() + 0.1, "left is left"
    assert open_source("emoji-poses", size=32).values("pose", [0])[0].shape == (32, 32, 3)
    bus = bus_of("pose", "text")
    Loader(open_source("emoji-poses"), bus, batch_size=4).batch_at(0)
    assert bus["pose"].told[0][0].shape == (64, 64, 3)


def test_a_missing_shard_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(compressed, "ASSETS", tmp_path)
    with pytest.raises(DataError, match="'emoji' is missing from this installation"):
        open_source("emoji")


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def four_files(folder, *, packed):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 10)):
        for name, array in (
            (f"{part}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28))),
            (f"{part}-labels-idx1-ubyte", np.arange(count) % 10),
        ):
            data = idx(array)
            (folder / (name + ".gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)
    return folder


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    monkeypatch.setattr(fashion, "DEBIAN", tmp_path / "debian")
    monkeypatch.delenv(fashion.VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "datasets", None)
    return tmp_path


def opened(spec="fashion-mnist", **options):
    return open_source(spec, **{"size": 28, "channels": 1, "split": "test"} | options)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("way", ["debian", "variable", "named"])
def test_fashion_mnist_from_a_folder(nowhere, monkeypatch, packed, way):
    folder = four_files(nowhere / ("debian" if way == "debian" else "mine"), packed=packed)
    if way == "variable":
        monkeypatch.setenv(fashion.VARIABLE, str(folder))
    spec = f"fashion-mnist:{folder}" if way == "named" else "fashion-mnist"
    dataset = opened(spec)
    assert (len(dataset), dataset.shape) == (10, (28, 28, 1))
    assert dataset.values("label", [0, 9]) == ["T-shirt/top", "Ankle boot"]
    parts = [len(opened(spec, split=s)) for s in ("train", "validation", "train+validation", "all")]
    assert parts[0] + parts[1] == parts[2] == 60
    assert parts[1] > 0
    assert parts[3] == 70


def test_fashion_mnist_from_the_hub(nowhere, monkeypatch):
    library = types.ModuleType("datasets")
    pictures = [Image.fromarray(np.full((28, 28), n, np.uint8)) for n in range(3)]
    library.load_dataset = lambda name, split: {"image": pictures, "label": [0, 1, 2]}
    monkeypatch.setitem(sys.modules, "datasets", library)
    assert opened().pictures([2]).max() == 2


def test_fashion_mnist_from_nowhere_lists_the_three_ways(nowhere):
    with pytest.raises(DataError, match="not on this machine") as caught:
        opened()
    said = str(caught.value)
    assert "apt-get install dataset-fashion-mnist" in said
    assert "train-images-idx3-ubyte" in said
    assert fashion.VARIABLE in said
    assert "lienzo[hub]" in said
    with pytest.raises(DataError, match="lacks the IDX files"):
        opened(f"fashion-mnist:{nowhere}")


DAMAGES = [lambda b: b[:-1], lambda b: b[:3], lambda b: b"\1" + b[1:], lambda b: gzip.compress(b)[:-9]]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_idx_file_is_named(nowhere, damage):
    folder = four_files(nowhere / "mine", packed=False)
    file = folder / "t10k-images-idx3-ubyte"
    broken = damage(file.read_bytes())
    file.unlink()
    (file.with_suffix(".gz") if broken[:2] == b"\x1f\x8b" else file).write_bytes(broken)
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte"):
        opened(f"fashion-mnist:{folder}")


def test_fashion_mnist_at_other_sizes(nowhere):
    spec = f"fashion-mnist:{four_files(nowhere / 'mine', packed=True)}"
    as_it_is, padded, grown = opened(spec), opened(spec, size=32, policy="pad"), opened(spec, size=64, channels=3)
    assert (padded.pictures([4])[0, 2:30, 2:30] == as_it_is.pictures([4])[0]).all()
    assert padded.pictures([4])[0, :2].max() == 0
    assert grown.shape == (64, 64, 3)
    assert torch.from_numpy(grown.pictures([0, 1])).float().std() > 10


def test_the_catalog_names_every_kind():
    known = {info.name: info for info in sources()}
    assert known["emoji"].available
    assert known["emoji"].count > 6000
    assert {"openmoji-maps", "fashion-mnist", "FOLDER", "FILE.parquet", "hub:OWNER/NAME"} <= set(known)
    assert all(info.available or info.why_not for info in known.values())
