"""The sets that ship inside the package are what their manifests say, and keep what the design promises."""

import hashlib
import io
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import lienzo
from lienzo.data.build.captions import split_of

ASSETS = Path(lienzo.__file__).parent / "assets"
SETS = ("emoji", "openmoji-maps")
STYLES = {"noto", "noto-blob", "twemoji", "fluent-flat", "fluent-3d"}
TEXTS = {"codepoints", "base", "caption_en", "caption_es", "tags_en", "tags_es", "group", "subgroup", "gender", "split"}


def manifest(name: str) -> dict[str, Any]:
    return json.loads((ASSETS / name / "manifest.json").read_text(encoding="utf-8"))


@cache
def rows(name: str) -> list[dict[str, Any]]:
    return [row for file in sorted((ASSETS / name).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("name", SETS)
def test_the_files_are_those_of_the_manifest(name: str):
    said = manifest(name)
    files = {file.name: file for file in (ASSETS / name).glob("*.parquet")}
    assert set(files) == set(said["shards"])
    for file, about in said["shards"].items():
        content = files[file].read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (about["sha256"], about["bytes"])
        assert pq.read_metadata(files[file]).num_rows == about["rows"]
    assert len(rows(name)) == said["rows"]


@pytest.mark.parametrize("name", SETS)
def test_a_set_opens_in_under_a_second(name: str):
    times: list[float] = []
    for _ in range(3):
        start = time.perf_counter()
        for file in (ASSETS / name).glob("*.parquet"):
            pq.read_table(file)
        times.append(time.perf_counter() - start)
    assert min(times) < 1


@pytest.mark.parametrize("name", SETS)
def test_no_base_is_in_two_splits(name: str):
    assert {row["split"] for row in rows(name)} == {"train", "validation", "test"}
    assert all(row["split"] == split_of(row["base"]) for row in rows(name))


def test_the_two_sets_are_split_alike():
    split = {row["codepoints"]: row["split"] for row in rows("emoji")}
    assert all(split.get(row["codepoints"], row["split"]) == row["split"] for row in rows("openmoji-maps"))


@pytest.mark.parametrize("name", SETS)
def test_texts(name: str):
    said = rows(name)
    assert set(said[0]) >= TEXTS
    assert {"flags", "symbols", "component"}.isdisjoint(row["group"] for row in said)
    assert len({row["group"] for row in said}) == 7
    assert all(row["caption_en"] and row["subgroup"] for row in said)
    assert sum(not row["caption_es"] for row in said) <= 0.01 * len(said)
    assert {row["gender"] for row in said} == {"", "female", "male", "mixed"}


@pytest.mark.parametrize("name", SETS)
def test_every_picture_is_64_pixels_of_rgba_and_shows_something(name: str):
    for row in rows(name):
        image = Image.open(io.BytesIO(row["image"]))
        assert (image.format, image.size) == ("WEBP", (64, 64))
        pixels = np.asarray(image.convert("RGBA"))
        assert pixels.shape == (64, 64, 4)
        assert pixels[..., 3].max() >= 32, row["caption_en"]


def test_the_emoji_have_five_styles_and_each_picture_once():
    said = rows("emoji")
    assert {row["style"] for row in said} == STYLES
    assert len({(row["style"], row["codepoints"]) for row in said}) == len(said)
    counts = {style: sum(row["style"] == style and not row["skin_tone"] for row in said) for style in STYLES}
    assert min(counts.values()) > 1000
    assert sum(about["bytes"] for about in manifest("emoji")["shards"].values()) <= manifest("emoji")["budget"]


def test_a_skin_tone_has_its_default_beside_it():
    said = rows("emoji")
    defaults = {(row["style"], row["base"]) for row in said if not row["skin_tone"]}
    toned = [row for row in said if row["skin_tone"]]
    assert {row["skin_tone"] for row in toned} == {
        tone for tones in manifest("emoji")["skin_tones"].values() for tone in tones
    }
    assert all((row["style"], row["base"]) in defaults for row in toned)


def test_the_licence_of_a_style_is_the_name_of_its_file():
    licences = {"noto": "apache-2.0", "noto-blob": "apache-2.0", "twemoji": "cc-by-4.0"}
    for file in (ASSETS / "emoji").glob("*.parquet"):
        styles = set(pq.read_table(file, columns=["style"])["style"].to_pylist())
        assert {licences.get(style, "mit") for style in styles} == {file.stem}


def test_the_maps_agree_with_the_picture():
    classes = len(manifest("openmoji-maps")["classes"])
    seen: set[int] = set()
    for row in rows("openmoji-maps"):
        alpha = decoded(row["image"])[..., 3]
        silhouette, segmentation, order = (decoded(row[name]) for name in ("silhouette", "segmentation", "order"))
        assert silhouette.dtype == bool
        assert (silhouette == (alpha > 127)).all(), row["caption_en"]
        assert segmentation.max() < classes
        assert ((segmentation > 0) == silhouette).all(), row["caption_en"]
        assert ((order > 0) == silhouette).all(), row["caption_en"]
        assert set(np.unique(order)) | {0} == set(range(int(order.max()) + 1))
        seen |= set(np.unique(segmentation).tolist())
    assert seen == set(range(classes))


def test_line_art_is_ink_on_nothing():
    for row in rows("openmoji-maps"):
        ink = decoded(row["line_art"])
        assert (ink.shape, ink.dtype) == ((64, 64), np.uint8)
        assert ink.max() > 127, row["caption_en"]
        assert np.median(ink[[0, -1]]) < 128, row["caption_en"]
