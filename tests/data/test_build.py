"""The builder of the embedded sets, on inputs small enough to be checked by eye."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lienzo.core.errors import LienzoError
from lienzo.data.build import captions, iconify, layers, packages, render, shard
from lienzo.data.build.openmoji import draw

OPENING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
HEAD = (
    f'{OPENING}<g id="color"><rect x="0" y="0" width="72" height="72" fill="#61b2e4"/></g>'
    '<g id="skin"><rect x="18" y="18" width="36" height="36" fill="#fcea2b"/></g>'
    '<g id="skin-shadow"><rect x="18" y="36" width="36" height="18" fill="#debb90"/></g>'
    '<g id="line" fill="none" stroke="#000"><path stroke-width="9" d="M36 0V72"/></g></svg>'
)
PIXEL_OF = {"color": (4, 4), "skin": (20, 20), "skin-shadow": (40, 20), "line": (32, 32)}  # row, column


def tarball(folder: Path, name: str, files: dict[str, str]) -> Path:
    path = folder / name
    with tarfile.open(path, "w:gz") as tar:
        for file, text in files.items():
            info = tarfile.TarInfo(f"package/{file}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def pinned(path: Path) -> packages.Package:
    name, version = path.name.removesuffix(".tgz").rsplit("-", 1)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return packages.Package(f"@{name.replace('-', '/', 1)}", version, "MIT", "", digest)


# --- packages ---------------------------------------------------------------------------------------------------------


def test_every_package_is_pinned():
    table = packages.packages()
    assert {"noto", "noto-v1", "twemoji", "fluent-flat", "fluent-3d", "emojibase", "openmoji"} <= set(table)
    assert all(len(package.sha256) == 64 and package.version[0].isdigit() for package in table.values())
    assert table["noto"].filename == "iconify-json-noto-1.2.9.tgz"


def test_fetch_takes_what_is_in_the_cache(tmp_path: Path):
    path = tarball(tmp_path, "scope-thing-1.0.0.tgz", {"a.json": "[]"})
    assert packages.fetch(pinned(path), tmp_path) == path
    assert packages.read(path, "a.json") == b"[]"


def test_fetch_refuses_another_tarball(tmp_path: Path):
    path = tarball(tmp_path, "scope-thing-1.0.0.tgz", {"a.json": "[]"})
    package = pinned(path)
    path.write_bytes(b"something else")
    with pytest.raises(packages.PackageError, match=package.sha256):
        packages.fetch(package, tmp_path)


def test_fetch_without_npm_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LienzoError, match=r"npm was not found[\s\S]*install Node\.js"):
        packages.fetch(packages.packages()["noto"], tmp_path / "cache")


def test_members_are_in_name_order(tmp_path: Path):
    path = tarball(tmp_path, "x-1.0.0.tgz", {"svg/b.svg": "B", "svg/a.svg": "A", "other.txt": ""})
    assert list(packages.members(path, r"svg/(.+)\.svg")) == [("a", b"A"), ("b", b"B")]


# --- captions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "normal"),
    [
        ("1F468-200D-2696-FE0F", "1f468-200d-2696"),
        ("00A9", "a9"),
        ("0023_FE0F_20E3", "23-20e3"),
        ("1f600", "1f600"),
    ],
)
def test_normalise(code: str, normal: str):
    assert captions.normalise(code) == normal
    assert captions.normalise(normal) == normal


def test_slug():
    assert captions.slug("Mother’s hat: medium-dark") == "mothers-hat-medium-dark"


KNOWN = frozenset({"1f3c3", "1f9d1-200d-1f692", "1f6b4", "1f468", "1f469"})


@pytest.mark.parametrize(
    ("entry", "base"),
    [
        ("1f3c3-200d-2640-200d-27a1", "1f3c3"),
        ("1f3c3-200d-27a1", "1f3c3"),
        ("1f6b4-200d-2642", "1f6b4"),
        ("1f468-200d-1f692", "1f9d1-200d-1f692"),
        ("1f468-200d-1f4bb", "1f468-200d-1f4bb"),  # has no form of a person here
        ("1f46a", "1f9d1-200d-1f9d1-200d-1f9d2"),
        ("1f468-200d-1f469-200d-1f467-200d-1f466", "1f9d1-200d-1f9d1-200d-1f9d2"),
        ("1f469", "1f469"),
    ],
)
def test_what_looks_alike_has_one_base(entry: str, base: str):
    assert captions.base_of(entry, KNOWN) == base


def test_split_is_90_5_5():
    splits = [captions.split_of(f"{code:x}") for code in range(0x1F000, 0x1F000 + 20_000)]
    shares = {name: splits.count(name) / len(splits) for name in ("train", "validation", "test")}
    assert shares == pytest.approx({"train": 0.90, "validation": 0.05, "test": 0.05}, abs=0.006)
    assert captions.split_of("1f600") == captions.split_of("1f600")


def test_gender_and_tone():
    assert captions.gender_of("1f468-200d-1f469-200d-1f466", None) == "mixed"
    assert captions.gender_of("1f469-200d-1f692", None) == "female"
    assert captions.gender_of("1f3c3", 1) == "male"
    assert captions.gender_of("1f600", None) == ""
    assert [captions.tone_of(tone) for tone in (None, 5, [1, 5])] == ["", "dark", "light+dark"]


def test_join_of_two_languages():
    dark = {"hexcode": "1F44B-1F3FF", "label": "waving hand: dark skin tone", "tone": 5}
    english = [
        {"hexcode": "1F44B", "label": "waving hand", "tags": ["wave"], "group": 1, "subgroup": 3, "skins": [dark]},
        {"hexcode": "1F436", "label": "dog face", "tags": ["dog"], "group": 3, "subgroup": 5},
        {"hexcode": "2764-FE0F", "label": "a symbol", "group": 8, "subgroup": 6},
    ]
    spanish = [{"hexcode": "1F44B", "label": "mano saludando", "tags": ["mano"], "skins": []}]
    groups = [{"order": 1, "key": "people-body"}, {"order": 3, "key": "animals-nature"}, {"order": 8, "key": "symbols"}]
    messages = {"groups": groups, "subgroups": [{"order": 3, "key": "hand-open"}, {"order": 5, "key": "animal-mammal"}]}
    found = captions.join(english, spanish, messages)
    assert list(found) == ["1f44b", "1f44b-1f3ff", "1f436"]
    assert found["1f44b"].caption_es == "mano saludando"
    assert found["1f44b"].tags_es == ("mano",)
    assert found["1f44b-1f3ff"].base == "1f44b"
    assert found["1f44b-1f3ff"].skin_tone == "dark"
    assert found["1f44b-1f3ff"].tags_en == ("wave",)
    assert (found["1f436"].caption_es, found["1f436"].tags_es, found["1f436"].subgroup) == ("", (), "animal-mammal")


# --- iconify ----------------------------------------------------------------------------------------------------------

ICONS = {
    "width": 32,
    "height": 32,
    "icons": {"left-hand": {"body": "<a/>"}, "bat-and-ball": {"body": "<b/>"}, "tall": {"body": "<c/>", "height": 40}},
    "aliases": {"right-hand": {"parent": "left-hand", "hFlip": True}, "cricket": {"parent": "bat-and-ball"}},
}


def test_aliases_may_mirror():
    mirrored = iconify.svg_of(ICONS, "right-hand")
    assert mirrored is not None
    assert 'transform="translate(32 0) scale(-1 1)"><a/>' in mirrored
    assert iconify.svg_of(ICONS, "unknown") is None


def test_a_tall_picture_is_centred_in_a_square():
    assert 'viewBox="-4 0 40 40"' in (iconify.svg_of(ICONS, "tall") or "")


def test_a_name_that_now_means_something_else_is_not_taken(tmp_path: Path):
    path = tarball(tmp_path, "x-1.0.0.tgz", {"icons.json": json.dumps(ICONS)})
    labels = {"1": "bat and ball", "2": "cricket", "3": "right hand"}
    assert [code for code, _ in iconify.by_label(path, labels)] == ["1", "3"]


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_svg_is_64_pixels_rgba_and_padded():
    pytest.importorskip("resvg_py")
    wide = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="20" height="10" fill="red"/></svg>'
    pixels = render.svg(wide)
    assert pixels.shape == (64, 64, 4)
    assert pixels[32, 32].tolist() == [255, 0, 0, 255]
    assert pixels[2, 32, 3] == 0
    assert render.is_blank(render.svg(f"{OPENING}</svg>"))
    assert not render.is_blank(pixels)


def test_a_reduced_picture_has_no_dark_rim():
    big = np.zeros((256, 256, 4), np.uint8)
    big[64:192, 62:194] = (255, 255, 255, 255)  # white on transparent black
    stream = io.BytesIO()
    Image.fromarray(big).save(stream, "PNG")
    small = render.picture(stream.getvalue())
    seen = small[small[..., 3] > 8]
    assert small.shape == (64, 64, 4)
    assert seen[:, :3].min() >= 250


def test_webp_is_lossless_where_something_is_seen():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    back = np.asarray(Image.open(io.BytesIO(render.webp(pixels))).convert("RGBA"))
    seen = pixels[..., 3] > 0
    assert (back[seen] == pixels[seen]).all()
    assert (back[..., 3] == pixels[..., 3]).all()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_png_keeps_values(depth: type):
    values = np.random.default_rng(0).integers(0, np.iinfo(depth).max, (64, 64)).astype(depth)
    assert (np.asarray(Image.open(io.BytesIO(render.png(values)))) == values).all()


def test_ink_of_black_and_white():
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, 1] = (0, 0, 0, 255)
    pixels[0, 2] = (255, 255, 255, 255)
    assert render.ink(pixels).tolist() == [[0, 255, 0]]


# --- layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "name"),
    [("skin-shadow", "skin-shadow"), ("Skin-2", "skin"), ("line-supplement", "line"), ("color-foreground", "color")],
)
def test_class_of_a_group(group: str, name: str):
    assert layers.class_of(group) == layers.CLASSES.index(name)


@pytest.mark.parametrize("group", ["", "standing_man", "line_2_"])
def test_some_groups_say_nothing(group: str):
    assert layers.class_of(group) is None


def test_recolour_numbers_the_shapes_and_keeps_what_is_unpainted():
    source = (
        f'{OPENING}<g id="hair" fill="none" opacity=".5"><path style="stroke:#fff;stroke-width:2"/></g><circle/></svg>'
    )
    drawn = layers.recolour(source)
    assert drawn.classes == (layers.CLASSES.index("hair"), layers.CLASSES.index("color"))
    assert 'fill="none" stroke="#000001"' in drawn.svg
    assert 'style="stroke-width:2"' in drawn.svg
    assert 'fill="#000002" stroke="none"' in drawn.svg
    assert "opacity" not in drawn.svg


def test_a_shape_that_is_wholly_transparent_is_not_painted():
    assert 'fill="none"' in layers.recolour(f'{OPENING}<path fill-opacity="0"/></svg>').svg


def test_majority_prefers_what_shows_most_and_ignores_nothing():
    block = np.array([[0, 0, 7, 7], [0, 5, 3, 7]], np.int32)
    assert layers.majority(block, 2).tolist() == [[5, 7]]


def test_rank_is_dense():
    assert layers.rank(np.array([[0, 40], [7, 40]], np.int32)).tolist() == [[0, 2], [1, 2]]


def test_fill_grows_into_the_holes_only():
    values = np.array([[0, 0, 9], [0, 0, 0]], np.int32)
    where = np.array([[True, True, True], [False, False, False]])
    assert layers.fill(values, where).tolist() == [[9, 9, 9], [0, 0, 0]]


def test_maps_of_a_drawing():
    pytest.importorskip("resvg_py")
    segmentation, order = layers.maps(HEAD, np.ones((64, 64), bool))
    for name, pixel in PIXEL_OF.items():
        assert layers.CLASSES[segmentation[pixel]] == name
    assert [order[pixel] for pixel in PIXEL_OF.values()] == [1, 2, 3, 4]


def test_draw_encodes_maps_that_agree():
    pytest.importorskip("resvg_py")
    drawn = draw(HEAD.replace('height="72" fill', 'height="60" fill'), HEAD)
    assert drawn is not None
    image, silhouette, segmentation, order = (
        np.asarray(Image.open(io.BytesIO(drawn[name]))) for name in ("image", "silhouette", "segmentation", "order")
    )
    assert ((image[..., 3] > 127) == silhouette).all()
    assert ((segmentation > 0) == silhouette).all()
    assert ((order > 0) == silhouette).all()
    assert draw(f"{OPENING}</svg>", HEAD) is None


# --- shards -----------------------------------------------------------------------------------------------------------


def test_a_shard_is_the_same_when_it_is_built_again(tmp_path: Path):
    import pyarrow.parquet as pq

    schema = {"image": "binary", "caption": "string", "tags": "list<string>"}
    rows = [{"image": bytes([i % 256]) * 9, "caption": f"c{i % 7}", "tags": ("a", f"t{i}")} for i in range(3000)]
    first, second = (shard.write_shard(tmp_path / name, rows, schema) for name in ("1.parquet", "2.parquet"))
    assert first.read_bytes() == second.read_bytes()
    table = pq.read_table(first)
    assert table.to_pylist() == [{**row, "tags": list(row["tags"])} for row in rows]
    columns = pq.ParquetFile(first).metadata.row_group(0)
    assert [columns.column(i).compression for i in range(3)] == ["UNCOMPRESSED", "ZSTD", "ZSTD"]


def test_counts():
    rows = [{"style": "a", "split": "train"}, {"style": "b", "split": "test"}, {"style": "a", "split": "train"}]
    assert shard.cross(rows, "style", "split") == {"a": {"train": 2}, "b": {"test": 1}}
